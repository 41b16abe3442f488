"""Backups as staff see them: whose they are, what was promised, and the two things that only staff may do. Nothing here opens one."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest

from audit import staff_tables
from audit import staff_words as words
from audit.staff_acts import Act, CannotBe, Order
from audit.staff_lists import Choice, StaffList, as_uuid
from backups import actions
from backups.actions import NoBackups
from backups.export_admin import ExportList
from backups.models import Job, Point, Repository, Stored
from engine import staff_words

__all__ = ["ExportList", "JobList", "PointList", "RepositoryList"]


def _home(term: str) -> str:
    return term.removeprefix("server:").removeprefix("repository:").removeprefix("mailat-")


class RepositoryState(Choice):
    title = "state"
    parameter_name = "state"
    choices_by_word = {
        "here": ("here", lambda: Q(ended_at=None)),
        "no_escrow": ("no password in escrow", lambda: Q(ended_at=None, secret=None)),
        "ended": ("ended", lambda: Q(ended_at__isnull=False)),
        "all": ("all", Q),
    }


def _by(act: Callable[..., object]) -> Callable[[Repository, Order], None]:
    def do(row: Repository, order: Order) -> None:
        try:
            act(home=row.pk, by=order.by, why=order.reason)
        except NoBackups:
            raise CannotBe("It has ended meanwhile.") from None

    return do


def _ended(row: Repository) -> str:
    return "Its server has no backups any more." if row.ended_at else ""


ALLOW = Act(
    name="allow_removals",
    verb="Let the host remove much for a day",
    does="For a day the host may remove more from its repository than a host usually does. What lies within the "
    "promised retention cannot be removed even then.",
    do=_by(actions.allow_removals),
    refuses=_ended,
)
BRING_BACK = Act(
    name="bring_back",
    verb="Take everything out of the trash",
    does="What the host threw away in the last day is put back, as for a host whose credentials were stolen.",
    do=_by(actions.bring_back),
    refuses=_ended,
)


@admin.register(Repository)
class RepositoryList(StaffList):
    order = ("-began_at", "home")
    list_display = ("of_home", "state", "of_account", "kept_for", "began")
    fieldsets = (
        (None, {"fields": ("of_home", "state", "of_account", "kept_for", "promised", "password", "limits")}),
        ("What is there", {"fields": ("sizes", "points", "jobs")}),
        ("Work and trouble", {"fields": ("alarms", "runs", "events")}),
        ("Dates", {"fields": ("began", "compared", "allowed", "ended", "emptied", "bucket", "home")}),
    )  # fmt: skip
    list_filter = (RepositoryState,)
    list_select_related = ("account",)
    search_fields = ("home",)
    search_help_text = "A server's or an account's id"
    nothing = "No server is backed up."
    acts = (ALLOW, BRING_BACK)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("handed")

    def found(self, term: str) -> Q | None:
        one = as_uuid(_home(term))
        return Q(pk=one) | Q(account_id=one) if one else None

    @admin.display(description="server")
    def of_home(self, row: Repository) -> str:
        return words.subject_link(row.server, brief=True)

    @admin.display(description="state")
    def state(self, row: Repository) -> str:
        if row.ended_at:
            return words.mark("ended", "calm")
        return words.mark("in use", "good") if row.secret_id else words.mark("no password in escrow", "warn")

    @admin.display(description="account")
    def of_account(self, row: Repository) -> str:
        return words.link(row.account)

    @admin.display(description="kept for")
    def kept_for(self, row: Repository) -> str:
        return (
            f"{row.keep.total_seconds() / 3600:.0f} hours, made every {row.every.total_seconds() / 3600:.1f}"
        )

    @admin.display(description="promised")
    def promised(self, row: Repository) -> str:
        cells = (
            (words.moment(one.since), one.keep, words.subject_link(one.by)) for one in row.retentions.all()
        )
        return words.table(("since", "kept for", "by"), cells)

    @admin.display(description="password in escrow")
    def password(self, row: Repository) -> str:
        return words.subject_link(f"secret:{row.secret_id}") if row.secret_id else words.NOTHING

    @admin.display(description="limits")
    def limits(self, row: Repository) -> str:
        hours = "" if row.hours_from is None else f"from {row.hours_from} to {row.hours_to} o'clock UTC"
        return words.sentences([hours, f"{row.kib_s} KiB/s" if row.kib_s else ""]) or words.NOTHING

    @admin.display(description="objects")
    def sizes(self, row: Repository) -> str:
        sums = (
            Stored.objects.filter(home=row.pk)
            .values_list("kind", "state")
            .annotate(size=Sum("bytes"))
            .order_by("kind", "state")
        )
        return words.table(
            ("kind", "state", "bytes"), ((kind, state, f"{size:,}") for kind, state, size in sums)
        )

    @admin.display(description="restore points")
    def points(self, row: Repository) -> str:
        newest = row.points.order_by("-stored_at")[: words.MOST]
        cells = (
            (
                words.moment(one.stored_at),
                f"{one.mailboxes}",
                f"{one.messages:,}",
                f"{one.bytes:,}",
                words.moment(one.gone_at),
            )
            for one in newest
        )
        return words.table(("stored", "mailboxes", "messages", "bytes", "gone"), cells)

    @admin.display(description="jobs")
    def jobs(self, row: Repository) -> str:
        newest = row.jobs.order_by("-asked_at")[: words.MOST]
        cells = ((words.link(one, one.do), one.state, words.moment(one.asked_at), one.why) for one in newest)
        return words.table(("what", "state", "asked", "why not"), cells)

    @admin.display(description="began")
    def began(self, row: Repository) -> str:
        return words.moment(row.began_at)

    @admin.display(description="compared with the bucket")
    def compared(self, row: Repository) -> str:
        return words.moment(row.compared_at)

    @admin.display(description="much may be removed until")
    def allowed(self, row: Repository) -> str:
        return words.moment(row.removals_allowed_until)

    @admin.display(description="ended")
    def ended(self, row: Repository) -> str:
        return words.moment(row.ended_at)

    @admin.display(description="nothing was left")
    def emptied(self, row: Repository) -> str:
        return words.moment(row.emptied_at)

    def runs(self, row: Repository) -> str:
        return staff_words.runs(row.subject)

    def alarms(self, row: Repository) -> str:
        return staff_words.alarms(row.server)

    def events(self, row: Repository) -> str:
        return staff_tables.of_subject(row.server)


class PointState(Choice):
    title = "state"
    parameter_name = "state"
    choices_by_word = {
        "here": ("can be restored", lambda: Q(gone_at=None)),
        "gone": ("gone", lambda: Q(gone_at__isnull=False)),
        "all": ("all", Q),
    }


@admin.register(Point)
class PointList(StaffList):
    order = ("-stored_at", "id")
    list_display = ("stored", "of_home", "mailboxes", "messages", "size", "gone")
    fields = ("snapshot", "of_home", "stored", "by_host", "mailboxes", "messages", "size", "manifest", "gone")
    list_filter = (PointState,)
    search_fields = ("snapshot",)
    search_help_text = "A server's id, or the whole name of a snapshot"
    nothing = "No restore point is like that."

    def found(self, term: str) -> Q | None:
        one = as_uuid(_home(term))
        return Q(repository_id=one) if one else Q(snapshot=term.lower())

    @admin.display(description="server")
    def of_home(self, row: Point) -> str:
        return words.subject_link(f"server:{row.repository_id}", brief=True)

    @admin.display(description="stored")
    def stored(self, row: Point) -> str:
        return words.moment(row.stored_at)

    @admin.display(description="by the host's clock")
    def by_host(self, row: Point) -> str:
        return words.moment(row.at)

    @admin.display(description="bytes")
    def size(self, row: Point) -> str:
        return f"{row.bytes:,}"

    @admin.display(description="gone")
    def gone(self, row: Point) -> str:
        return words.moment(row.gone_at)


class JobState(Choice):
    title = "state"
    parameter_name = "state"
    choices_by_word = {
        "all": ("all", Q),
        "wanted": ("asked for", lambda: Q(state="wanted")),
        "failed": ("failed", lambda: Q(state="failed")),
    }


@admin.register(Job)
class JobList(StaffList):
    order = ("-asked_at", "id")
    list_display = ("do", "state", "of_home", "asked", "whom")
    fields = ("do", "state", "why", "of_home", "whom", "asked", "ended", "shown_args", "shown_result", "id")
    list_filter = (JobState,)
    search_fields = ("id",)
    search_help_text = "A server's or a job's id"
    nothing = "No host was asked for anything."

    def found(self, term: str) -> Q | None:
        one = as_uuid(_home(term))
        return Q(pk=one) | Q(repository_id=one) if one else None

    @admin.display(description="server")
    def of_home(self, row: Job) -> str:
        return words.subject_link(f"server:{row.repository_id}", brief=True)

    @admin.display(description="by")
    def whom(self, row: Job) -> str:
        return words.subject_link(row.by, brief=True)

    @admin.display(description="asked")
    def asked(self, row: Job) -> str:
        return words.moment(row.asked_at)

    @admin.display(description="ended")
    def ended(self, row: Job) -> str:
        return words.moment(row.done_at)

    @admin.display(description="what of it")
    def shown_args(self, row: Job) -> str:
        return words.facts(row.args)

    @admin.display(description="result")
    def shown_result(self, row: Job) -> str:
        return words.facts(row.result)
