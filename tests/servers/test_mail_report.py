"""What is kept of a report: known fields of the right kind, whatever a server's root sends."""

import json
import re

from hypothesis import given
from hypothesis import strategies as some

from servers import mail_report
from tests.servers import reports

ANYTHING = some.recursive(
    some.none() | some.booleans() | some.floats() | some.integers() | some.text(max_size=20),
    lambda inner: (
        some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=20,
)


def test_an_honest_report_is_kept_as_it_is():
    said = json.loads(json.dumps(reports.healthy(mailboxes={"anna@firm.test": [5, 2, 1]})))
    kept = mail_report.kept(said)
    assert kept is not None
    assert kept["mailboxes"] == {"anna@firm.test": [5, 2, 1]}
    assert kept["certificates"][0]["names"] == [reports.HOST]
    assert kept["canary"]["seconds"] == 1.4


def test_of_what_was_erased_only_ids_and_times_are_kept():
    kept = mail_report.kept({"erased": [{"id": "x" * 99, "at": -1, "why": "y"}, 5] * 200})
    assert kept is not None
    assert kept["erased"][:2] == [{"id": "x" * 36, "at": None}, {"id": "", "at": None}]
    assert len(kept["erased"]) == 200


def test_of_test_mails_only_what_is_known_of_an_answer_is_kept():
    kept = mail_report.kept(
        {"letters": [{"id": "x" * 99, "code": "5", "answer": "no\r\n" * 99, "y": 1}] * 30}
    )
    assert kept is not None
    assert kept["letters"] == [{"id": "x" * 36, "at": None, "code": 0, "answer": ("no " * 75).strip()}] * 20


def test_without_a_mail_system_there_is_nothing_to_keep():
    assert mail_report.kept(None) is None
    assert mail_report.kept("yes") is None


def test_what_is_not_known_is_left_out():
    kept = mail_report.kept(reports.healthy(subjects=["Dear Anna"]))
    assert kept is not None
    assert "subjects" not in kept


def test_nothing_is_kept_without_end():
    kept = mail_report.kept(
        {
            "mailboxes": {f"{n}@firm.test": [1, 1, 1] for n in range(5000)},
            "stopped": [{"why": "x" * 9999}] * 900,
        }
    )
    assert kept is not None
    assert len(kept["mailboxes"]) == mail_report.MAILBOXES
    assert len(kept["stopped"]) == mail_report.MOST
    assert len(kept["stopped"][0]["why"]) == mail_report.WHY


@given(some.dictionaries(some.sampled_from(list(reports.healthy())), ANYTHING))
def test_whatever_is_sent_the_same_shape_comes_out(said: dict[str, object]):
    kept = mail_report.kept(said)
    assert kept is not None
    assert list(kept) == list(mail_report.kept({}) or {})
    assert not re.search(r"(?<!\\)(?:\\\\)*\\u0000", json.dumps(kept))
