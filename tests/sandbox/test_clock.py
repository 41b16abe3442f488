"""Time passes for promises and not for what was seen."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import flask
import psycopg
import pytest
from django.db import connection, transaction
from django.utils import timezone
from flask.testing import FlaskClient

from accounts.models import Account
from engine import lease, worker
from engine.models import Run
from sandbox import clock
from servers import actions
from servers.models import Destruction, Server
from tests.integration.world import database_url

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(account: Account) -> Server:
    return actions.want_server(account=account, name="post", place="fsn1", plan="basic", by="user:1")


def test_promises_grow_older_and_the_audit_does_not(server: Server):
    actions.schedule_destruction(server=server, ended_at=timezone.now(), reason="x", by="gumroad")
    due = Destruction.objects.get().due_at
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(at) FROM audit_event")
        seen = cursor.fetchone()[0]
    said = clock.age_rows(database_url(), 168)
    assert Destruction.objects.get().due_at == due - timedelta(days=7)
    assert Destruction.objects.get().begun_at is None
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(at) FROM audit_event")
        assert cursor.fetchone()[0] == seen
    assert any("servers_destruction" in line for line in said)


def test_time_waits_for_a_step_that_has_read_it_and_no_other_begins_meanwhile(server: Server):
    """What Gumroad said a moment ago must not be written beside rows that are a week older."""
    actions.schedule_destruction(server=server, ended_at=timezone.now(), reason="x", by="gumroad")
    run = Run.objects.get(program="Destroy")
    (taken,) = lease.take(run_id=run.pk)
    with transaction.atomic():  # as every step is
        outcome, seen = worker.perform(taken.run), []

    def look() -> list[str]:
        seen.append((Run.objects.filter(held=True).count(), taken_meanwhile()))
        return []

    with ThreadPoolExecutor() as pool:
        passing = pool.submit(clock.age_rows, database_url(), 168, others=look)
        time.sleep(0.3)
        assert not passing.done()
        assert seen == []
        lease.settle(taken, outcome)
        passing.result(timeout=20)
    run.refresh_from_db()
    assert run.due_at <= timezone.now()
    assert seen == [(0, False)]


def taken_meanwhile() -> bool:
    """Whether somebody else can take a run now."""
    with psycopg.connect(database_url()) as db:
        db.execute("set local lock_timeout = '100ms'")
        try:
            db.execute("update engine_run set held = held")
        except psycopg.errors.LockNotAvailable:
            return False
    return True


def test_a_worker_that_does_not_come_back_lets_no_time_pass_before_its_lease_is_over(
    server: Server, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(clock, "PATIENCE_SECONDS", 0.2)
    (taken,) = lease.take(run_id=Run.objects.get().pk)
    with pytest.raises(clock.NotPassed, match="would not let go"):
        clock.age_rows(database_url(), 1)
    Run.objects.filter(pk=taken.run.pk).update(due_at=timezone.now())
    assert clock.age_rows(database_url(), 1)


def test_rows_stay_as_they_are_where_the_others_cannot_grow_older(server: Server):
    def refuse() -> list[str]:
        raise clock.NotPassed("Gumroad is away.")

    with pytest.raises(clock.NotPassed):
        clock.age_rows(database_url(), 24, others=refuse)
    assert Server.objects.get().wanted_at == server.wanted_at


def test_a_table_that_is_not_there_is_said(server: Server):
    said = clock.age_rows(database_url(), 1, ("no_such_table", "servers_server"))
    assert said[0].startswith("no_such_table was left out")
    assert said[1] == "1 row of servers_server grew older"


@pytest.fixture
def odd_tables() -> Iterator[None]:
    """A table with every kind of column that must stay as it is, and one in parts."""
    with psycopg.connect(database_url(), autocommit=True) as db:
        db.execute(
            "create table odd (at timestamptz, none timestamptz, day date, plain timestamp,"
            " later timestamptz generated always as (at) stored);"
            "create table whole (at timestamptz) partition by range (at);"
            "create table part partition of whole for values from ('2020-01-01') to ('2030-01-01');"
            "create view seen as select * from odd;"
            "insert into odd values ('2026-05-02 12:00+00', null, '2026-05-02', '2026-05-02');"
            "insert into whole values ('2026-05-02 12:00+00')"
        )
        try:
            yield
        finally:
            db.execute("drop table odd, whole cascade")


def test_only_moments_of_tables_of_their_own_are_moved(odd_tables: None):
    said = clock.age_rows(database_url(), 36, ("odd", "whole", "part", "seen"))
    assert [line.endswith("grew older") for line in said] == [True, True, False, False]
    with psycopg.connect(database_url()) as db:
        at, none, day, plain, later = db.execute("select * from odd").fetchone()
        (in_part,) = db.execute("select at from part").fetchone()
    moved = datetime(2026, 5, 1, tzinfo=UTC)
    assert (at, none, later, in_part) == (moved, None, moved, moved)
    assert (day.isoformat(), plain.isoformat()) == ("2026-05-02", "2026-05-02T00:00:00")


def test_all_tables_grow_older_or_none(server: Server):
    with psycopg.connect(database_url()) as db:
        before = db.execute("select wanted_at from servers_server").fetchone()
        with pytest.raises(clock.NotPassed, match="refused"):
            clock.age_rows(database_url(), 1, ("servers_server", "audit_event"))
        assert db.execute("select wanted_at from servers_server").fetchone() == before


def test_a_deadlock_with_a_worker_is_tried_again(monkeypatch: pytest.MonkeyPatch):
    answers = [psycopg.errors.DeadlockDetected(), psycopg.errors.LockNotAvailable(), ["older"]]

    def once(*_: object) -> list[str]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(clock, "_age_once", once)
    assert clock.age_rows("", 1) == ["older"]
    monkeypatch.setattr(clock, "PATIENCE_SECONDS", 0.1)
    answers += [psycopg.errors.DeadlockDetected()] * 900
    with pytest.raises(clock.NotPassed):
        clock.age_rows("", 1)


def test_a_database_that_is_away_stops_all_of_time():
    aged: list[float] = []
    with pytest.raises(clock.NotPassed) as refused:
        clock.age_rows("psql://alice:secret-word@nowhere", 1)
    assert "secret-word" not in str(refused.value)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nowhere = f"postgresql://alice:secret-word@127.0.0.1:{taken.getsockname()[1]}/mailat"
        browser = shown(nowhere, aged)
        answer = browser.post("/clock/pass", json={"hours": 2})
        page = browser.post("/clock", data={"hours": 2})
    assert (answer.status_code, page.status_code, aged) == (503, 503, [])
    assert "no time has passed" in page.text
    assert "secret-word" not in answer.text + page.text


def test_a_clock_that_stands_or_runs_back_is_refused():
    aged: list[float] = []
    browser = shown("", aged)
    for hours in (0, -1, "x", 1e9, None, "nan", [1]):
        assert browser.post("/clock/pass", json={"hours": hours}).status_code == 400
        assert browser.post("/clock", data={"hours": str(hours)}).status_code == 400
    assert browser.post("/clock/pass", json=[2]).status_code == 400
    assert browser.post("/clock/pass", json={"hours": 2}).json["happened"][0].startswith("No database")
    assert "1 hour has passed" in browser.post("/clock", data={"hours": "1"}).text
    assert aged == [7200, 3600]


def shown(database: str, aged: list[float]) -> FlaskClient:
    """The clock in a browser; the seconds by which Gumroad was made older are put into the list."""
    app = flask.Flask("clock", root_path=str(Path(clock.__file__).parent))
    app.register_blueprint(clock.blueprint(database, lambda seconds: aged.append(seconds) or ["Gumroad too"]))
    return app.test_client()


def test_the_audit_log_would_refuse_to_grow_older(server: Server):
    with psycopg.connect(database_url()) as db, pytest.raises(psycopg.Error):
        db.execute("update audit_event set at = at - interval '1 day'")
