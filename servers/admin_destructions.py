"""What is to be destroyed when, and what was."""

from django.contrib import admin
from django.db.models import Q

from audit import staff_tables
from audit import staff_words as words
from audit.models import Receipt
from audit.staff_lists import Choice, StaffList, as_uuid
from engine import staff_words
from servers.admin_acts import DESTRUCTION_ACTS
from servers.models import Destruction


class DestructionState(Choice):
    title = "state"
    parameter_name = "state"
    choices_by_word = {
        "coming": ("coming", lambda: Q(begun_at=None)),
        "begun": ("begun", lambda: Q(begun_at__isnull=False, server__gone_at=None)),
        "finished": ("finished", lambda: Q(server__gone_at__isnull=False)),
        "all": ("all", Q),
    }


@admin.register(Destruction)
class DestructionList(StaffList):
    order = ("-due_at", "-server_id")
    list_display = ("of_server", "due", "said", "whom", "reason", "begun")
    fields = (
        "server_page",
        "due",
        "said",
        "whom",
        "reason",
        "begun",
        "receipt",
        "shown_answers",
        "runs",
        "events",
    )
    list_filter = (DestructionState,)
    list_select_related = ("server",)
    search_fields = ("server",)
    search_help_text = "A server's or an account's id, or a name"
    nothing = "No server is to be destroyed."
    acts = DESTRUCTION_ACTS

    def found(self, term: str) -> Q | None:
        one = as_uuid(term.removeprefix("server:"))
        return (
            Q(pk=one) | Q(server__account_id=one) if one else Q(server__name=term.lower().partition(".")[0])
        )

    @admin.display(description="server")
    def of_server(self, row: Destruction) -> str:
        return row.server.name

    @admin.display(description="server")
    def server_page(self, row: Destruction) -> str:
        return words.link(row.server)

    @admin.display(description="by")
    def whom(self, row: Destruction) -> str:
        return words.subject_link(row.by, brief=True)

    @admin.display(description="due")
    def due(self, row: Destruction) -> str:
        return words.moment(row.due_at)

    @admin.display(description="said")
    def said(self, row: Destruction) -> str:
        return words.moment(row.said_at)

    @admin.display(description="begun")
    def begun(self, row: Destruction) -> str:
        return words.moment(row.begun_at)

    @admin.display(description="what was removed, and what was answered")
    def shown_answers(self, row: Destruction) -> str:
        return words.facts(row.answers)

    def runs(self, row: Destruction) -> str:
        return staff_words.runs(row.server.subject)

    def events(self, row: Destruction) -> str:
        return staff_tables.of_subject(row.server.subject)

    def receipt(self, row: Destruction) -> str:
        return words.link(Receipt.objects.filter(subject=row.server.subject).first())
