"""Exports as staff see them: that there are such, and never what is in them; there is no way to a file from here."""

from django.contrib import admin
from django.db.models import Q

from audit import staff_words as words
from audit.staff_lists import Choice, StaffList, as_uuid
from backups.models import Export


class ExportState(Choice):
    title = "state"
    parameter_name = "state"
    choices_by_word = {
        "here": ("ready or on their way", lambda: Q(state__in=("ready", "uploading"))),
        "failed": ("failed", lambda: Q(state="failed")),
        "left": ("over, and still in the bucket", lambda: Q(state__in=("failed", "gone"), removed_at=None)),
        "all": ("all", Q),
    }


@admin.register(Export)
class ExportList(StaffList):
    order = ("-begun_at", "id")
    list_display = ("begun", "state", "format", "of_home", "size", "messages", "expires")
    fieldsets = (
        (None, {"fields": ("of_home", "of_account", "of_job", "state", "why", "format", "mailbox")}),
        ("What it is", {"fields": ("size", "messages", "skipped", "sha256", "parts")}),
        ("Dates", {"fields": ("begun", "touched", "made", "expires", "gone", "whom", "removed")}),
        ("Fetched", {"fields": ("downloads", "downloaded")}),
    )  # fmt: skip
    list_filter = (ExportState,)
    list_select_related = ("repository__account", "job")
    search_fields = ("id",)
    search_help_text = "An export's, a mailbox', a server's, an account's or a job's id"
    nothing = "Nobody takes mail along."

    def found(self, term: str) -> Q | None:
        one = as_uuid(term.removeprefix("server:").removeprefix("mailat-"))
        if one is None:
            return None
        places = ("pk", "mailbox", "repository_id", "repository__account_id", "job_id")
        return Q(*[(place, one) for place in places], _connector=Q.OR)

    @admin.display(description="server")
    def of_home(self, row: Export) -> str:
        return words.subject_link(f"server:{row.repository_id}", brief=True)

    @admin.display(description="account")
    def of_account(self, row: Export) -> str:
        return words.link(row.repository.account)

    @admin.display(description="asked by the job")
    def of_job(self, row: Export) -> str:
        return words.link(row.job)

    @admin.display(description="bytes")
    def size(self, row: Export) -> str:
        return f"{row.bytes:,}"

    @admin.display(description="begun")
    def begun(self, row: Export) -> str:
        return words.moment(row.begun_at)

    @admin.display(description="latest part")
    def touched(self, row: Export) -> str:
        return words.moment(row.touched_at)

    @admin.display(description="made")
    def made(self, row: Export) -> str:
        return words.moment(row.made_at)

    @admin.display(description="leaves")
    def expires(self, row: Export) -> str:
        return words.moment(row.expires_at)

    @admin.display(description="offered no more")
    def gone(self, row: Export) -> str:
        return words.moment(row.gone_at)

    @admin.display(description="ended by")
    def whom(self, row: Export) -> str:
        return words.subject_link(row.by, brief=True) if row.by else words.NOTHING

    @admin.display(description="out of the bucket")
    def removed(self, row: Export) -> str:
        return words.moment(row.removed_at)

    @admin.display(description="fetched last")
    def downloaded(self, row: Export) -> str:
        return words.moment(row.downloaded_at)
