"""Runs the built agent in forks of itself and, if told, kills one with SIGKILL at a given line of the agent.

`python crasher.py AGENT.PYZ LOG`, then on stdin one JSON object a line, `{"arguments": [...], "kill_at": n | null}`.
The answer is one JSON object a line: `{"status": exit status or minus the signal}`. The n-th line is the n-th that a
run comes to for the first time, so that n = 1, 2, 3 … walks through all that a life executes.
"""

import json
import os
import signal
import sys
from types import FrameType
from typing import Any

# What is durable, what is sent, and the way between: a kill anywhere else changes nothing that outlives it.
FILES = {
    "loop.py",
    "enrol.py",
    "identity.py",
    "files.py",
    "config.py",
    "standing.py",
    "sequence.py",
    "transport.py",
}


def kill_at(count: int) -> None:
    """Die before the count-th new line."""
    seen: set[tuple[str, int]] = set()

    def step(frame: FrameType, event: str, _argument: Any) -> Any:
        place = (frame.f_code.co_filename, frame.f_lineno)
        if event == "line" and place not in seen:
            seen.add(place)
            if len(seen) == count:
                os.kill(os.getpid(), signal.SIGKILL)
        return step

    def enter(frame: FrameType, _event: str, _argument: Any) -> Any:
        path = frame.f_code.co_filename
        return step if "mailat_agent" in path and os.path.basename(path) in FILES else None

    sys.settrace(enter)


def run(arguments: list[str], count: int | None) -> int:
    """The agent's exit status, or minus the signal that ended it."""
    child = os.fork()
    if child == 0:
        from mailat_agent.__main__ import main

        os.setsid()
        if count is not None:
            kill_at(count)
        os._exit(main(arguments))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def serve() -> None:
    """Do what stdin says until it ends."""
    agent, log = sys.argv[1:]
    sys.path.insert(0, agent)
    import mailat_agent.__main__  # noqa: F401 - read once, for all forks

    os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
    for line in sys.stdin:
        task = json.loads(line)
        print(json.dumps({"status": run(task["arguments"], task["kill_at"])}), flush=True)


if __name__ == "__main__":
    serve()
