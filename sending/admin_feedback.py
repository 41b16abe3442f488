"""What Amazon told of bounces and complaints, for staff who are asked why somebody was slowed."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from audit import staff_words as words
from audit.staff_lists import OfHome, as_uuid
from sending.models import Feedback, Notice


@admin.register(Notice)
class NoticeList(OfHome):
    order = ("-received_at", "id")
    list_display = ("message", "of_home", "verdict", "received")
    fields = ("message", "of_home", "verdict", "received", "id")
    search_fields = ("message",)
    search_help_text = "Amazon's id of a message, or the id of a server"
    nothing = "No message is like that."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("body")

    def found(self, term: str) -> Q | None:
        one = as_uuid(term.removeprefix("server:"))
        return Q(message=term) | Q(home=one) if one else Q(message=term)

    @admin.display(description="received")
    def received(self, row: Notice) -> str:
        return words.moment(row.received_at)


@admin.register(Feedback)
class FeedbackList(OfHome):
    order = ("-at", "id")
    list_display = ("sender", "kind", "permanent", "of_home", "told")
    fields = ("sender", "kind", "permanent", "of_home", "told", "of_notice")
    list_select_related = ("notice",)
    search_fields = ("sender",)
    search_help_text = "The address that a mail left from, or the id of a server"
    nothing = "Nothing came back like that."

    def found(self, term: str) -> Q | None:
        one = as_uuid(term.removeprefix("server:"))
        return Q(home=one) if one else Q(sender=term.lower())

    @admin.display(description="at")
    def told(self, row: Feedback) -> str:
        return words.moment(row.at)

    @admin.display(description="message")
    def of_notice(self, row: Feedback) -> str:
        return row.notice.message
