"""What the clock asks of the fleet."""

import logging

from celery import shared_task
from django.conf import settings

from clients.errors import TryLater
from engine import actions as engine
from servers import backup_letters, health, hetzner, images, metrics, reaper, troubles
from servers.programs.bake_image import BakeImage

log = logging.getLogger("servers")


@shared_task(name="servers.look_at_health", ignore_result=True, expires=60)
def look_at_health() -> None:
    """Who is late, who is lost, and whose services have been away for long."""
    health.look()
    troubles.tell_of_lasting()


@shared_task(name="servers.tell_of_backups", ignore_result=True, expires=60)
def tell_of_backups() -> None:
    """Owners hear of alarms of their backups."""
    backup_letters.tell()


@shared_task(name="servers.reap", ignore_result=True, expires=600)
def reap() -> None:
    """The inventory; if Hetzner cannot be asked now, the next round will."""
    try:
        reaper.reap()
    except TryLater as error:
        hetzner.note_failure(error)
        log.info("no inventory this time: %s", error)


@shared_task(name="servers.want_image", ignore_result=True, expires=600)
def want_image() -> None:
    """There is an image of the current version, and it is fresh; else one is made. What Hetzner has counts.

    Where none is to be made, those that are there are used all the same.
    """
    try:
        images.look()
    except TryLater as error:
        hetzner.note_failure(error)
        log.info("no look at the images this time: %s", error)
        return
    if settings.IMAGE_BAKING and not images.is_fresh():
        engine.start(BakeImage, subject=images.subject())


@shared_task(name="servers.thin_metrics", ignore_result=True)
def thin_metrics() -> None:
    """Old figures are thinned, and the coming days get their tables."""
    metrics.keep_partitions()
