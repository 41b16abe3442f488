"""Which request or run is being worked on: every log line and every event bears it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_work: ContextVar[dict[str, str] | None] = ContextVar("work", default=None)


@contextmanager
def about(**work: str) -> Iterator[None]:
    """Everything logged or recorded inside bears these names, such as `request` or `run`."""
    token = _work.set({**current(), **work})
    try:
        yield
    finally:
        _work.reset(token)


def current() -> dict[str, str]:
    return _work.get() or {}


def reference() -> str:
    """What a person can quote to staff: the request, or the run, or nothing."""
    work = current()
    return work.get("request") or work.get("run", "")
