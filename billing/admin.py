"""Money: what is paid for, and every ping with what became of it."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from audit import staff_words as words
from audit.staff_lists import ACT_AT_ONCE, Choice, StaffList, as_number, as_uuid, staff
from billing import pings
from billing.actions import read_again
from billing.models import Ping, Subscription

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


@admin.register(Ping)
class PingList(StaffList):
    order = ("-received_at", "-id")
    list_display = ("received", "kind", "about", "became", "note", "read")
    fields = (
        "id",
        "received",
        "kind",
        "about",
        "became",
        "note",
        "read",
        "content_type",
        "shown_body",
        "runs",
        "events",
    )
    list_filter = (PingState,)
    search_fields = ("about",)
    search_help_text = "A sale's or a subscription's id at Gumroad, or a ping's number"
    actions = ("read_once_more",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("body")

    def found(self, term: str) -> Q | None:
        number = as_number(term.removeprefix("ping:"))
        return Q(pk=number) if number is not None else Q(about=term)

    @admin.action(description="Read again", permissions=["act"])
    def read_once_more(self, request: HttpRequest, chosen: QuerySet[Ping]) -> None:
        several = list(chosen[:ACT_AT_ONCE])
        for ping in several:
            read_again(ping=ping, by=staff(request))
        self.message_user(request, f"{len(several)} will be read again.", messages.SUCCESS)

    @admin.display(description="received")
    def received(self, ping: Ping) -> str:
        return words.moment(ping.received_at)

    @admin.display(description="read")
    def read(self, ping: Ping) -> str:
        return words.moment(ping.read_at)

    @admin.display(description="as it came")
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

    def runs(self, ping: Ping) -> str:
        return words.list_link("engine.run", "the run that reads it", q=ping.subject, state="all")

    def events(self, ping: Ping) -> str:
        return words.list_link("audit.event", "its events", q=ping.subject)


class SubscriptionState(Choice):
    title = "status"
    parameter_name = "state"
    choices_by_word = {
        "all": ("all", Q),
        **{word.value: (word.label, lambda word=word: Q(status=word)) for word in Subscription.Status},
    }


@admin.register(Subscription)
class SubscriptionList(StaffList):
    order = ("-began_at", "-id")
    list_display = ("email", "plan", "status", "of_account", "of_server", "began", "ends", "ended")
    fields = (
        "id", "gumroad_id", "email", "plan", "recurrence", "status", "of_account", "of_server",
        "began", "ends", "ended", "ended_reason", "checked", "pings_about_it", "alarms", "events",
    )  # fmt: skip
    list_filter = (SubscriptionState,)
    list_select_related = ("account", "server")
    search_fields = ("gumroad_id",)
    search_help_text = "Gumroad's id, or a subscription's or an account's id"

    def found(self, term: str) -> Q | None:
        one = as_uuid(term.removeprefix("subscription:"))
        return Q(pk=one) | Q(account_id=one) if one else Q(gumroad_id=term)

    @admin.display(description="account")
    def of_account(self, row: Subscription) -> str:
        return words.link(row.account)

    @admin.display(description="server")
    def of_server(self, row: Subscription) -> str:
        return words.link(row.server)

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
        return words.list_link("billing.ping", "pings about it", q=row.gumroad_id)

    def alarms(self, row: Subscription) -> str:
        return words.list_link("engine.alarm", "its alarms", q=row.subject, state="all")

    def events(self, row: Subscription) -> str:
        return words.list_link("audit.event", "its events", q=row.subject)
