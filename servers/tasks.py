"""What the clock asks of the fleet."""

import logging

from celery import shared_task

from clients.errors import TryLater
from servers import health, hetzner, metrics, reaper

log = logging.getLogger("servers")


@shared_task(name="servers.look_at_health", ignore_result=True, expires=60)
def look_at_health() -> None:
    """Who is late, who is lost."""
    health.look()


@shared_task(name="servers.reap", ignore_result=True, expires=600)
def reap() -> None:
    """The inventory; if Hetzner cannot be asked now, the next round will."""
    try:
        reaper.reap()
    except TryLater as error:
        hetzner.note_failure(error)
        log.info("no inventory this time: %s", error)


@shared_task(name="servers.thin_metrics", ignore_result=True)
def thin_metrics() -> None:
    """Old figures are thinned, and the coming days get their tables."""
    metrics.keep_partitions()
