"""What was asked of a server's backups: who, when, and what came of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from backups import proof
from backups.models import Job, Point, Repository
from dashboard import words
from dashboard.backups import folders, said
from dashboard.backups.boxes import standings
from dashboard.backups.troubles import failure
from servers.models import Server

SHOWN = 20


@dataclass(frozen=True)
class Line:
    """`word` is now, good or bad; `page` is the restore whose page has more of it."""

    job: Job
    what: str
    who: str
    word: str
    says: str
    page: UUID | None


def lines_of(server: Server, repository: Repository, reader: User) -> list[Line]:
    jobs = list(repository.jobs.order_by("-asked_at")[:SHOWN])
    people = {user.pk: user for user in server.account.people.all()}
    names = addresses(server, jobs)
    dates = dates_of(repository, jobs)
    return [
        Line(job, what(job, names, dates), words.who(job.by, reader, people), WORDS[Job.State(job.state)], says(job), _page(job))
        for job in jobs
    ]  # fmt: skip


WORDS = {Job.State.WANTED: "now", Job.State.DONE: "good", Job.State.FAILED: "bad"}


def _page(job: Job) -> UUID | None:
    """Of an undoing, the page of what is undone; that of a whole server is another."""
    if job.do != Job.Do.RESTORE or not isinstance(job.args, dict):
        return None
    return job.pk if job.args.get("mailbox") else said.uuid_of(job.args.get("undo"))


def addresses(server: Server, jobs: Iterable[Job]) -> dict[str, str]:
    """By the ids that jobs name: the addresses of mailboxes that we know."""
    ids = {found for job in jobs for name in ("mailbox", "into") if (found := _named(job, name))}
    return {str(ident): one.address for ident, one in standings(server, ids).items() if one.address}


def _named(job: Job, name: str) -> UUID | None:
    return said.uuid_of(job.args.get(name)) if isinstance(job.args, dict) else None


def dates_of(repository: Repository, jobs: Iterable[Job]) -> dict[str, Point]:
    names = {job.args.get("point") for job in jobs if isinstance(job.args, dict)}
    rows = Point.objects.filter(repository=repository, snapshot__in=[name for name in names if name])
    return {point.snapshot: point for point in rows}


def what(job: Job, names: dict[str, str], points: dict[str, Point]) -> str:
    """What was asked, in words."""
    point = points.get(str(job.args.get("point", "")))
    address = names.get(str(job.args.get("mailbox", "")), _("a mailbox"))
    match job.do:
        case Job.Do.LOOK:
            return (
                _("Look into a restore point") if not job.args.get("mailbox") else _("Look into %s") % address
            )
        case Job.Do.RESTORE if job.args.get("undo"):
            return _("Undo a restore")
        case Job.Do.RESTORE if not job.args.get("mailbox"):
            return _("Restore the whole server")
        case Job.Do.RESTORE:
            return _restore(job, address, point)
    return str(_kinds().get(job.do, job.do))


def _kinds() -> dict[str, str]:
    return {
        Job.Do.BACKUP: _("Back up now"),
        Job.Do.DRILL: _("Prove the backups"),
        Job.Do.EXPORT: _("Export"),
        Job.Do.PRUNE: _("Tidy up"),
    }


def _restore(job: Job, address: str, point: Point | None) -> str:
    folder = job.args.get("folder")
    some = {"address": address, "folder": folders.shown(folder) if said.is_folder(folder) else ""}
    if job.args.get("chosen"):
        return _("Restore chosen messages of %(address)s") % some
    return (
        _("Restore the folder %(folder)s of %(address)s") % some
        if folder is not None
        else _("Restore %(address)s") % some
    )


def says(job: Job) -> str:
    """What came of it, in a sentence."""
    if job.state == Job.State.WANTED:
        return _("asked for")
    if job.state == Job.State.FAILED:
        return _failed(job)
    if job.do == Job.Do.RESTORE and not job.args.get("undo"):
        found = said.restored(job)
        words_ = ngettext("%(n)s message came back", "%(n)s messages came back", found.messages)
        return words_ % {"n": f"{found.messages:,}"}
    return _("done")


def _failed(job: Job) -> str:
    drill = proof.told(job)
    if job.do != Job.Do.DRILL or not drill.took:
        return failure(job.why).what
    if drill.mailbox:
        return _("%s did not come back as it was.") % drill.mailbox
    return _("Not everything came back as it was.")
