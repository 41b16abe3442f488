"""Celery carries knocks; this file holds the one list of things driven by the clock."""

import contextlib
import os
from pathlib import Path
from urllib.parse import urlsplit

from celery import Celery
from celery.schedules import crontab, schedule
from celery.signals import beat_init, celeryd_init, setup_logging
from django.conf import settings
from kombu.transport import TRANSPORT_ALIASES

from mailat import starting

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mailat.settings")

app = Celery("mailat")


def broker(url: str) -> dict[str, object]:
    """Settings for the broker: Redis in production, a directory where there is none."""
    if not url.startswith("filesystem://"):
        timeouts = {"socket_timeout": 5, "socket_connect_timeout": 3, "visibility_timeout": 300}
        # Kombu would wait six seconds for a Redis that is away, and with it whoever knocks; the clock finds what was not told.
        return {"broker_url": url, "broker_transport_options": {**timeouts, "max_retries": 0}}
    TRANSPORT_ALIASES["filesystem"] = "mailat.knocks:Transport"
    folder = Path(urlsplit(url).path)
    for name in ("knocks", "control"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    options = {
        "data_folder_in": str(folder / "knocks"),
        "data_folder_out": str(folder / "knocks"),
        "control_folder": str(folder / "control"),
        "polling_interval": 0.05,
    }
    return {"broker_url": "filesystem://", "broker_transport_options": options}


app.conf.update(
    **broker(settings.BROKER_URL),
    task_default_queue="mailat",
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    task_publish_retry=False,
    broker_connection_timeout=3,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    worker_prefetch_multiplier=1,
    worker_redirect_stdouts=False,
    worker_send_task_events=False,
    worker_enable_remote_control=False,
    task_soft_time_limit=None,
    timezone="UTC",
    beat_schedule={
        "what is due": {"task": "engine.tick", "schedule": schedule(settings.ENGINE_TICK_SECONDS)},
        "tell staff of alarms": {"task": "accounts.tell_staff", "schedule": schedule(60)},
        "servers not heard of": {"task": "servers.look_at_health", "schedule": schedule(20)},
        "machines nobody knows": {"task": "servers.reap", "schedule": schedule(900)},
        "a fresh image to begin with": {"task": "servers.want_image", "schedule": schedule(3600)},
        "thin the metrics": {"task": "servers.thin_metrics", "schedule": schedule(1800)},
        "keys of the vault": {"task": "vault.look_at_keys", "schedule": schedule(300)},
        "old runs leave": {"task": "engine.forget_finished", "schedule": crontab(hour="3", minute="10")},
        "old links leave": {"task": "accounts.forget_links", "schedule": crontab(minute="20")},
        "counts that are over leave": {"task": "accounts.forget_counts", "schedule": schedule(300)},
        "removed mailboxes leave": {"task": "domains.purge", "schedule": schedule(300)},
        "what Amazon told leaves": {"task": "sending.forget", "schedule": crontab(hour="3", minute="40")},
        "trash of the backups": {"task": "backups.empty_trash", "schedule": schedule(60)},
        "exports leave": {"task": "backups.exports", "schedule": schedule(60)},
        "backups as they should be": {"task": "backups.look", "schedule": schedule(300)},
        "tell owners of backups": {"task": "servers.tell_of_backups", "schedule": schedule(60)},
        "the bucket beside its inventory": {
            "task": "backups.compare",
            "schedule": crontab(hour="1", minute="30"),
        },
        "suppression lists leave": {"task": "sending.forget_suppressed", "schedule": schedule(300)},
        "old faults leave": {"task": "audit.forget_faults", "schedule": crontab(hour="3", minute="50")},
        "Gumroad beside what we hold": {
            "task": "billing.reconcile",
            "schedule": crontab(hour="4", minute="20"),
        },
        "who may have come back": {"task": "billing.look", "schedule": schedule(300)},
        "audit months": {"task": "audit.turn_months", "schedule": crontab(hour="2", minute="5")},
    },
)
app.autodiscover_tasks(
    ["engine", "vault", "accounts", "domains", "backups", "servers", "sending", "billing", "audit"]
)


@celeryd_init.connect
def look_at_keys(**_: object) -> None:
    """Before anything is set up, so that a worker that could not open what it is for says so and ends."""
    starting.worker()


@beat_init.connect
def look_at_secret(**_: object) -> None:
    starting.clock()


@beat_init.connect
def look_at_once(**_: object) -> None:
    """What nobody should wait for is looked at when we start as well; without a broker its next time will do."""
    with contextlib.suppress(Exception):
        app.send_task("servers.want_image")
        app.send_task("vault.look_at_keys")
        app.send_task("billing.listen")
        app.send_task("backups.empty_trash")  # before which there may be no bucket


@setup_logging.connect
def keep_our_logging(**_: object) -> None:
    """Celery would set up logging of its own; ours is set up with Django."""
