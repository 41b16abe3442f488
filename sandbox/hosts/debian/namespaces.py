"""Work inside other network namespaces, without moving this process there: a thread goes, and ends there."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from typing import TypeVar

CLONE_NEWNET = 0x40000000

Result = TypeVar("Result")


def new() -> int:
    """A descriptor of a new network namespace, which lives as long as the descriptor does."""

    def make() -> int:
        _check(_libc().unshare(CLONE_NEWNET))
        return os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    return _in_a_thread(make)


def inside(namespace: int, work: Callable[[], Result]) -> Result:
    """What `work` returns when it runs in that namespace; its sockets stay there."""

    def go() -> Result:
        _check(_libc().setns(namespace, CLONE_NEWNET))
        return work()

    return _in_a_thread(go)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(status: int) -> None:
    if status != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _in_a_thread(work: Callable[[], Result]) -> Result:
    outcome: list[Result] = []
    problems: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as problem:
            problems.append(problem)

    thread = threading.Thread(target=run, name="namespace", daemon=True)
    thread.start()
    thread.join()
    if problems:
        raise problems[0]
    return outcome[0]
