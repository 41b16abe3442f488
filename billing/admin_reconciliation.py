"""Receipts of what was compared with Gumroad, and the button that has it done now."""

from django.contrib import admin
from django.db.models import Q

from audit import staff_words as words
from audit.staff_acts import Act, Order
from audit.staff_lists import Choice, StaffList, as_number
from billing.actions import ask_again, reconcile
from billing.models import Reconciliation, Subscription
from engine import staff_words


def _reconcile(row: Reconciliation, order: Order) -> None:
    reconcile(by=order.by, reason=order.reason)


def _ask_again(row: Subscription, order: Order) -> None:
    ask_again(subscription=row, by=order.by, reason=order.reason)


RECONCILE = Act(
    name="reconcile_now",
    verb="Reconcile now",
    does="What we hold is compared with what Gumroad tells, as each night: what pings missed is repaired. One that is "
    "under way goes on; a new receipt stands in this list.",
    do=_reconcile,
)
ASK_AGAIN = Act(
    name="ask_gumroad",
    verb="Ask Gumroad now",
    does="Gumroad is asked where the subscription stands and what its newest charge was for, and what has changed is "
    "carried out.",
    do=_ask_again,
)


class Ended(Choice):
    title = "how it ended"
    parameter_name = "state"
    choices_by_word = {
        "all": ("all", Q),
        "trouble": ("with trouble", lambda: ~Q(error="")),
        "puzzling": ("something needs a person", lambda: Q(puzzling__gt=0)),
    }


@admin.register(Reconciliation)
class ReconciliationList(StaffList):
    order = ("-began_at", "-id")
    list_display = ("began", "state", "sales", "subscriptions", "repaired", "puzzling", "error")
    fieldsets = (
        (None, {"fields": ("state", "began", "ended", "by", "since", "error")}),
        ("What it came to", {"fields": ("sales", "subscriptions", "repaired", "puzzling", "puzzled_since")}),
        ("Trouble", {"fields": ("alarms",)}),
    )
    list_filter = (Ended,)
    search_fields = ("id",)
    search_help_text = "its number"
    nothing = (
        "Nothing was compared with Gumroad yet. The first time is within an hour after the clock starts."
    )
    acts = (RECONCILE,)

    def found(self, term: str) -> Q | None:
        number = as_number(term.removeprefix("reconciliation:"))
        return None if number is None else Q(pk=number)

    @admin.display(description="how it ended")
    def state(self, row: Reconciliation) -> str:
        if row.ended_at is None:
            return words.mark("waits" if row.error else "under way", "warn")
        if row.error:
            return words.mark("given up", "bad")
        return words.mark("needs a person", "warn") if row.puzzling else words.mark("all is well", "good")

    @admin.display(description="began")
    def began(self, row: Reconciliation) -> str:
        return words.moment(row.began_at)

    @admin.display(description="ended")
    def ended(self, row: Reconciliation) -> str:
        return words.moment(row.ended_at)

    def alarms(self, row: Reconciliation) -> str:
        return staff_words.alarms(row.subject)
