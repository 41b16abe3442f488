"""A year-old month leaves as a whole, and what is left still verifies."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from audit import months
from audit.actions import record
from audit.chain import HOUSE, verify
from audit.models import Event
from audit.tasks import turn_months
from tests.audit.conftest import commit_rules, sql, verdict, without_rules

pytestmark = pytest.mark.django_db
YEAR = timedelta(days=365)


def first_of(months_ago: int) -> datetime:
    now = datetime.now(UTC)
    year, month = divmod(now.year * 12 + now.month - 1 - months_ago, 12)
    return datetime(year, month + 1, 1, tzinfo=UTC)


def events_at(moments: list[datetime], account: UUID | None) -> None:
    """As if they had been recorded then."""
    with without_rules():
        for at in moments:
            _event_at(at, account)
        sql("DELETE FROM audit_head WHERE chain = coalesce(%s, %s)", account, HOUSE)
        sql(
            "INSERT INTO audit_head (chain, seq, hash, at) SELECT coalesce(account_id, %s), seq, hash, at FROM audit_event "
            "WHERE account_id IS NOT DISTINCT FROM %s ORDER BY seq DESC LIMIT 1",
            HOUSE, account,
        )  # fmt: skip


def _event_at(at: datetime, account: UUID | None) -> None:
    sql(
        "WITH head AS (SELECT coalesce(max(seq), 0) AS seq, coalesce((array_agg(hash ORDER BY seq DESC))[1], '') AS hash "
        "FROM audit_event WHERE account_id IS NOT DISTINCT FROM %s) "
        "INSERT INTO audit_event (at, account_id, by, action, seq, prev_hash) "
        "SELECT %s, %s, 'user:1', 'server.wanted', seq + 1, hash FROM head",
        account, at, account,
    )  # fmt: skip
    sql("UPDATE audit_event e SET hash = audit_hash(prev_hash, e) WHERE hash IS NULL")


def make_month(day: datetime) -> None:
    sql("SELECT audit_make_month(%s)", day)


def month_names() -> list[str]:
    return [lower.astimezone(UTC).strftime("%Y-%m") for _, lower, _ in sql("SELECT * FROM audit_months()")]


@pytest.fixture
def years() -> Iterator[list[datetime]]:
    """Fifteen months of parts, and in each of them an event on its first and on its last moment."""
    days = [first_of(ago) for ago in range(14, 0, -1)]
    for day in days:
        make_month(day)
    return days


@pytest.fixture
def account(years: list[datetime]) -> UUID:
    account = uuid4()
    events_at([at for day in years for at in (day, day + timedelta(days=27))], account)
    return account


def test_nothing_younger_than_a_year_leaves_and_nothing_older_than_its_month_stays(account: UUID) -> None:
    before = set(Event.objects.filter(account_id=account).values_list("at", flat=True))
    months.turn(YEAR)
    after = set(Event.objects.filter(account_id=account).values_list("at", flat=True))
    limit = timezone.now() - YEAR
    assert {at for at in before if at >= limit} <= after
    assert min(after) >= limit - timedelta(days=31)
    assert before - after


def test_what_is_left_verifies_from_the_last_event_that_left(account: UUID) -> None:
    dropped = [one for one in months.turn(YEAR) if one.did == "dropped"]
    commit_rules()
    assert sum(one.events for one in dropped) == 28 - verdict(account).events
    assert [one.broken for one in verify()] == ["", ""]


def test_what_is_deleted_from_the_new_beginning_is_still_missed(account: UUID) -> None:
    months.turn(YEAR)
    commit_rules()
    first = Event.objects.filter(account_id=account).order_by("seq").first()
    with without_rules():
        sql("DELETE FROM audit_event WHERE id = %s", first.pk)
    assert f"and {first.seq} before it is missing" in verdict(account).broken


def test_a_chain_whose_last_event_left_goes_on_from_there(years: list[datetime]) -> None:
    account = uuid4()
    events_at([years[0]], account)
    months.turn(YEAR)
    record("server.ready", by="user:1", account=account)
    commit_rules()
    assert Event.objects.get(account_id=account).seq == 2
    assert verdict(account).broken == ""


def test_the_coming_two_months_are_made_once() -> None:
    with without_rules():
        for part, lower, _ in sql("SELECT part::text, lower, upper FROM audit_months()"):
            if lower > timezone.now():
                sql(f"DROP TABLE {part}")
    assert [one.did for one in months.turn(YEAR)] == ["made", "made"]
    assert months.turn(YEAR) == []
    assert month_names()[-3:] == [first_of(ago).strftime("%Y-%m") for ago in (0, -1, -2)]


def test_what_was_turned_is_itself_an_event(account: UUID) -> None:
    dropped = [one.month for one in months.turn(YEAR) if one.did == "dropped"]
    said = Event.objects.filter(action="audit.month_dropped", by="clock")
    assert [event.facts["month"] for event in said.order_by("id")] == dropped


def test_no_caller_makes_the_year_shorter(account: UUID) -> None:
    with pytest.raises(IntegrityError, match="365 days"), transaction.atomic():
        months.turn(timedelta(days=364))


def test_a_clock_set_ahead_drops_nothing(account: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    months.turn(YEAR)
    monkeypatch.setattr("django.utils.timezone.now", lambda: datetime(2099, 1, 1, tzinfo=UTC))
    assert months.turn(YEAR) == []


def test_events_that_found_no_month_get_one(years: list[datetime]) -> None:
    """The clock task was away for months: what came meanwhile lies in the rest, and nothing of it is rewritten."""
    sql("DROP TABLE " + sql("SELECT part::text FROM audit_months() WHERE upper > now() LIMIT 1")[0][0])
    record("server.wanted", by="user:1")
    commit_rules()
    assert sql("SELECT count(*) FROM audit_event_rest") == [(1,)]
    months.turn(YEAR)
    commit_rules()
    assert sql("SELECT count(*) FROM audit_event_rest") == [(0,)]
    assert Event.objects.filter(action="server.wanted").count() == 1
    assert all(not one.broken for one in verify())


def test_a_new_month_is_guarded_like_the_old_ones() -> None:
    make_month(first_of(-9))
    name = first_of(-9).strftime("audit_event_y%Ym%m")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        sql(f"TRUNCATE {name}")


def test_an_event_of_the_month_before_moves_to_the_month_of_its_chains_end() -> None:
    """It began before midnight of the first and is numbered after one that began later."""
    account = uuid4()
    record("server.wanted", by="user:1", account=account)
    make_month(first_of(-3))
    later = first_of(-3) + timedelta(seconds=1)
    with without_rules():
        sql("INSERT INTO audit_head (chain, seq, hash, at) VALUES (%s, 1, 'x', %s)", account, later)
        commit_rules()
        sql("UPDATE audit_head SET at = at")
    record("server.ready", by="user:1", account=account)
    commit_rules()
    event = Event.objects.get(account_id=account, action="server.ready")
    assert event.at == later
    assert sql("SELECT tableoid::regclass::text FROM audit_event WHERE id = %s", event.pk) == [
        (later.strftime("audit_event_y%Ym%m"),)
    ]


def test_the_task_keeps_what_we_promise(account: UUID) -> None:
    turn_months()
    assert Event.objects.filter(account_id=account, at__gte=timezone.now() - settings.AUDIT_KEPT).exists()
    assert month_names()[0] >= (timezone.now() - settings.AUDIT_KEPT).strftime("%Y-%m")
    assert connection.in_atomic_block
