"""One line of JSON for each thing that happened, with the request or the run that it belongs to."""

import logging.config
from typing import Any

from audit.context import current


class Work(logging.Filter):
    """Puts the current request or run on each record."""

    def filter(self, record: logging.LogRecord) -> bool:
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
