"""A worker that can be killed at a chosen point: started once with Django loaded, it forks a child for each bout of work.

Reads one JSON object a line: {"step": "Program.step" or null, "point": "begin" | "effect" | "commit" | "after"}.
Answers one: {"killed": bool, "failed": bool}. The child kills itself with SIGKILL; nothing of the product knows of this.
"""

import json
import os
import signal
import smtplib
import sys
from collections.abc import Callable
from typing import Any

import django
import requests

django.setup()

from django.db import connection, transaction  # noqa: E402

from clients import hetzner_cloud  # noqa: E402
from engine import actions, lease, worker  # noqa: E402

ROUNDS = 40
# Seconds that a read from Hetzner may take here: a late answer need not take twenty.
hetzner_cloud.TIMEOUT = (2.0, float(os.environ.get("HETZNER_PATIENCE", "20")))


def main() -> None:
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            os._exit(work(order["step"], order["point"]))
        status = os.waitpid(child, 0)[1]
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        print(json.dumps({"killed": killed, "failed": bool(status) and not killed}), flush=True)


def work(step: str | None, point: str) -> int:
    if step:
        arm(step, point)
    try:
        for _ in range(ROUNDS):
            due = actions.due(50)
            for run_id in due:
                worker.work(run_id)
            if not due:
                break
        connection.close()
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


def arm(step: str, point: str) -> None:
    """Sets the trap for the first time that the step is taken."""
    {"begin": at_begin, "effect": after_effect, "commit": before_commit, "after": after_commit}[point](step)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def named(run: Any) -> str:
    return f"{run.program}.{run.step}"


def at_begin(step: str) -> None:
    def perform(run: Any, usual: Callable[[Any], Any] = worker.perform) -> Any:
        if named(run) == step:
            die()
        return usual(run)

    worker.perform = perform


def after_effect(step: str) -> None:
    """Dies as soon as a call to the outside has been answered; a step without one dies when its method has returned."""
    now: list[str] = []

    def perform(run: Any, usual: Callable[[Any], Any] = worker.perform) -> Any:
        now.append(named(run))
        outcome = usual(run)
        if now[-1] == step:
            die()
        return outcome

    def answered(usual: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            answer = usual(*args, **more)
            if now and now[-1] == step:
                die()
            return answer

        return call

    worker.perform = perform
    requests.Session.send = answered(requests.Session.send)  # type: ignore[method-assign]
    smtplib.SMTP.data = answered(smtplib.SMTP.data)  # type: ignore[method-assign]


def before_commit(step: str) -> None:
    """Dies with everything written and nothing committed."""

    def settle(taken: Any, outcome: Any, usual: Callable[..., bool] = lease.settle) -> bool:
        name = named(taken.run)
        goes_on = usual(taken, outcome)
        if name == step:
            die()
        return goes_on

    lease.settle = settle


def after_commit(step: str) -> None:
    """Dies before anybody could be knocked."""

    def settle(taken: Any, outcome: Any, usual: Callable[..., bool] = lease.settle) -> bool:
        if named(taken.run) == step:
            transaction.on_commit(die)
        return usual(taken, outcome)

    lease.settle = settle


if __name__ == "__main__":
    main()
