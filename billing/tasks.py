"""What the clock asks of billing."""

from celery import shared_task

from billing import last_look, listening, reconcile
from engine import actions as engine


@shared_task(name="billing.reconcile", ignore_result=True)
def reconcile_now() -> None:
    """Each night what we hold is compared with what Gumroad tells."""
    engine.start(reconcile.Reconcile, subject=reconcile.SUBJECT)


@shared_task(name="billing.listen", ignore_result=True)
def listen() -> None:
    """Whenever the clock starts, for then our address or its secret may be another one."""
    engine.start(listening.Listen, subject=listening.SUBJECT)


@shared_task(name="billing.look", ignore_result=True, expires=240)
def look() -> None:
    """Whether reconciliations succeed; and whoever is about to lose a server is asked about once more."""
    reconcile.watch()
    last_look.look_before_the_end()
