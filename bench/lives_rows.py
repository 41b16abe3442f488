"""The rows that the rules of the seven days read and write, in memory and by a clock that is told what time it is.

Real: `schedule_destruction` and `keep_server` of servers/actions.py, `wait_grace` and `begin` of servers/programs/destroy.py,
with their conditions, as they are. Simulated: what they ask Postgres, the clock, letters and events, and the engine's naps.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest import mock

ZERO = datetime(2026, 10, 20, tzinfo=UTC)


class Clock:
    """`now` is seconds since ZERO."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> datetime:
        return ZERO + timedelta(seconds=self.now)


class Row(SimpleNamespace):
    """Of a destruction."""

    def save(self, **_: object) -> None:
        """It is in memory."""


class Rows:
    """Understands what these rules ask of a manager, and stops at anything else."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self.row, self._asked = clock, None, {}
        self.row: Row | None = None

    def select_for_update(self) -> "Rows":
        return self

    def filter(self, **asked: Any) -> "Rows":
        self._asked = {name: _value(value) for name, value in asked.items() if name != "server"}
        return self

    def first(self) -> Row | None:
        return self.row if self._is_meant() else None

    def exists(self) -> bool:
        return self._is_meant()

    def _is_meant(self) -> bool:
        return self.row is not None and all(self._holds(name, value) for name, value in self._asked.items())

    def _holds(self, name: str, value: Any) -> bool:
        column, _, how = name.partition("__")
        there = getattr(self.row, column)
        if how == "lte":
            return bool(there <= value)
        assert not how, f"{name} is not understood"
        return bool(there == value)

    def get_or_create(self, *, server: Any, defaults: dict[str, Any]) -> tuple[Row, bool]:
        if self.row:
            return self.row, False
        more = {"said_at": self._clock(), "begun_at": None, "warned_days": None, "extended_days": 0}
        self.row = Row(server=server, **more, **defaults)
        return self.row, True

    def update(self, **values: Any) -> int:
        if not self._is_meant():
            return 0
        for name, value in values.items():
            setattr(self.row, name, _value(value))
        return 1

    def delete(self) -> tuple[int, dict[str, int]]:
        if not self._is_meant():
            return 0, {}
        self.row = None
        return 1, {}


class TheMoment:
    """Stands where a statement says NOW()."""

    clock: Callable[[], datetime]


def _value(value: Any) -> Any:
    return value.clock() if isinstance(value, TheMoment) else value


@contextmanager
def simulated(clock: Clock, rows: Rows) -> Iterator[Any]:
    """The rules, with these rows under them: a server, and what may be called."""
    from servers import actions
    from servers.programs import destroy

    server = SimpleNamespace(pk=1, gone_at=None, account_id=1, account=None, subject="server:1")
    servers, nobody = SimpleNamespace(objects=_Found(server)), _Nobody()
    table, moment = SimpleNamespace(objects=rows), TheMoment()
    moment.clock = clock
    new = {
        "letters": nobody,
        "host_name": lambda _: "",
        "engine": nobody,
        "database_now": clock,
        "Destruction": table,
    }
    with ExitStack() as stack:
        for name, value in {**new, "Server": servers, "record": nobody, "_drop_warnings": nobody}.items():
            stack.enter_context(mock.patch.object(actions, name, value))
        for name, value in {**new, "desired": nobody, "Now": lambda: moment, "doubts": []}.items():
            if name not in ("host_name",):
                stack.enter_context(mock.patch.object(destroy, name, value))
        stack.enter_context(mock.patch("django.utils.timezone.now", clock))
        yield _rules(actions, destroy, server)


def _rules(actions: Any, destroy: Any, server: Any) -> Any:
    program = object.__new__(destroy.Destroy)
    program.server = server
    program.expect = program.record = _Nobody()
    return SimpleNamespace(
        server=server,
        schedule=actions.schedule_destruction.__wrapped__,
        keep=actions.keep_server.__wrapped__,
        program=program,
    )


class _Found:
    """Asked for a server, it finds the one that there is."""

    def __init__(self, server: Any) -> None:
        self._server = server

    def select_for_update(self) -> "_Found":
        return self

    def get(self, **_: object) -> Any:
        return self._server


class _Nobody:
    """Whom letters, events and knocks go to."""

    def __getattr__(self, _: str) -> "_Nobody":
        return self

    def __call__(self, *_: object, **__: object) -> "_Nobody":
        return self
