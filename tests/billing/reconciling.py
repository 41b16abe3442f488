"""A reconciliation, from its beginning to its receipt."""

from datetime import timedelta

from django.utils import timezone

from billing import actions
from billing.models import Reconciliation
from engine import lease, worker
from engine.models import Alarm, Run


def due() -> Run | None:
    live = Run.objects.filter(program="Reconcile", finished_at=None)
    live.update(due_at=timezone.now() - timedelta(hours=1))
    return live.first()


def step() -> bool:
    """What a worker does until the program rests; false when it has ended."""
    run = due()
    if run is None:
        return False
    for taken in lease.take(run_id=run.pk):
        worker.walk(taken, until=float("inf"))
    return True


def reconciled(steps: int = 300) -> Reconciliation:
    actions.reconcile(by="staff:1", reason="to see")
    for _ in range(steps):
        if not step():
            break
    return Reconciliation.objects.latest("pk")


def receipt(row: Reconciliation) -> tuple[int, int, int, int, str]:
    return row.sales, row.subscriptions, row.repaired, row.puzzling, row.error


def open_alarms() -> list[str]:
    return list(Alarm.objects.filter(closed_at=None).values_list("says", flat=True))
