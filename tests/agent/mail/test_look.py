"""A look around: what waits in the queue, who is banned, and daemons that ended started again."""

import json
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.mailat_agent.mail import look, state
from agent.mailat_agent.mail.look import Healer
from tests.agent.orders import mail

Program = Callable[[str, str], None]
RELAY = {
    "host": "email-smtp.eu-central-1.amazonaws.com",
    "port": 587,
    "username": "AKIAIOSFODNN7EXAMPLE",
    "sealed": "AAAA",
    "sender": "postmaster@firm.test",
}


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Puts a script in the place of one of the host's programs."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def write(name: str, script: str) -> None:
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)

    return write


def waiting(name: str, age: int, *reasons: str) -> str:
    """A line of `postqueue -j` (postqueue(1))."""
    to = [{"address": f"bob{n}@out.test", "delay_reason": reason} for n, reason in enumerate(reasons)]
    fields = {
        "queue_name": name,
        "queue_id": "4Z",
        "arrival_time": int(time.time()) - age,
        "sender": "a@firm.test",
    }
    return json.dumps({**fields, "message_size": 1000, "forced_expire": False, "recipients": to})


def test_the_queue_is_counted_and_its_commonest_reason_said(program: Program) -> None:
    lines = [
        waiting("active", 5),
        waiting("incoming", 4),
        waiting("deferred", 7200, "connect to mx.out.test: Connection refused", "sending is not set up yet"),
        waiting("deferred", 60, "sending is not set up yet"),
        waiting("hold", 10, "held"),
    ]
    program("postqueue", "cat <<'E'\n" + "\n".join(lines) + "\nE")

    said = look.queue()

    assert said
    assert 7200 <= said.pop("oldest") < 7300
    assert said == {"active": 2, "deferred": 2, "hold": 1, "why": "sending is not set up yet"}


@pytest.mark.parametrize(
    ("relay", "waits", "leaves"),
    [
        (RELAY, {"active": 1, "deferred": 0}, True),
        (RELAY, {"active": 0, "deferred": 2}, True),
        (RELAY, {"active": 0, "deferred": 0}, False),
        (RELAY, None, False),
        (None, {"active": 1, "deferred": 2}, False),
    ],
)
def test_mail_that_has_a_way_out_is_looked_at_again_soon(
    relay: dict[str, object] | None, waits: dict[str, int] | None, leaves: bool
) -> None:
    assert look.is_leaving(state.read(mail(relay=relay)), waits) is leaves


def test_an_empty_queue_has_no_oldest(program: Program) -> None:
    program("postqueue", "true")

    assert look.queue() == {"active": 0, "deferred": 0, "hold": 0, "oldest": None, "why": ""}


@pytest.mark.parametrize("script", ["exit 69", "echo '{'"])
def test_a_queue_that_cannot_be_read_is_unknown(program: Program, script: str) -> None:
    program("postqueue", script)

    assert look.queue() is None


def test_bans_are_read_from_fail2bans_own_books(tmp_path: Path) -> None:
    place, now = tmp_path / "fail2ban.sqlite3", int(time.time())
    with sqlite3.connect(place) as books:  # the tables of fail2ban 1.1 (fail2ban/server/database.py)
        fields = "jail TEXT, ip TEXT, timeofban INTEGER, bantime INTEGER, bancount INTEGER, data JSON"
        books.execute(f"CREATE TABLE bans ({fields})")
        books.execute(f"CREATE TABLE bips ({fields})")
        for number in range(30):
            books.execute(
                "INSERT INTO bans VALUES ('dovecot', ?, ?, 600, 1, '')", (f"192.0.2.{number}", now - number)
            )
        books.execute("INSERT INTO bans VALUES ('dovecot', '192.0.2.99', ?, -1, 1, '')", (now - 1,))
        books.execute("INSERT INTO bips VALUES ('dovecot', '192.0.2.0', ?, 600, 1, '')", (now,))
        books.execute("INSERT INTO bips VALUES ('dovecot', '192.0.2.9', ?, 600, 1, '')", (now - 700,))
        books.execute("INSERT INTO bips VALUES ('dovecot', '192.0.2.8', ?, -1, 1, '')", (now - 700,))

    said = look.bans(place)

    assert said
    assert said["now"] == 2
    assert len(said["latest"]) == 20
    assert said["latest"][0] == {"address": "192.0.2.0", "jail": "dovecot", "at": now, "until": now + 600}
    assert {one["address"]: one["until"] for one in said["latest"]}["192.0.2.99"] is None


@pytest.mark.parametrize("content", [None, b"", b"no database"])
def test_books_that_are_not_there_are_unknown(tmp_path: Path, content: bytes | None) -> None:
    place = tmp_path / "fail2ban.sqlite3"
    if content is not None:
        place.write_bytes(content)

    assert look.bans(place) is None


SYSTEMD = """
here=$(dirname "$0")
case "$1" in
  show) for unit in a.service b.service; do
    echo LoadState=loaded; echo UnitFileState=enabled; cat "$here/$unit" 2>/dev/null || echo ActiveState=active; echo
  done;;
  start) echo "$3" >> "$here/started"; [ ! -e "$here/hopeless" ] || { echo "Job for $3 failed" >&2; exit 1; }
    rm "$here/$3";;
esac
"""


def test_a_daemon_that_ended_is_started_again(program: Program, tmp_path: Path) -> None:
    program("systemctl", SYSTEMD)
    (tmp_path / "b.service").write_text("ActiveState=failed\n")
    healer = Healer(("a.service", "b.service"))

    assert [healer.heal(), healer.heal()] == [["b.service"], []]

    assert (tmp_path / "started").read_text() == "b.service\n"


def test_one_that_cannot_be_started_is_tried_less_and_less(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("systemctl", SYSTEMD)
    (tmp_path / "b.service").write_text("ActiveState=failed\n")
    (tmp_path / "hopeless").touch()
    now = [1000.0]
    monkeypatch.setattr(look.time, "monotonic", lambda: now[0])
    healer = Healer(("a.service", "b.service"))

    for _ in range(120):
        assert healer.heal() == ["b.service"]
        now[0] += 5.0

    tries = len((tmp_path / "started").read_text().split())
    assert 10 <= tries <= 25

    (tmp_path / "hopeless").unlink()
    now[0] += look.PAUSES[-1]
    assert [healer.heal(), healer.heal()] == [["b.service"], []]
