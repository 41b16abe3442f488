"""Time passes for promises and not for what was seen."""

from datetime import timedelta
from pathlib import Path

import flask
import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Account
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


def test_a_table_that_is_not_there_is_said(server: Server):
    assert clock.age_rows(database_url(), 1, ("no_such_table",)) == ["no_such_table does not exist here"]


def test_a_clock_that_stands_or_runs_back_is_refused():
    app = flask.Flask("clock", root_path=str(Path(clock.__file__).parent))
    aged: list[float] = []
    app.register_blueprint(clock.blueprint("", lambda seconds: aged.append(seconds) or []))
    browser = app.test_client()
    for hours in (0, -1, "x", 1e9):
        assert browser.post("/clock/pass", json={"hours": hours}).status_code == 400
    assert browser.post("/clock/pass", json={"hours": 2}).status_code == 200
    assert aged == [7200]


def test_the_audit_log_would_refuse_to_grow_older(server: Server):
    with psycopg.connect(database_url()) as db, pytest.raises(psycopg.Error):
        db.execute("update audit_event set at = at - interval '1 day'")
