"""One line of JSON for each thing that happened, with the request or the run that it belongs to."""

import logging.config
from typing import Any

from django.http import HttpRequest

from audit.context import current


def hide_path(record: logging.LogRecord) -> None:
    """Django names the path when it refuses or fails a request, and a path may hold a sign-in token: the route will do."""
    request = getattr(record, "request", None)
    if isinstance(request, HttpRequest) and isinstance(record.args, tuple):
        path = request.path.encode("unicode_escape").decode()
        route = request.resolver_match.route if request.resolver_match else "-"
        record.args = tuple(route if arg in (path, request.path) else arg for arg in record.args)
        record.request = route


class Work(logging.Filter):
    """Puts the current request or run on each record."""

    def filter(self, record: logging.LogRecord) -> bool:
        hide_path(record)
        work = current()
        for name, value in work.items():
            setattr(record, name, value)
        record.work = " ".join(f"{name}={value}" for name, value in work.items()) or "-"
        return True


def configure(options: dict[str, Any]) -> None:
    """Called by Django with settings.LOGGING: `format` (json or plain) and `level`."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"work": {"()": Work}},
            "formatters": {
                "plain": {"format": "%(asctime)s %(levelname)s %(name)s [%(work)s] %(message)s"},
                "json": {
                    "()": "pythonjsonlogger.json.JsonFormatter",
                    "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
                    "rename_fields": {"asctime": "at", "levelname": "level", "name": "logger"},
                },
            },
            "handlers": {
                "out": {"class": "logging.StreamHandler", "formatter": options["format"], "filters": ["work"]}
            },
            "root": {"handlers": ["out"], "level": options["level"]},
            "loggers": {
                "django.request": {"level": "ERROR"},
                "django.server": {"level": "WARNING"},
                "celery.app.trace": {"level": "WARNING"},
                "celery.worker.strategy": {"level": "WARNING"},
            },
        }
    )
