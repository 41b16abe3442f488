"""What was changed about a server after it was made: its plan, and whether mail may leave it."""

from django.contrib import admin
from django.db.models import Q

from audit import staff_words as words
from audit.staff_lists import Choice, StaffList, as_uuid
from audit.staff_tables import SHOWN
from servers.models import PlanChange, Server, Suspension

STATES = {
    PlanChange.State.WAITING: "calm",
    PlanChange.State.UNDER_WAY: "warn",
    PlanChange.State.DONE: "good",
}


class OfServer(StaffList):
    """Rows about one server."""

    list_select_related = ("server",)
    search_fields = ("server",)
    search_help_text = "A server's or an account's id, or a server's name"

    def found(self, term: str) -> Q | None:
        one = as_uuid(term.removeprefix("server:"))
        if one:
            return Q(server_id=one) | Q(server__account_id=one)
        return Q(server__name=term.lower().partition(".")[0])

    @admin.display(description="server")
    def of_server(self, row: PlanChange | Suspension) -> str:
        return words.link(row.server)

    @admin.display(description="by")
    def whom(self, row: PlanChange | Suspension) -> str:
        return words.subject_link(row.by, brief=True)


class PlanChangeState(Choice):
    title = "state"
    parameter_name = "state"
    choices_by_word = {
        "living": ("not finished", lambda: Q(finished_at=None)),
        "finished": ("finished", lambda: Q(finished_at__isnull=False)),
        "all": ("all", Q),
    }


@admin.register(PlanChange)
class PlanChangeList(OfServer):
    list_display = ("name", "status", "of_server", "due", "why", "wanted", "finished")
    fields = (
        "name", "status", "why", "failures", "of_server", "whom", "wanted", "due", "chosen", "begun", "finished", "old_type", "following",
    )  # fmt: skip
    list_filter = (PlanChangeState,)
    nothing = "No server changes its plan."

    @admin.display(description="from, to")
    def name(self, row: PlanChange) -> str:
        return str(row)

    @admin.display(description="state")
    def status(self, row: PlanChange) -> str:
        return change_mark(row)

    @admin.display(description="wanted")
    def wanted(self, row: PlanChange) -> str:
        return words.moment(row.wanted_at)

    @admin.display(description="begins")
    def due(self, row: PlanChange) -> str:
        return words.moment(row.at)

    @admin.display(description="machine first touched")
    def begun(self, row: PlanChange) -> str:
        return words.moment(row.begun_at)

    @admin.display(description="finished")
    def finished(self, row: PlanChange) -> str:
        return words.moment(row.finished_at)


class SuspensionState(Choice):
    title = "state"
    parameter_name = "state"
    choices_by_word = {
        "all": ("all", Q),
        "living": ("suspended now", lambda: Q(ended_at=None)),
    }


@admin.register(Suspension)
class SuspensionList(OfServer):
    list_display = ("of_server", "began", "whom", "reason", "ended")
    fields = ("of_server", "began", "whom", "reason", "ended", "ender")
    list_filter = (SuspensionState,)
    nothing = "Every server may send."

    @admin.display(description="since")
    def began(self, row: Suspension) -> str:
        return words.moment(row.since)

    @admin.display(description="ended")
    def ended(self, row: Suspension) -> str:
        return words.moment(row.ended_at)

    @admin.display(description="ended by")
    def ender(self, row: Suspension) -> str:
        return words.subject_link(row.ended_by)


def change_mark(row: PlanChange) -> str:
    return words.mark(row.get_state_display(), STATES.get(PlanChange.State(row.state), "calm"))


def plan_changes(server: Server) -> str:
    """The newest, on the server's own page."""
    rows = PlanChange.objects.filter(server=server).order_by("-id")[:SHOWN]
    cells = ((words.link(row), change_mark(row), words.moment(row.at), row.why) for row in rows)
    return words.table(("from, to", "state", "begins", "kept by"), cells)


def sending(server: Server) -> str:
    """Whether staff keep mail from leaving it."""
    row = Suspension.objects.filter(server=server, ended_at=None).first()
    if row is None:
        return "not suspended"
    since = words.link(row, f"since {words.when(row.since)}")
    return words.sentences(
        [words.mark("suspended", "bad"), since, "by", words.subject_link(row.by), row.reason]
    )
