"""Celery carries knocks; this file holds the one list of things driven by the clock."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from celery import Celery
from celery.schedules import crontab, schedule
from celery.signals import setup_logging
from django.conf import settings
from kombu.transport import TRANSPORT_ALIASES

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
        "thin the metrics": {"task": "servers.thin_metrics", "schedule": schedule(1800)},
        "old runs leave": {"task": "engine.forget_finished", "schedule": crontab(hour="3", minute="10")},
        "old links leave": {"task": "accounts.forget_links", "schedule": crontab(minute="20")},
        "audit months": {"task": "audit.turn_months", "schedule": crontab(hour="2", minute="5")},
    },
)
app.autodiscover_tasks(["engine", "accounts", "servers", "billing", "audit"])


@setup_logging.connect
def keep_our_logging(**_: object) -> None:
    """Celery would set up logging of its own; ours is set up with Django."""
