"""The product's settings, and beside its staff pages Django's own admin, drawn with Django's own templates."""

from pathlib import Path

from django.contrib import admin

from mailat.settings import *  # noqa: F403
from mailat.settings import TEMPLATES as OURS

ROOT_URLCONF = "bench.plain_admin"
PLAIN = {
    **OURS[0],
    "NAME": "plain",
    "DIRS": [Path(admin.__file__).parent / "templates"],
    "APP_DIRS": False,
}
TEMPLATES = [{**OURS[0], "NAME": "ours"}, PLAIN]
STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
