"""What an order wants of backups is read whole or refused."""

import base64
import json
from typing import Any

import pytest

from agent.mailat_agent import orders
from agent.mailat_agent.backup import points
from agent.mailat_agent.backup.chosen import Chosen
from agent.mailat_agent.backup.wanted import Job, read
from agent.mailat_agent.mail.patterns import Malformed
from tests.agent.orders import body

KEY = base64.b64encode(bytes(range(32))).decode()
ESCROW = {"key": "k1", "public": KEY, "info": base64.b64encode(b"whose it is").decode()}
ORDER: dict[str, Any] = {
    "keep": 86400,
    "every": 3600,
    "hours": None,
    "kib_s": None,
    "escrow": ESCROW,
    "jobs": [],
}
JOB = {"id": "0d6a1b0e-6c0f-4f6e-9d0b-2f7a40a3a111", "do": "restore"}

KNOWN = {"id": "a" * 64, "at": 1.7e9, "bytes": 5, "mailboxes": 1, "messages": 2, "manifest": "b" * 64}


def test_what_is_known_of_points_is_read() -> None:
    (point,) = read({**ORDER, "known": [KNOWN]}).known
    assert points.told(point.kept()) == KNOWN


def test_a_whole_order_is_read() -> None:
    job = {**JOB, "mailbox": JOB["id"], "folder": ".Archive.2025", "point": "a" * 64, "later": "unknown here"}

    wanted = read({**ORDER, "hours": [22, 6], "kib_s": 500, "jobs": [job]})

    assert (wanted.keep, wanted.every, wanted.hours, wanted.kib_s) == (86400, 3600, (22, 6), 500)
    assert wanted.escrow.info == b"whose it is"
    assert wanted.jobs == (Job(JOB["id"], "restore", "a" * 64, JOB["id"], ".Archive.2025"),)


def test_messages_are_chosen_by_dates_and_words_and_may_go_into_another_mailbox() -> None:
    chosen = {"since": 1.7e9, "before": None, "from": "bob", "subject": "", "to": None, "later": 1}

    (job,) = read({**ORDER, "jobs": [{**JOB, "chosen": chosen, "into": JOB["id"]}]}).jobs

    assert job.chosen == Chosen(since=1.7e9, sender="bob")
    assert job.into == JOB["id"]


def test_the_vaults_key_may_be_called_its_id() -> None:
    escrow = {"id": "k2", **{name: ESCROW[name] for name in ("public", "info")}}

    assert read({**ORDER, "escrow": escrow}).escrow.key == "k2"


@pytest.mark.parametrize(
    "changes",
    [
        {"keep": 0},
        {"keep": "86400"},
        {"keep": True},
        {"every": None},
        {"every": 1e9},
        {"hours": [25, 1]},
        {"hours": [1]},
        {"hours": "night"},
        {"kib_s": 0},
        {"escrow": None},
        {"escrow": {**ESCROW, "public": "AAAA"}},
        {"escrow": {**ESCROW, "info": "no base64!"}},
        {"jobs": None},
        {"known": None},
        {"known": [{}]},
        {"known": [{**KNOWN, "id": "latest"}]},
        {"known": [{**KNOWN, "at": None}]},
        {"known": [{**KNOWN, "bytes": -1}]},
        {"known": [{**KNOWN, "manifest": ""}]},
        {"jobs": [{**JOB, "id": "../../etc"}]},
        {"jobs": [{**JOB, "do": "rm -rf"}]},
        {"jobs": [{**JOB, "point": "latest --target=/"}]},
        {"jobs": [{**JOB, "mailbox": "alice@firm.test"}]},
        {"jobs": [{**JOB, "folder": "../../../etc"}]},
        {"jobs": [{**JOB, "folder": ".."}]},
        {"jobs": [{**JOB, "folder": "./x"}]},
        {"jobs": [{**JOB, "folder": "cur"}]},
        {"jobs": [{**JOB, "into": "bob@firm.test"}]},
        {"jobs": [{**JOB, "chosen": "all"}]},
        {"jobs": [{**JOB, "chosen": {"since": "yesterday"}}]},
        {"jobs": [{**JOB, "chosen": {"before": -1}}]},
        {"jobs": [{**JOB, "chosen": {"before": float("nan")}}]},
        {"jobs": [{**JOB, "chosen": {"since": True}}]},
        {"jobs": [{**JOB, "chosen": {"subject": 5}}]},
        {"jobs": [{**JOB, "chosen": {"from": "x" * 501}}]},
        {"jobs": [JOB] * 51},
        {"password": "not base64!"},
    ],
    ids=str,
)
def test_anything_else_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        read({**ORDER, **changes})


def test_the_order_is_refused_with_it() -> None:
    with pytest.raises(orders.Refusal, match="malformed backup"):
        orders.read(body("s", 1, backup={**ORDER, "keep": 0}), "s")
    assert orders.read(body("s", 1, backup=json.loads(json.dumps(ORDER))), "s").backup == read(ORDER)
    assert orders.read(body("s", 1), "s").backup is None
