"""What happened, and the evidence: to be read and searched, and nothing else."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from audit import staff_words as words
from audit.models import Event, Receipt
from audit.staff_lists import StaffList, as_number, as_uuid


@admin.register(Event)
class EventList(StaffList):
    list_display = ("when", "action", "by", "about", "account", "reference")
    fields = (
        "id",
        "when",
        "action",
        "by",
        "about",
        "account",
        "shown_facts",
        "reference",
        "seq",
        "shown_hash",
        "shown_prev",
    )
    search_fields = ("subject",)
    search_help_text = "An account's id, a subject such as server:<id>, a reference, or an event's number"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("prev_hash", "hash")

    def found(self, term: str) -> Q | None:
        account, number = as_uuid(term), as_number(term)
        if account:
            return Q(account_id=account)
        if number is not None:
            return Q(pk=number) | Q(reference=term)
        return Q(subject=term) if ":" in term else Q(reference=term)

    @admin.display(description="at")
    def when(self, event: Event) -> str:
        return words.moment(event.at)

    @admin.display(description="subject")
    def about(self, event: Event) -> str:
        return words.subject_link(event.subject)

    def account(self, event: Event) -> str:
        return words.account_link(event.account_id)

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
    list_display = ("issued", "about", "account", "key")
    fields = ("id", "issued", "about", "account", "shown_text", "key", "signature")
    search_fields = ("subject",)
    search_help_text = "An account's or a receipt's id, or a subject such as server:<id>"

    def found(self, term: str) -> Q | None:
        one = as_uuid(term)
        return Q(account_id=one) | Q(pk=one) if one else Q(subject=term)

    @admin.display(description="issued at")
    def issued(self, receipt: Receipt) -> str:
        return words.moment(receipt.issued_at)

    @admin.display(description="subject")
    def about(self, receipt: Receipt) -> str:
        return words.subject_link(receipt.subject)

    def account(self, receipt: Receipt) -> str:
        return words.account_link(receipt.account_id)

    @admin.display(description="text")
    def shown_text(self, receipt: Receipt) -> str:
        return words.preformatted(receipt.text)
