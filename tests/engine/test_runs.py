"""A program walks its steps, waits without being lost, and survives whatever stops its worker."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from clients.errors import TryLater
from engine import actions, alarms, lease, tasks, worker
from engine.models import Alarm, Run, StepTaken
from engine.program import Nap
from tests.engine.programs import HOOKS, Fail, Late, Wait, Walk

pytestmark = pytest.mark.django_db


def start(program, **more) -> Run:
    return Run.objects.get(pk=actions.start(program, subject="thing:1", **more))


def work(run: Run) -> Run:
    worker.work(run.pk)
    run.refresh_from_db()
    return run


def make_due(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(due_at=timezone.now() - timedelta(seconds=1))


def test_a_program_walks_from_its_first_step_to_its_end():
    run = work(start(Walk))
    assert run.args["trace"] == ["begin", "middle", "end"]
    assert (run.outcome, run.due_at, run.held) == ("walked", None, False)
    assert [one.step for one in StepTaken.objects.order_by("id")] == ["begin", "middle", "end"]


def test_starting_twice_is_one_run():
    assert start(Wait).pk == start(Wait).pk


def test_a_finished_program_may_be_started_anew():
    first = work(start(Walk))
    assert start(Walk).pk != first.pk


def test_a_nap_is_not_taken_before_its_time():
    run = work(start(Wait))
    assert lease.take(run_id=run.pk) == []


def test_a_signal_wakes_a_napping_run():
    run = work(start(Wait))
    actions.signal("bell", subject="thing:1")
    assert work(run).outcome == "heard"


def test_a_signal_said_twice_is_one():
    run = work(start(Wait))
    actions.signal("bell", subject="thing:1")
    actions.signal("bell", subject="thing:1")
    assert run.signals.count() == 1


def test_a_wake_up_during_a_step_is_not_lost():
    """The step looked before the bell rang and then went to sleep: it looks again at once."""
    HOOKS["ring"] = lambda: actions.signal("bell", subject="thing:1")
    run = work(start(Wait, args={"during": "ring"}))
    assert run.outcome == "heard"


def test_a_run_started_again_during_its_last_step_takes_that_step_again():
    run = start(Walk)
    (taken,) = lease.take(run_id=run.pk)
    taken.run.step = "end"
    Run.objects.filter(pk=run.pk).update(step="end")
    assert actions.start(Walk, subject="thing:1") == run.pk
    assert worker.advance(taken) is False
    run.refresh_from_db()
    assert run.finished_at is None
    assert run.due_at <= timezone.now()


def test_a_run_in_a_workers_hands_is_not_taken_by_another():
    run = start(Wait)
    assert len(lease.take(run_id=run.pk)) == 1
    assert lease.take(run_id=run.pk) == []


def test_a_waking_run_in_a_workers_hands_stays_there():
    run = start(Wait)
    lease.take(run_id=run.pk)
    actions.wake(subject="thing:1")
    assert lease.take(run_id=run.pk) == []


def test_the_retry_is_booked_when_the_run_is_taken(settings):
    settings.ENGINE_LEASE_SECONDS = 30
    run = start(Wait)
    before = timezone.now()
    lease.take(run_id=run.pk)
    after = timezone.now()
    run.refresh_from_db()
    assert before <= run.due_at - timedelta(seconds=30) <= after


def test_a_run_whose_worker_died_is_taken_again_when_the_lease_is_over():
    run = start(Walk)
    lease.take(run_id=run.pk)  # and this worker is never heard of again
    make_due(run)
    assert work(run).outcome == "walked"


def test_a_worker_that_lost_its_lease_may_not_settle():
    run = start(Walk)
    (slow,) = lease.take(run_id=run.pk)
    make_due(run)
    (quick,) = lease.take(run_id=run.pk)
    assert worker.advance(slow) is False
    run.refresh_from_db()
    assert (run.step, run.args) == ("begin", {})
    assert worker.advance(quick) is True


def test_a_step_that_lost_its_lease_keeps_none_of_its_writes():
    run = start(Wait, args={"during": "write"})
    HOOKS["write"] = lambda: alarms.open_alarm(
        key="written", subject="x", says="written by a step that lost its lease"
    )
    (slow,) = lease.take(run_id=run.pk)
    make_due(run)
    lease.take(run_id=run.pk)
    worker.advance(slow)
    assert not Alarm.objects.filter(key="written").exists()


def test_a_failure_that_says_when_is_tried_then_and_alarms_nobody():
    Fail.error = TryLater("busy", retry_after=77)
    run = start(Fail)
    before = timezone.now()
    run = work(run)
    assert run.error == "TryLater: busy"
    assert before <= run.due_at - timedelta(seconds=77) <= timezone.now()
    assert not Alarm.objects.exists()


def test_another_failure_backs_off_and_alarms_once_when_it_goes_on():
    Fail.error = ZeroDivisionError("no")
    run = start(Fail)
    assert list(worker.BACKOFF_SECONDS) == sorted(set(worker.BACKOFF_SECONDS))
    for _ in range(worker.ALARM_AFTER + 1):
        before = timezone.now()
        run = work(run)
        pause = timedelta(seconds=worker.BACKOFF_SECONDS[run.tries - 1])
        assert before <= run.due_at - pause <= timezone.now()
        make_due(run)
    assert run.tries > worker.ALARM_AFTER
    assert Alarm.objects.get().key == f"run:{run.pk}:fails"


def test_the_alarm_of_a_failing_run_closes_when_it_succeeds():
    Fail.error = ZeroDivisionError("no")
    run = start(Fail)
    for _ in range(worker.ALARM_AFTER):
        work(run)
        make_due(run)
    Fail.error = None
    work(run)
    assert Alarm.objects.get().closed_at is not None


def test_a_missed_deadline_is_one_alarm_that_closes_when_the_step_is_reached():
    run = work(start(Late))
    for _ in range(3):
        alarms.missed_deadlines()
        make_due(run)
        work(run)  # naps once more, and is still late
    assert Alarm.objects.count() == 1
    assert Alarm.objects.get().closed_at is None
    actions.signal("go", subject="thing:1")
    assert work(run).finished_at
    assert Alarm.objects.get().closed_at is not None
    assert alarms.missed_deadlines() == 0


def test_the_tick_finds_what_was_forgotten(monkeypatch):
    run = start(Walk)  # and its knock was lost
    knocked: list[int] = []
    monkeypatch.setattr(actions, "knock", knocked.append)
    tasks.tick()
    assert knocked == [run.pk]


def test_a_knock_that_cannot_be_sent_is_no_failure(monkeypatch):
    def broken(run_id: int) -> None:
        raise tasks.work.OperationalError("no broker")

    monkeypatch.setattr(tasks.work, "delay", broken)
    actions.knock(1)


def test_a_stopped_run_cannot_settle():
    run = start(Walk)
    (taken,) = lease.take(run_id=run.pk)
    assert actions.stop(Walk, subject="thing:1") is True
    assert worker.advance(taken) is False
    run.refresh_from_db()
    assert (run.outcome, run.args) == ("stopped", {})
    assert actions.stop(Walk, subject="thing:1") is False


def test_what_is_usual_is_the_median_of_past_times():
    now = timezone.now()
    run = start(Walk)
    for seconds in (1, 2, 60):
        StepTaken.objects.create(
            run=run, program="Walk", step="begin", began_at=now, ended_at=now + timedelta(seconds=seconds)
        )
    assert actions.usual_seconds("Walk") == {"begin": 2}
    assert actions.usual_seconds("Never") == {}


def test_finished_runs_leave_after_their_time():
    old, young = work(start(Walk)), work(start(Walk))
    Run.objects.filter(pk=old.pk).update(
        finished_at=timezone.now() - actions.FINISHED_KEPT - timedelta(days=1)
    )
    actions.forget_finished()
    assert list(Run.objects.all()) == [young]


def test_finding_what_is_due_reads_an_index_and_not_the_table():
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO engine_run (program, subject, step, args, due_at, began_at, step_since, lease, held, wakes, tries,"
            " error, deadline_step, outcome) SELECT 'Wait', 'sleeper:' || n, 'wait', '{}', now() + interval '1 day', now(),"
            " now(), 0, false, 0, 0, '', '', '' FROM generate_series(1, 20000) AS n"
        )
        cursor.execute("ANALYZE engine_run")
        cursor.execute(
            "EXPLAIN SELECT id FROM engine_run WHERE finished_at IS NULL AND due_at <= now() ORDER BY due_at LIMIT 20"
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "run_due" in plan
    assert "Seq Scan" not in plan


def test_steps_are_sentences():
    run = start(Wait)
    assert Wait(run).wait() == Nap(600)
