"""How much of a repository may be written: what a thief with a host's credentials must not fill or make unreadable."""

from collections.abc import Iterable, Sequence

from backups import rows
from backups.asked import Wish
from backups.models import Repository, Stored

HARD_LIMIT = 3  # times the plan's room: beyond it nothing more is taken
MOST_UNWRITTEN = 2000  # objects of which nothing came yet; a host that backs up has some dozens
LATER, FULL, NO_ESCROW, EXISTS = "later", "full", "no_escrow", "exists"


def refusal(repository: Repository, wishes: Sequence[Wish]) -> str:
    """Why nothing of this call may be written, or nothing."""
    if repository.secret_id is None:
        return NO_ESCROW
    sums = rows.sums(repository.pk)
    if _is_full(repository, sums, wishes):
        return FULL
    unwritten = sum(one.count for one in sums if one.state == Stored.State.SIGNED)
    return LATER if unwritten >= MOST_UNWRITTEN else ""


def _is_full(repository: Repository, sums: Iterable[rows.Sum], wishes: Iterable[Wish]) -> bool:
    """Small objects count as what they cost, or a host could have any number of them."""
    more = sum(max(one.bytes, rows.BILLED) for one in wishes)
    return sum(one.billed for one in sums) + more > HARD_LIMIT * repository.room


def barred(repository: Repository, wishes: Iterable[Wish]) -> set[Wish]:
    """Keys that are new to a repository that is complete. restic gives up at one that it cannot read, and after twenty others;

    ours has one, made before its config, and another is never needed.
    """
    new = {one for one in wishes if one.kind == Stored.Kind.KEYS}
    if not new:
        return new
    here = Stored.objects.filter(home=repository.pk)
    if not here.filter(kind=Stored.Kind.CONFIG, state=Stored.State.STORED).exists():
        return set()
    known = here.filter(kind=Stored.Kind.KEYS, name__in=[one.name for one in new])
    names = set(known.values_list("name", flat=True))
    return {one for one in new if one.name not in names}
