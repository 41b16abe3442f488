"""What is recorded, and how."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.actions import plain, record
from audit.chain import verify
from audit.context import about
from audit.models import Event
from tests.audit.conftest import commit_rules
from tests.examples import ONE_WORLD

pytestmark = pytest.mark.django_db


def last() -> Event:
    return Event.objects.latest("id")


def test_an_event_says_who_did_what_to_what_and_where_the_log_tells_more() -> None:
    account = uuid4()
    with about(request="1234567890abcdef"):
        record("server.wanted", by="user:1", account=account, subject="server:7", place="fsn1")
    assert (last().action, last().by, last().account_id) == ("server.wanted", "user:1", account)
    assert (last().subject, last().facts, last().reference) == (
        "server:7",
        {"place": "fsn1"},
        "1234567890abcdef",
    )


def test_a_run_is_the_reference_where_there_is_no_request() -> None:
    with about(run="42", step="Provision.wait_agent"):
        record("server.ready", by="program:Provision")
    assert last().reference == "42"


def test_the_time_is_the_one_of_postgres(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: datetime(2031, 1, 1, tzinfo=UTC))
    record("server.ready", by="program:Provision")
    assert last().at.year < 2031


def test_an_action_is_noun_and_verb() -> None:
    with pytest.raises(ValueError, match="noun"):
        record("Server was made", by="user:1")


def test_a_fact_may_be_named_like_an_argument_of_django() -> None:
    record("destruction.removed", by="program:Destroy", action=17, at="now", id=3)
    assert last().facts == {"action": 17, "at": "now", "id": 3}


def test_facts_from_outside_never_stop_what_they_tell_of() -> None:
    ids = uuid4(), uuid4()
    record(
        "ping.kept",
        by="gum\x00road",
        note="a\x00b\ud800",
        ids=ids,
        ratio=float("nan"),
        when=datetime(2026, 1, 1, tzinfo=UTC),
    )
    facts = last().facts
    assert facts["note"] == "a\ufffdb?"
    assert facts["ids"] == [str(one) for one in ids]
    assert facts["ratio"] == "nan"
    assert facts["when"].startswith("2026-01-01")


def test_what_is_undone_was_never_recorded() -> None:
    account = uuid4()
    with transaction.atomic():
        record("server.wanted", by="user:1", account=account)
        transaction.set_rollback(True)
    record("server.wanted", by="user:1", account=account)
    commit_rules()
    assert list(Event.objects.filter(account_id=account).values_list("seq", flat=True)) == [1]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
EVENTS = st.lists(
    st.tuples(st.sampled_from([None, uuid4(), uuid4()]), st.text(max_size=9), st.dictionaries(st.text(max_size=5), JSON, max_size=3)),
    min_size=1, max_size=8,
)  # fmt: skip


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=ONE_WORLD,
)
@given(EVENTS)
def test_whatever_is_recorded_verifies(events: list) -> None:
    with transaction.atomic():
        for account, subject, facts in events:
            record("some.event", by="user:1", account=account, subject=subject, facts=facts)
        commit_rules()
        verdicts = list(verify())
        transaction.set_rollback(True)
    assert [verdict.broken for verdict in verdicts] == [""] * len({account for account, _, _ in events})
    assert sum(verdict.events for verdict in verdicts) == len(events)


@given(JSON)
def test_plain_is_plain_already(value: object) -> None:
    assert plain(plain(value)) == plain(value)
