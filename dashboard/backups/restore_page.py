"""One restore, from when it was asked for to its undoing."""

from dataclasses import dataclass
from uuid import UUID

from accounts.models import User
from backups.models import Job, Point, Repository
from dashboard import words
from dashboard.backups import folders, history, restoring, said
from dashboard.backups.running import Running
from dashboard.backups.said import Restored
from dashboard.backups.troubles import Told, failure
from servers.models import Server


@dataclass(frozen=True)
class Undo:
    """`word` is now, done or failed; `removed` is the number of folders that are gone."""

    word: str
    removed: int
    told: Told | None


@dataclass(frozen=True)
class RestorePage:
    """`address` is whose mail it is, `into` where it comes."""

    job: Job
    point: Point | None
    who: str
    address: str
    into: str
    folder: str | None
    criteria: list[tuple[str, str]]
    result: Restored | None
    told: Told | None
    running: Running | None
    undo: Undo | None

    @property
    def is_busy(self) -> bool:
        return self.job.state == Job.State.WANTED or bool(self.undo and self.undo.word == "now")

    @property
    def word(self) -> str:
        """What a page that shows it is about; when this changes, the page is another."""
        return f"{self.job.state}-{self.undo.word if self.undo else ''}"

    @property
    def may_undo(self) -> bool:
        """Whether there is something to take back, and nobody does so already."""
        brought = bool(self.result and self.result.messages)
        return brought and (self.undo is None or self.undo.word == "failed")


def page_of(
    server: Server, repository: Repository, job: Job, running: Running | None, reader: User
) -> RestorePage:
    args = job.args
    names, points = history.addresses(server, [job]), history.dates_of(repository, [job])
    address = names.get(str(args.get("mailbox")), "")
    people = {user.pk: user for user in server.account.people.all()}
    folder = args.get("folder")
    is_done = job.state == Job.State.DONE
    undo = _undo_of(repository, job)
    return RestorePage(
        job=job,
        point=points.get(str(args.get("point"))),
        who=words.who(job.by, reader, people),
        address=address,
        into=names.get(str(args.get("into"))) or address,
        folder=folders.shown(folder) if said.is_folder(folder) else None,
        criteria=restoring.criteria(args["chosen"]) if isinstance(args.get("chosen"), dict) else [],
        result=said.restored(job) if is_done else None,
        told=failure(job.why) if job.state == Job.State.FAILED else None,
        running=running if running and running.job in (str(job.pk), _id_of(repository, job)) else None,
        undo=undo,
    )


def restore_of(repository: Repository, pk: UUID) -> Job | None:
    """The restore of this id; of a whole server there is another page, and an undo has none."""
    job = repository.jobs.filter(pk=pk, do=Job.Do.RESTORE).first()
    return job if job and isinstance(job.args, dict) and job.args.get("mailbox") else None


def _undo(repository: Repository, job: Job) -> Job | None:
    rows = repository.jobs.filter(do=Job.Do.RESTORE, asked_at__gte=job.asked_at, args__undo=str(job.pk))
    return rows.order_by("-asked_at").first()


def _id_of(repository: Repository, job: Job) -> str:
    found = _undo(repository, job)
    return str(found.pk) if found else ""


def _undo_of(repository: Repository, job: Job) -> Undo | None:
    found = _undo(repository, job)
    if found is None:
        return None
    word = {Job.State.WANTED: "now", Job.State.DONE: "done", Job.State.FAILED: "failed"}[
        Job.State(found.state)
    ]
    told = failure(found.why) if word == "failed" else None
    return Undo(word, said.restored(found).folders, told)
