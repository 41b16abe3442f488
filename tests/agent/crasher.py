"""Runs the built agent in forks of itself and, if told, kills one with SIGKILL at a given line of the agent.

`python crasher.py AGENT.PYZ LOG`, then on stdin one JSON object a line, `{"arguments": [...], "kill_at": n | null}`.
The answer is one JSON object a line: `{"status": exit status or minus the signal}`. The n-th line is the n-th that a
run comes to for the first time, so that n = 1, 2, 3 … walks through all that a life executes.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
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
PATIENCE = 60  # seconds


def kill_at(count: int, files: set[str] = FILES) -> None:
    """Die before the count-th new line of these files of the agent."""
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
        return step if "mailat_agent" in path and os.path.basename(path) in files else None

    sys.settrace(enter)


def is_killed(line: int, act: Callable[[], object], files: set[str]) -> bool:
    """Whether a fork of this process that does this is killed before it ends, at its line-th new line.

    Raises:
        AssertionError: it ended in another way, or not within PATIENCE.
    """
    child = os.fork()
    if child == 0:
        signal.alarm(PATIENCE)  # a fork gets the locks of all threads, and waits for ever where one was held
        try:
            kill_at(line, files)
            act()
        finally:
            os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, -signal.SIGKILL), f"it ended with {status}"
    return status == -signal.SIGKILL


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
