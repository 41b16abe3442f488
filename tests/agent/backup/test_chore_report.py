"""What is reported of backups fits beside all else, and repeats nothing that a stranger wrote."""

import json

from agent.mailat_agent.backup import chore
from agent.mailat_agent.backup.chore import fitted
from agent.mailat_agent.backup.gate import Later

JOB = "0d6a1b0e-6c0f-4f6e-9d0b-2f7a40a3a111"


def test_a_report_stays_short() -> None:
    point = {"id": "a" * 64, "at": 1.0, "bytes": 1, "mailboxes": 1, "messages": 1, "manifest": "b" * 64}
    job = {"id": JOB, "state": "done", "why": "", "result": {"mailboxes": ["x" * 100] * 60}}
    said = {"points": [point] * 200, "jobs": [job] * 5, "error": ""}

    short = fitted(said)

    assert len(json.dumps(short)) <= chore.LONGEST
    assert short["points"][-1] == point
    assert short["jobs"][0] == job
    assert len(said["points"]) == 200


def test_what_goes_wrong_is_told_in_a_line_without_what_a_stranger_wrote() -> None:
    assert chore.why(Later("the storage door answered 503")) == "the storage door answered 503"
    assert "KeyError" in chore.why(_raised(KeyError("secret")))
    assert "secret" not in chore.why(_raised(KeyError("secret")))


def _raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:
        return caught
