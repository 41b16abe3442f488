"""What happened, and the evidence: to be read and searched, and nothing else."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from audit import staff_tables
from audit import staff_words as words
from audit.models import Deed, Event, Fault, Receipt
from audit.staff_lists import StaffList, as_number, as_uuid


@admin.register(Event)
class EventList(StaffList):
    list_display = ("when", "action", "whom", "about", "of_account", "refers")
    fieldsets = (
        (None, {"fields": ("when", "action", "who", "subject_page", "account", "shown_facts", "refers")}),
        ("Before and after", {"fields": ("same_subject",)}),
        ("The chain", {"fields": ("id", "seq", "shown_hash", "shown_prev")}),
    )
    search_fields = ("subject",)
    search_help_text = "An account's or server's id, a reference"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("prev_hash", "hash")

    def found(self, term: str) -> Q | None:
        one, number = as_uuid(term), as_number(term)
        if one:
            theirs = Q(account_id=one)
            return theirs if Event.objects.filter(theirs).exists() else Q(subject=f"server:{one}")
        if number is not None:
            return Q(pk=number) | Q(reference=term)
        return Q(subject=term) if ":" in term else Q(reference=term)

    @admin.display(description="at")
    def when(self, event: Event) -> str:
        return words.moment(event.at)

    @admin.display(description="by")
    def whom(self, event: Event) -> str:
        return words.subject_link(event.by, brief=True)

    @admin.display(description="by")
    def who(self, event: Event) -> str:
        return words.subject_link(event.by)

    @admin.display(description="subject")
    def about(self, event: Event) -> str:
        return words.subject_link(event.subject, brief=True)

    @admin.display(description="subject")
    def subject_page(self, event: Event) -> str:
        return words.subject_link(event.subject)

    @admin.display(description="account")
    def of_account(self, event: Event) -> str:
        return words.account_link(event.account_id, brief=True)

    def account(self, event: Event) -> str:
        return words.account_link(event.account_id)

    @admin.display(description="run or request")
    def refers(self, event: Event) -> str:
        return words.reference_link(event.reference)

    @admin.display(description="of the same subject")
    def same_subject(self, event: Event) -> str:
        return staff_tables.of_subject(event.subject) if event.subject else words.NOTHING

    @admin.display(description="facts")
    def shown_facts(self, event: Event) -> str:
        return words.facts(event.facts)

    @admin.display(description="hash")
    def shown_hash(self, event: Event) -> str:
        return bytes(event.hash or b"").hex()

    @admin.display(description="hash before it")
    def shown_prev(self, event: Event) -> str:
        return bytes(event.prev_hash or b"").hex()


@admin.register(Receipt)
class ReceiptList(StaffList):
    order = ("-issued_at", "-id")
    list_display = ("issued", "about", "of_account", "key")
    fields = ("id", "issued", "subject_page", "account", "shown_text", "key", "signature")
    search_fields = ("subject",)
    search_help_text = "A server's, an account's or a receipt's id"
    nothing = "No receipt has been issued yet."

    def found(self, term: str) -> Q | None:
        one = as_uuid(term)
        return Q(account_id=one) | Q(pk=one) | Q(subject=f"server:{one}") if one else Q(subject=term)

    @admin.display(description="issued at")
    def issued(self, receipt: Receipt) -> str:
        return words.moment(receipt.issued_at)

    @admin.display(description="subject")
    def about(self, receipt: Receipt) -> str:
        return words.subject_link(receipt.subject, brief=True)

    @admin.display(description="subject")
    def subject_page(self, receipt: Receipt) -> str:
        return words.subject_link(receipt.subject)

    @admin.display(description="account")
    def of_account(self, receipt: Receipt) -> str:
        return words.account_link(receipt.account_id, brief=True)

    def account(self, receipt: Receipt) -> str:
        return words.account_link(receipt.account_id)

    @admin.display(description="text")
    def shown_text(self, receipt: Receipt) -> str:
        return words.preformatted(receipt.text)


@admin.register(Deed)
class DeedList(StaffList):
    order = ("-at", "-once")
    list_display = ("when", "title", "whom", "reason", "rows")
    fields = ("when", "title", "whom", "reason", "became", "act", "once")
    search_fields = ("by",)
    search_help_text = "staff:<number>, a person's number, or the id of what was done"
    nothing = "Staff have done nothing yet."

    def found(self, term: str) -> Q | None:
        if as_number(term) is not None:
            return Q(by=f"staff:{term}")
        return Q(pk=as_uuid(term)) if as_uuid(term) else Q(by=term)

    @admin.display(description="at")
    def when(self, deed: Deed) -> str:
        return words.moment(deed.at)

    @admin.display(description="by")
    def whom(self, deed: Deed) -> str:
        return words.subject_link(deed.by)

    @admin.display(description="with how many")
    def rows(self, deed: Deed) -> str:
        done = sum(not one["why_not"] for one in deed.told)
        return str(done) if done == len(deed.told) else f"{done} of {len(deed.told)}"

    @admin.display(description="with what")
    def became(self, deed: Deed) -> str:
        cells = ((_row_link(one), one["why_not"] or "done") for one in deed.told[: words.MOST])
        return words.table(("row", "became"), cells)


def _row_link(one: dict[str, str]) -> str:
    model, _colon, key = one["row"].partition(":")
    return words.row_link(model, key, one["name"])


@admin.register(Fault)
class FaultList(StaffList):
    """What people were told they may quote to us. Of what was asked and said nothing is kept."""

    order = ("-at", "-id")
    list_display = ("when", "error", "route", "place", "whom", "reference")
    fields = ("when", "reference", "error", "place", "method", "route", "whom", "events", "id")
    search_fields = ("reference",)
    search_help_text = "The reference that the page showed, whole"
    nothing = "Nothing broke."

    def found(self, term: str) -> Q | None:
        return Q(reference=term)

    @admin.display(description="at")
    def when(self, fault: Fault) -> str:
        return words.moment(fault.at)

    @admin.display(description="signed in")
    def whom(self, fault: Fault) -> str:
        return words.subject_link(fault.by)

    @admin.display(description="events of the same request")
    def events(self, fault: Fault) -> str:
        return staff_tables.events(Q(reference=fault.reference), q=fault.reference)
