"""Money: what is paid for, and every ping with what became of it."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from audit import staff_tables
from audit import staff_words as words
from audit.staff_acts import Act, Order
from audit.staff_lists import Choice, StaffList, as_number, as_uuid
from billing import pings
from billing.actions import read_again
from billing.admin_reconciliation import ASK_AGAIN
from billing.models import Ping, Subscription
from engine import staff_words

HIDDEN = "hidden"
SECRET_FIELDS = {"license_key"}
SHOWN_BYTES = 4000


class PingState(Choice):
    title = "what became of it"
    parameter_name = "state"
    choices_by_word = {
        "all": ("all", Q),
        Ping.Became.PUZZLING.value: ("needs a person", lambda: Q(became=Ping.Became.PUZZLING)),
        Ping.Became.NEW.value: ("not read yet", lambda: Q(became=Ping.Became.NEW)),
        Ping.Became.APPLIED.value: ("applied", lambda: Q(became=Ping.Became.APPLIED)),
        Ping.Became.IGNORED.value: ("nothing to do", lambda: Q(became=Ping.Became.IGNORED)),
    }


def _read_again(ping: Ping, order: Order) -> None:
    read_again(ping=ping, by=order.by, reason=order.reason)


READ_AGAIN = Act(
    name="read_once_more",
    verb="Read again",
    does="The ping is read once more, as if it had just come: Gumroad is asked what is true now, and only that is done.",
    do=_read_again,
)


@admin.register(Ping)
class PingList(StaffList):
    order = ("-received_at", "-id")
    list_display = ("received", "kind", "state", "of_subscription", "note", "about")
    fieldsets = (
        (None, {"fields": ("received", "kind", "state", "note", "read", "about", "of_subscription")}),
        ("Work and trouble", {"fields": ("alarms", "runs", "events")}),
        ("As it came", {"fields": ("id", "content_type", "shown_body")}),
    )
    list_select_related = ("subscription",)
    list_filter = (PingState,)
    search_fields = ("about",)
    search_help_text = "Gumroad's id of a sale or a subscription"
    nothing = "No ping is like that."
    acts = (READ_AGAIN,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("body")

    def found(self, term: str) -> Q | None:
        number = as_number(term.removeprefix("ping:"))
        return Q(pk=number) if number is not None else Q(about=term)

    @admin.display(description="what became of it")
    def state(self, ping: Ping) -> str:
        return words.mark(ping.get_became_display(), TONES[Ping.Became(ping.became)])

    @admin.display(description="subscription")
    def of_subscription(self, ping: Ping) -> str:
        return words.link(ping.subscription)

    @admin.display(description="received")
    def received(self, ping: Ping) -> str:
        return words.moment(ping.received_at)

    @admin.display(description="read")
    def read(self, ping: Ping) -> str:
        return words.moment(ping.read_at)

    @admin.display(description="body")
    def shown_body(self, ping: Ping) -> str:
        """As fields where it can be read, else its beginning; whatever it holds is shown as text."""
        reading = pings.read(bytes(ping.body), ping.content_type)
        if reading.trouble:
            return words.preformatted(
                f"{reading.trouble}\n\n{bytes(ping.body)[:SHOWN_BYTES].decode(errors='replace')}"
            )
        return words.facts(
            {name: HIDDEN if name in SECRET_FIELDS else value for name, value in reading.fields.items()}
        )

    def alarms(self, ping: Ping) -> str:
        return staff_words.alarms(ping.subject)

    def runs(self, ping: Ping) -> str:
        return staff_words.runs(ping.subject)

    def events(self, ping: Ping) -> str:
        return staff_tables.of_subject(ping.subject)


TONES = {
    Ping.Became.NEW: "warn",
    Ping.Became.APPLIED: "good",
    Ping.Became.IGNORED: "calm",
    Ping.Became.PUZZLING: "bad",
}


class SubscriptionState(Choice):
    title = "status"
    parameter_name = "state"
    choices_by_word = {
        "all": ("all", Q),
        **{word.value: (str(word.label), partial(Q, status=word)) for word in Subscription.Status},
    }


@admin.register(Subscription)
class SubscriptionList(StaffList):
    order = ("-began_at", "-id")
    list_display = ("email", "plan", "standing", "of_account", "of_server", "began", "ends", "ended")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "standing",
                    "email",
                    "gumroad_email",
                    "plan",
                    "recurrence",
                    "of_account",
                    "of_server",
                )
            },
        ),
        ("The next charge", {"fields": ("next_plan", "next", "charged", "returned", "money_back")}),
        ("Since when, and until when", {"fields": ("began", "ends", "ended", "ended_reason", "checked")}),
        ("Work and trouble", {"fields": ("alarms", "pings_about_it", "events")}),
        ("Names", {"fields": ("gumroad_id", "id")}),
    )
    list_filter = (SubscriptionState,)
    list_select_related = ("account", "server")
    search_fields = ("gumroad_id",)
    search_help_text = "Gumroad's id, ours, an account's, an address"
    nothing = "No subscription is like that."
    acts = (ASK_AGAIN,)

    def found(self, term: str) -> Q | None:
        one = as_uuid(term.removeprefix("subscription:"))
        if one:
            return Q(pk=one) | Q(account_id=one)
        if "@" in term:
            return Q(email__iexact=term) | Q(gumroad_email__iexact=term)
        return Q(gumroad_id=term)

    @admin.display(description="status")
    def standing(self, row: Subscription) -> str:
        return words.mark(row.get_status_display(), STANDING[Subscription.Status(row.status)])

    @admin.display(description="account")
    def of_account(self, row: Subscription) -> str:
        return words.link(row.account)

    @admin.display(description="server")
    def of_server(self, row: Subscription) -> str:
        return words.link(row.server)

    @admin.display(description="is to be charged")
    def next(self, row: Subscription) -> str:
        return words.moment(row.next_plan_at)

    @admin.display(description="charged last")
    def charged(self, row: Subscription) -> str:
        return words.moment(row.charged_at)

    @admin.display(description="that was heard")
    def money_back(self, row: Subscription) -> str:
        return words.moment(row.returned_at)

    @admin.display(description="began")
    def began(self, row: Subscription) -> str:
        return words.moment(row.began_at)

    @admin.display(description="ends")
    def ends(self, row: Subscription) -> str:
        return words.moment(row.ends_at)

    @admin.display(description="ended")
    def ended(self, row: Subscription) -> str:
        return words.moment(row.ended_at)

    @admin.display(description="Gumroad asked last")
    def checked(self, row: Subscription) -> str:
        return words.moment(row.checked_at)

    @admin.display(description="pings")
    def pings_about_it(self, row: Subscription) -> str:
        rows = list(row.pings.defer("body").order_by("-pk")[: staff_tables.SHOWN])
        cells = [
            (
                words.link(ping, words.moment(ping.received_at)),
                ping.kind,
                ping.get_became_display(),
                ping.note,
            )
            for ping in rows
        ]
        return words.table(("received", "kind", "became", "note"), cells)

    def alarms(self, row: Subscription) -> str:
        return staff_words.alarms(row.subject)

    def events(self, row: Subscription) -> str:
        return staff_tables.of_subject(row.subject)


STANDING = {
    Subscription.Status.ALIVE: "good",
    Subscription.Status.ENDING: "warn",
    Subscription.Status.ENDED: "calm",
}
