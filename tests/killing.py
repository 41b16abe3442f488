"""A worker of its own, which SIGKILL ends in the middle of a step: its rows are written and nothing is committed."""

import os
import signal
import sys
from collections.abc import Callable

from django.db import connections

from engine import worker
from engine.models import Run
from engine.program import Next


def dies_at(program: str, step: str, work: Callable[[], object]) -> int:
    """Does this work in another process, which is killed when it has done this step; returns how it ended, as waitpid does."""
    connections.close_all()
    connections["default"].close_pool()
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)[1]
    try:
        _work_and_die(program, step, work)
    finally:
        os._exit(0)


def _work_and_die(program: str, step: str, work: Callable[[], object]) -> None:
    signal.alarm(60)  # a fork gets the locks of all threads, and waits for ever where one was held
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    perform = worker.perform

    def done_and_dead(run: Run) -> Next:
        outcome = perform(run)
        if (run.program, run.step) == (program, step):
            os.kill(os.getpid(), signal.SIGKILL)
        return outcome

    worker.perform = done_and_dead
    work()
