"""Chores come round beside the loop; what they say is reported whole, or cut, but never too long."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent.mailat_agent.mail import chores, look, state, usage
from agent.mailat_agent.mail.apply import Key, MailSystem
from agent.mailat_agent.mail.chore import Chore, Situation
from agent.mailat_agent.mail.chores import Chores, fitted
from agent.mailat_agent.mail.generations import Store
from agent.mailat_agent.mail.part import Host
from tests.agent.orders import mail


@pytest.fixture
def system(tmp_path: Path) -> MailSystem:
    """One that had its order."""
    system = MailSystem(Key("", X25519PrivateKey.generate()), store=Store(tmp_path, tmp_path / "current"))
    system.situation = Situation(state.read(mail()), Host("post.servers.test", (), tmp_path))
    return system


def chore(name: str, run: Callable[[Situation], dict[str, Any]], every: float = 3600.0) -> Chore:
    return Chore(name, every, run)


def fail(_situation: Situation) -> dict[str, Any]:
    raise RuntimeError("the password is hunter2")


def test_what_chores_say_stands_in_the_report(system: MailSystem) -> None:
    lane = [chore("a", lambda _: {"queue": {"active": 1}}), chore("b", lambda _: {"bans": None})]
    crew = Chores(system, [lane])

    crew.turn(lane, {})

    assert crew.report() == {"generation": 0, "taken_back": None, "queue": {"active": 1}, "bans": None}


def test_before_an_order_there_is_nothing_to_do_and_nothing_to_say(system: MailSystem) -> None:
    system.situation = None
    lane = [chore("a", fail)]
    crew = Chores(system, [lane])

    crew.turn(lane, {})

    assert crew.report() is None
    assert crew.errors == {}


def test_one_that_fails_says_where_and_keeps_no_other_from_its_turn(
    system: MailSystem, capfd: pytest.CaptureFixture[str]
) -> None:
    lane = [chore("a", fail), chore("b", lambda _: {"probed_at": 5})]
    crew = Chores(system, [lane])

    crew.turn(lane, {})

    report = crew.report()
    assert report
    assert report["probed_at"] == 5
    assert report["errors"]["a"].startswith("unexpected RuntimeError in test_chores.py:")
    assert "hunter2" not in json.dumps(report) + capfd.readouterr().err


def test_one_that_works_again_says_no_error(system: MailSystem) -> None:
    turns = iter([fail, lambda _: {"probed_at": 5}])
    lane = [chore("a", lambda situation: next(turns)(situation), every=0.0)]
    crew = Chores(system, [lane])

    crew.turn(lane, {})
    crew.turn(lane, {})

    assert crew.errors == {}


def test_each_comes_when_it_is_due_or_knocked(system: MailSystem) -> None:
    runs: list[str] = []
    seldom = chore("seldom", lambda _: runs.append("seldom") or {})
    often = chore("often", lambda _: runs.append("often") or {}, every=0.0)
    crew, due = Chores(system, [[seldom, often]]), {}  # type: ignore[var-annotated]

    crew.turn([seldom, often], due)
    crew.turn([seldom, often], due)
    assert runs == ["seldom", "often", "often"]

    seldom.knock()
    crew.turn([seldom], due)
    assert runs[3:] == ["seldom"]


def test_a_chore_may_say_by_the_situation_when_it_comes(system: MailSystem) -> None:
    runs: list[int] = []
    lane = [Chore("a", lambda _: 0.0 if len(runs) < 2 else 3600.0, lambda _: runs.append(1) or {})]
    crew, due = Chores(system, [lane]), {}  # type: ignore[var-annotated]

    for _ in range(4):
        crew.turn(lane, due)

    assert len(runs) == 2


def test_the_canarys_time_is_said_until_it_was_heard_and_not_again(system: MailSystem) -> None:
    flights = iter([{"canary": {}, "canary_seconds": 0.2}, {"canary": {}, "canary_seconds": None}])
    lane = [chore("canary", lambda _: next(flights), every=0.0)]
    crew, due = Chores(system, [lane]), {}  # type: ignore[var-annotated]

    crew.turn(lane, due)
    assert crew.canary_seconds == 0.2
    crew.turn(lane, due)
    assert crew.canary_seconds == 0.2  # a miss since then does not undo it

    crew.heard(0.2)
    assert crew.canary_seconds is None
    assert "canary_seconds" not in (crew.report() or {})


def test_one_that_came_while_another_was_reported_is_said_next(system: MailSystem) -> None:
    crew = Chores(system, [])
    crew.canary_seconds = 0.3

    crew.heard(0.2)

    assert crew.canary_seconds == 0.3


def test_an_update_that_takes_long_keeps_no_certificate_no_test_mail_and_no_look_waiting(
    system: MailSystem,
) -> None:
    others = {
        each.name: threading.Event() for lane in chores.LANES for each in lane if each.name != "patches"
    }
    begun, over = threading.Event(), threading.Event()

    def stand_in(name: str) -> Chore:
        if name == "patches":
            return chore(name, lambda _: begun.set() or (over.wait(120) and {}) or {})
        return chore(name, lambda _: others[name].set() if begun.wait(120) else None or {})

    crew = Chores(system, [[stand_in(each.name) for each in lane] for lane in chores.LANES])
    crew.start()

    assert begun.wait(60)
    assert [name for name, came in others.items() if not came.wait(60)] == []
    system.situation = None  # the threads rest
    over.set()


def everything(mailboxes: int) -> dict[str, Any]:
    fix = {
        "package": "p" * 30,
        "from": "1" * 30,
        "to": "2" * 30,
        "security": True,
        "published_at": 1795271000,
    }
    certificate = {"name": "n" * 60, "until": 1, "issuer": "i" * 40, "names": ["n" * 60] * 5, "waiting": []}
    return {
        "generation": 12,
        "taken_back": None,
        "bans": {
            "now": 20,
            "latest": [{"address": "2001:db8::" + "1" * 20, "jail": "dovecot", "at": 1}] * 20,
        },
        "certificates": [certificate] * 20,
        "patches": {"pending": [fix] * 50, "applied": [fix] * 20, "taken_back": []},
        "mailboxes": {f"person-number-{n}@firm.test": [10**10, 10**5, 10**3] for n in range(mailboxes)},
        "dkim": {
            f"firm{n}.test": {"selector": "mailat", "txt": "v=DKIM1; k=rsa; p=" + "A" * 392} for n in range(9)
        },
    }


def test_a_report_of_two_hundred_mailboxes_is_said_whole() -> None:
    assert fitted(everything(200)) == everything(200)


@pytest.mark.parametrize("mailboxes", [2000, 5000])
def test_one_that_would_be_too_long_is_cut_where_it_is_longest(mailboxes: int) -> None:
    whole = everything(mailboxes)
    cut = fitted(whole)

    assert len(json.dumps(cut)) <= chores.LONGEST
    assert cut["certificates"] == whole["certificates"]
    assert cut["mailboxes"].items() <= whole["mailboxes"].items()
    assert len(whole["mailboxes"]) == mailboxes  # what is kept for the next report is not cut


def test_nothing_makes_a_report_fail_by_its_length() -> None:
    assert fitted({"generation": 3, "taken_back": {"why": "x" * 100_000}}) == {"generation": 3}


def test_what_an_order_changes_is_looked_at_at_once(tmp_path: Path) -> None:
    store = Store(tmp_path, tmp_path / "current")
    system = MailSystem(Key("", X25519PrivateKey.generate()), store=store, parts=())
    for each in (look.CHORE, usage.CHORE):
        each.due.clear()

    system.bring_about(state.read(mail()), "post.servers.test")

    assert look.CHORE.due.is_set()
    assert usage.CHORE.due.is_set()
