"""What goes wrong next at the sending service, and how often; kept in the home, so that pages and servers agree."""

from __future__ import annotations

from sandbox.internet.store import Store

KINDS = {
    "throttle": "The sending rate is exceeded (454, to be tried again)",
    "quota": "The day's quota is used up (454, to be tried again)",
    "refuse": "The message is refused for good (554)",
    "no_login": "Right passwords are refused, as after a key was deactivated (535)",
    "down": "The connection ends at the first command (421)",
}
MOST_TIMES = 1_000_000


class Faults:
    """A count for each kind."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, kind: str, times: int) -> None:
        with self._store.open() as db:
            db.execute(
                "insert into faults (kind, times) values (?, ?) on conflict (kind) do update set times = times + ?",
                [kind, times, times],
            )

    def clear(self) -> None:
        with self._store.open() as db:
            db.execute("delete from faults")

    def all(self) -> dict[str, int]:
        with self._store.open() as db:
            return {row["kind"]: row["times"] for row in db.execute("select * from faults where times > 0")}

    def take(self, kind: str) -> bool:
        """Whether it is to happen now."""
        with self._store.open() as db:
            return (
                db.execute(
                    "update faults set times = times - 1 where kind = ? and times > 0", [kind]
                ).rowcount
                > 0
            )
