"""The engine's doors for Celery: a message carries the id of a run that may be due, and nothing else."""

from celery import shared_task

from engine import actions, alarms, worker

KNOCKS_A_TICK = 8


@shared_task(name="engine.work", acks_late=True, ignore_result=True)
def work(run_id: int) -> None:
    """Works this run if it is due, and what else is."""
    worker.work(run_id)


@shared_task(name="engine.tick", ignore_result=True, expires=60)
def tick() -> None:
    """Knocks what came due by time or was forgotten, and looks at the deadlines."""
    for run_id in actions.due(KNOCKS_A_TICK):
        actions.knock(run_id)
    alarms.missed_deadlines()


@shared_task(name="engine.forget_finished", ignore_result=True)
def forget_finished() -> None:
    """Runs that ended long ago leave the table; the audit log remembers what they did."""
    actions.forget_finished()
