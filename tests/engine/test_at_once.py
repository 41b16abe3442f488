"""A row and its run are written together, and in a crowd not everybody knocks."""

import pytest
from django.db import IntegrityError, transaction

from billing.models import Ping
from billing.programs import ApplyPing
from engine import lease
from engine.at_once import Crowd, insert_with_run
from engine.models import Run
from engine.program import Program


class Unnamed(Program):
    """Has no name that a run could bear."""

    first = "x" * 300


@pytest.mark.django_db
def test_the_row_is_there_as_it_was_given_and_its_run_is_due():
    ping = Ping(body=b"a=\x00\xff", content_type="form", note="“noted”")
    run_id = insert_with_run(ping, ApplyPing, subject="ping:")
    kept = Ping.objects.get(pk=ping.pk)
    assert (bytes(kept.body), kept.note, kept.became) == (b"a=\x00\xff", "“noted”", Ping.Became.NEW)
    assert kept.received_at == ping.received_at
    run = Run.objects.get(pk=run_id)
    assert (run.program, run.subject, run.step, run.args) == ("ApplyPing", ping.subject, "read", {})
    assert [taken.run.pk for taken in lease.take()] == [run_id]


@pytest.mark.django_db
def test_neither_is_there_without_the_other():
    with pytest.raises(Exception, match="too long") as refused, transaction.atomic():
        insert_with_run(Ping(body=b"x"), Unnamed, subject="ping:")
    assert refused.type.__module__ == IntegrityError.__module__
    assert not Ping.objects.exists()


def test_one_in_a_while_knocks():
    now = [100.0]
    crowd = Crowd(0.05, lambda: now[0])
    assert [crowd.may_knock() for _ in range(3)] == [True, False, False]
    now[0] += 0.06
    assert crowd.may_knock()


@pytest.mark.django_db
def test_the_knock_is_for_the_run_and_after_the_commit(monkeypatch, django_capture_on_commit_callbacks):
    knocks: list[int] = []
    monkeypatch.setattr("engine.at_once.knock", knocks.append)
    monkeypatch.setattr("engine.at_once.crowd", Crowd(60.0))
    with django_capture_on_commit_callbacks(execute=True):
        first = insert_with_run(Ping(body=b"x"), ApplyPing, subject="ping:")
        insert_with_run(Ping(body=b"y"), ApplyPing, subject="ping:")
        assert knocks == []
    assert knocks == [first]
