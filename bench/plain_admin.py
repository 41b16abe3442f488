"""The yardstick of `admin`: the same tables in Django's admin as it comes, which counts and skips rows."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from audit.models import Event
from billing.models import Ping
from engine.models import Run


class Plain(admin.ModelAdmin):
    """As many rows and the same columns as ours; all else is Django's default."""

    list_per_page = 50

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        response.using = "plain"  # type: ignore[attr-defined]  # else Unfold's templates come first
        return response


class PlainEvents(Plain):
    list_display = ("at", "action", "by", "subject", "account_id", "reference")
    search_fields = ("subject",)


class PlainRuns(Plain):
    list_display = ("program", "subject", "step", "due_at", "tries", "error", "outcome")
    list_filter = (("finished_at", admin.EmptyFieldListFilter),)


class PlainPings(Plain):
    list_display = ("received_at", "kind", "about", "became", "note", "read_at")
    list_filter = ("became",)


site = admin.AdminSite(name="plain")
site.register(Event, PlainEvents)
site.register(Run, PlainRuns)
site.register(Ping, PlainPings)

urlpatterns = [path("plain/", site.urls), path("", include("mailat.urls"))]
