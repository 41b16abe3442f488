"""Moves of servers to other machines, as staff see them."""

from django.contrib import admin
from django.db.models import Q
from django.utils.safestring import SafeString

from audit import staff_tables
from audit import staff_words as words
from audit.staff_lists import Choice, StaffList, as_uuid
from engine import staff_words
from servers.models import Replacement


class ReplacementState(Choice):
    title = "state"
    parameter_name = "state"
    choices_by_word = {
        "here": ("under way", lambda: Q(finished_at=None)),
        "back": ("went back", lambda: Q(state=Replacement.State.BACK)),
        "done": ("done", lambda: Q(state=Replacement.State.DONE)),
        "all": ("all", Q),
    }


TONES = {"done": "good", "back": "warn", "going back": "warn", "ended": "calm"}


@admin.register(Replacement)
class ReplacementList(StaffList):
    order = ("-id",)
    list_display = ("of_server", "mark", "asked", "whom", "why", "finished")
    fields = (
        "server_page",
        "mark",
        "asked",
        "whom",
        "restored_point",
        "missing",
        "why",
        "machine",
        "served",
        "released",
        "finished",
        "runs",
        "events",
    )
    list_filter = (ReplacementState,)
    list_select_related = ("server",)
    search_fields = ("server",)
    search_help_text = "A server's or an account's id, or a name"
    nothing = "No server moves."

    def found(self, term: str) -> Q | None:
        one = as_uuid(term.removeprefix("server:"))
        name = Q(server__name=term.lower().partition(".")[0])
        return Q(server_id=one) | Q(server__account_id=one) if one else name

    @admin.display(description="server")
    def of_server(self, row: Replacement) -> str:
        return row.server.name

    @admin.display(description="server")
    def server_page(self, row: Replacement) -> str:
        return words.link(row.server)

    @admin.display(description="state")
    def mark(self, row: Replacement) -> SafeString:
        return words.mark(row.get_state_display(), TONES.get(row.state, "good"))

    @admin.display(description="by")
    def whom(self, row: Replacement) -> str:
        return words.subject_link(row.asked_by, brief=True)

    @admin.display(description="asked")
    def asked(self, row: Replacement) -> str:
        return words.moment(row.asked_at)

    @admin.display(description="restore point")
    def restored_point(self, row: Replacement) -> str:
        counted = "not counted yet" if row.restored is None else f"{row.restored} restored"
        return f"{row.point[:12]}, {row.messages} messages, {counted}" if row.point else "not chosen yet"

    @admin.display(description="in no restore point")
    def missing(self, row: Replacement) -> str:
        lost = f"what came after {words.when(row.lost_since)}" if row.lost_since else "nothing"
        return f"{lost}; {row.queued} mails waited to leave"

    @admin.display(description="old machine")
    def machine(self, row: Replacement) -> str:
        return f"{row.old_machine} ({row.old_name}), {row.old_ipv4}" if row.old_machine else "gone"

    @admin.display(description="serves since")
    def served(self, row: Replacement) -> str:
        return words.moment(row.served_at)

    @admin.display(description="old machine kept until")
    def released(self, row: Replacement) -> str:
        return words.moment(row.release_at)

    @admin.display(description="ended")
    def finished(self, row: Replacement) -> str:
        return words.moment(row.finished_at)

    def runs(self, row: Replacement) -> str:
        return staff_words.runs(row.server.subject)

    def events(self, row: Replacement) -> str:
        return staff_tables.of_subject(row.server.subject)
