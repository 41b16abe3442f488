"""Test mails, for staff who are asked why no mail leaves."""

from django.contrib import admin
from django.db.models import Q

from audit import staff_words as words
from audit.staff_lists import OfHome, as_uuid
from domains.models import Letter


@admin.register(Letter)
class TestLetterList(OfHome):
    order = ("-asked_at", "id")
    list_display = ("to", "state", "of_account", "of_home", "asked")
    fields = (
        "to", "sender", "state", "answer", "whom", "of_account", "of_home", "asked", "answered", "id",
    )  # fmt: skip
    list_select_related = ("account",)
    search_fields = ("to",)
    search_help_text = "An address, or the id of a test letter, an account or a server"
    nothing = "No test letter is like that."

    def found(self, term: str) -> Q | None:
        one = as_uuid(term.removeprefix("server:"))
        return Q(pk=one) | Q(account_id=one) | Q(home=one) if one else Q(to=term.lower())

    @admin.display(description="state")
    def state(self, row: Letter) -> str:
        if row.answered_at is None:
            return words.mark("not answered", "calm")
        return words.mark(f"answered: {row.code or 'nothing'}", "good" if row.code == 250 else "warn")

    @admin.display(description="asked")
    def asked(self, row: Letter) -> str:
        return words.moment(row.asked_at)

    @admin.display(description="answered")
    def answered(self, row: Letter) -> str:
        return words.moment(row.answered_at)
