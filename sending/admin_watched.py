"""What owners were told of their accounts at Amazon, for staff who are asked about it."""

from django.contrib import admin
from django.db.models import Q

from audit import staff_words as words
from audit.staff_lists import Choice, OfHome
from sending import worry_letters
from sending.models import Worry


class WorryState(Choice):
    title = "state"
    parameter_name = "state"
    choices_by_word = {
        "open": ("open", lambda: Q(over_at=None)),
        "over": ("over", lambda: Q(over_at__isnull=False)),
        "all": ("all", Q),
    }


@admin.register(Worry)
class WorryList(OfHome):
    order = ("-began_at", "id")
    list_display = ("kind", "status", "what", "of_account", "of_home", "began")
    fields = ("code", "status", "what", "of_account", "of_home", "began", "told", "over", "id")
    list_filter = (WorryState,)
    list_select_related = ("account",)
    search_fields = ("code",)
    nothing = "Nothing is wrong like that."

    @admin.display(description="about")
    def kind(self, row: Worry) -> str:
        return row.code.partition(":")[0].replace("_", " ")

    @admin.display(description="state")
    def status(self, row: Worry) -> str:
        if row.over_at:
            return words.mark("over", "calm")
        return words.mark("told", "warn") if row.told_at else words.mark("not sure yet", "calm")

    @admin.display(description="in the owner's words")
    def what(self, row: Worry) -> str:
        return worry_letters.says(row.code, row.facts)

    @admin.display(description="began")
    def began(self, row: Worry) -> str:
        return words.moment(row.began_at)

    @admin.display(description="owners told")
    def told(self, row: Worry) -> str:
        return words.moment(row.told_at)

    @admin.display(description="over")
    def over(self, row: Worry) -> str:
        return words.moment(row.over_at)
