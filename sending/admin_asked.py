"""What owners asked of Amazon, for staff who help them. Whom a suppression list names is not read from the database here."""

from typing import Any

from django.contrib import admin
from django.db.models import Func, IntegerField, QuerySet
from django.http import HttpRequest

from audit import staff_words as words
from audit.staff_lists import OfHome
from engine import staff_words
from sending.models import Suppression, Tester


@admin.register(Suppression)
class SuppressionList(OfHome):
    order = ("-asked_at", "home")
    list_display = ("of_home", "of_account", "status", "number", "whom", "asked")
    fields = ("of_home", "of_account", "status", "number", "whom", "asked", "read", "runs")
    list_select_related = ("account",)
    search_fields = ("by",)
    nothing = "No list is kept: each leaves within an hour."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        length = Func("entries", function="jsonb_array_length", output_field=IntegerField())
        return super().get_queryset(request).defer("entries").annotate(length=length)

    @admin.display(description="state")
    def status(self, row: Suppression) -> str:
        if row.trouble:
            return words.mark(str(row.trouble.get("code", "")), "bad")
        return words.mark("read", "good") if row.read_at else words.mark("being read", "warn")

    @admin.display(description="addresses")
    def number(self, row: Any) -> str:
        return f"{row.length}{', and more at Amazon' if row.more else ''}"

    @admin.display(description="asked for")
    def asked(self, row: Suppression) -> str:
        return words.moment(row.asked_at)

    @admin.display(description="read")
    def read(self, row: Suppression) -> str:
        return words.moment(row.read_at)

    def runs(self, row: Suppression) -> str:
        return staff_words.runs(f"suppression:{row.pk}")


@admin.register(Tester)
class TesterList(OfHome):
    order = ("-asked_at", "id")
    list_display = ("address", "status", "of_account", "of_home", "region", "whom", "asked")
    fields = (
        "address",
        "status",
        "of_account",
        "of_home",
        "region",
        "whom",
        "asked",
        "read",
        "proven",
        "runs",
        "id",
    )
    list_select_related = ("account",)
    search_fields = ("address",)
    nothing = "No address is like that."

    @admin.display(description="state")
    def status(self, row: Tester) -> str:
        if row.trouble:
            facts = row.trouble.get("facts", {})
            return words.mark(f"{row.trouble.get('code', '')} {facts.get('action', '')}".strip(), "bad")
        return words.mark("proven", "good") if row.verified_at else words.mark("waits", "warn")

    @admin.display(description="asked for")
    def asked(self, row: Tester) -> str:
        return words.moment(row.asked_at)

    @admin.display(description="last looked at")
    def read(self, row: Tester) -> str:
        return words.moment(row.read_at)

    @admin.display(description="proven")
    def proven(self, row: Tester) -> str:
        return words.moment(row.verified_at)

    def runs(self, row: Tester) -> str:
        return staff_words.runs(f"tester:{row.pk}")
