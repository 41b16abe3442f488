"""The latest proofs, as a list: what was restored, how long it took, and what did not come back as it was."""

from dataclasses import dataclass

from backups import proof
from backups.models import Job, Repository
from dashboard.backups import folders, said
from dashboard.backups.troubles import Told, failure
from dashboard.mail import told

SHOWN = 12  # a year of months
DIFFERENCES = 20


@dataclass(frozen=True)
class Difference:
    """What did not come back as it was: a folder of a mailbox, or a file of the mail system's."""

    what: str
    folder: str | None
    why: str


@dataclass(frozen=True)
class Line:
    """`word` is good, bad where something differs, warn where it could not be carried out."""

    drill: proof.Drill
    word: str
    differences: list[Difference]
    told: Told | None


def drills_of(repository: Repository) -> list[Line]:
    """The latest that were carried out or tried, the newest first."""
    rows = repository.jobs.filter(do=Job.Do.DRILL).exclude(state=Job.State.WANTED)
    return [_line(job) for job in rows.order_by("-asked_at")[:SHOWN]]


def _line(job: Job) -> Line:
    drill = proof.told(job)
    word = "good" if drill.ok else "bad" if drill.took else "warn"
    found = _differences(job) if word == "bad" else []
    return Line(drill, word, found, None if drill.ok or found else failure(job.why))


def _differences(job: Job) -> list[Difference]:
    rows = told.rows(said.result_of(job), "differ", DIFFERENCES)
    return [
        Difference(
            what=said.clean(told.text(row, "address") or told.text(row, "file")),
            folder=folders.shown(row["folder"]) if said.is_folder(row.get("folder")) else None,
            why=said.clean(told.text(row, "why", 100)),
        )
        for row in rows
    ]
