"""Mailboxes in a restore point beside those on the server: what can be restored, and into which."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from backups.models import Job, Point, Repository
from dashboard.backups import said
from dashboard.backups.said import SaidBox
from domains.models import Erasure, Mailbox
from servers.models import Server

LOOKS = 100  # the latest of a server's


@dataclass(frozen=True)
class Standing:
    """`word` is served, removed (it can be had back until `until`) or gone; `id` leads to its page where it has one."""

    word: str
    address: str
    until: datetime | None = None
    has_page: bool = False


@dataclass(frozen=True)
class Box:
    said: SaidBox
    standing: Standing

    @property
    def address(self) -> str:
        """As we know it; only of one that we do not know, as the host says."""
        return self.standing.address or self.said.address


def standings(server: Server, ids: Iterable[UUID]) -> dict[UUID, Standing]:
    """What became of these mailboxes, of which only those of the server's account are looked at."""
    ids, found = list(ids), {}
    gone = Erasure.objects.filter(account=server.account_id, pk__in=ids)
    for row in gone:
        can = row.ordered_at is None
        found[row.pk] = Standing("removed" if can else "gone", row.address, row.due_at if can else None, True)
    there = Mailbox.objects.filter(domain__account=server.account_id, domain__home=server.pk, pk__in=ids)
    for box in there.select_related("domain"):
        word = "removed" if box.removed_at else "served"
        found[box.pk] = Standing(word, box.address, box.gone_for_good_at, True)
    return {ident: found.get(ident, Standing("gone", "")) for ident in ids}


def served(server: Server) -> list[Mailbox]:
    """All that mail can be restored into."""
    rows = Mailbox.objects.living().filter(domain__home=server.pk, domain__account=server.account_id)
    return list(rows.select_related("domain").order_by("domain__name", "local"))


@dataclass(frozen=True)
class Look:
    """What was found in a point so far: its rows, whether there are more, what is asked now, and why the last was in vain."""

    jobs: list[Job]
    more: bool
    open: Job | None
    failed: Job | None


def look_into(repository: Repository, point: Point, mailbox: str = "") -> Look:
    """A point never changes, so what was found in it once is so."""
    rows = [one for one in _looks(repository) if _is_about(one, point, mailbox)]
    done = _chain([one for one in rows if one.state == Job.State.DONE and not said.result_of(one).get("cut")])
    newest = rows[0] if rows else None
    return Look(
        jobs=done,
        more=bool(done) and said.has_more(done[-1]),
        open=next((one for one in rows if one.state == Job.State.WANTED), None),
        failed=newest if newest and newest.state == Job.State.FAILED else None,
    )


def _looks(repository: Repository) -> list[Job]:
    return list(repository.jobs.filter(do=Job.Do.LOOK).order_by("-asked_at")[:LOOKS])


def _is_about(job: Job, point: Point, mailbox: str) -> bool:
    args = job.args if isinstance(job.args, dict) else {}
    return args.get("point") == point.snapshot and args.get("mailbox", "") == mailbox


def _chain(done: list[Job]) -> list[Job]:
    """Answers that follow one another: each begins after the last mailbox of the one before."""
    by_after = {one.args.get("after", ""): one for one in reversed(done) if said.result_of(one)}
    chain: list[Job] = []
    after = ""
    while after in by_after:
        chain.append(by_after.pop(after))
        after = last_of(chain[-1])
    return chain


def last_of(job: Job) -> str:
    """The id behind which the next answer begins."""
    found = said.boxes(job)
    return str(found[-1].id) if found else "none"


def boxes_of(server: Server, look: Look) -> list[Box]:
    """The mailboxes that were found, by address."""
    rows = {one.id: one for job in look.jobs for one in said.boxes(job)}
    known = standings(server, rows)
    found = [Box(row, known[ident]) for ident, row in rows.items()]
    return sorted(found, key=lambda box: (box.address, str(box.said.id)))


def found_box(look: Look, ident: UUID) -> SaidBox | None:
    """What a look into the whole point said of one mailbox."""
    return next((one for job in look.jobs for one in said.boxes(job) if one.id == ident), None)
