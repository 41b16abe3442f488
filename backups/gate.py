"""The gate: what a host that was recognized may do with its own objects. It signs reads and new objects, and deletes nothing."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings

from backups import asked, bucket, gate_exports, gate_limits, gate_removals, rows
from backups.asked import Named, Nonsense, Wish
from backups.escrow import take
from backups.models import Repository
from backups.retention import TRASH, URL_LIFE
from backups.rows import Row
from clients.errors import Refused, TryLater

PAGE = 1000
LONGEST_WAIT = 300
Answer = tuple[int, dict[str, Any]]
LATER, EXISTS, TRASHED = gate_limits.LATER, gate_limits.EXISTS, "trashed"


class Unavailable(Exception):
    """The storage is away; `seconds` until it is asked again."""

    def __init__(self, seconds: float) -> None:
        super().__init__("the storage is away")
        self.seconds = int(min(max(1, seconds), LONGEST_WAIT))


def answer(home: UUID, said: dict[str, Any]) -> Answer:
    """Status and body. Raises Nonsense or Unavailable."""
    act = ACTS.get(str(said.get("do")))
    if act is None:
        raise Nonsense("do")
    repository = Repository.objects.filter(pk=home).first()
    if repository is None or repository.bucket != settings.STORAGE_BUCKET:
        return 403, {"error": "no backups"}
    if repository.ended_at:
        return 409, {"error": "ended"}
    try:
        return act(repository, said)
    except TryLater as error:
        raise Unavailable(error.retry_after) from None
    except Refused:
        raise Unavailable(LONGEST_WAIT) from None


def write(repository: Repository, said: dict[str, Any]) -> Answer:
    """Addresses for what is not stored yet."""
    home, wishes = repository.pk, asked.wishes(said)
    each = list(dict.fromkeys(wishes))
    if why := gate_limits.refusal(repository, each):
        return 200, {"objects": [one.plain(refused=why) for one in wishes]}
    barred = gate_limits.barred(repository, each)
    told = _granted(home, [one for one in each if one not in barred])
    told |= {one: one.plain(refused=EXISTS) for one in barred}
    return 200, {"objects": [told[one] for one in wishes]}


def _granted(home: UUID, each: Sequence[Wish]) -> dict[Wish, dict[str, Any]]:
    known = {row.named: (row, new) for row, new in rows.wanted(home, each)}
    lie = _look(home, [row for row, new in known.values() if row.state == "signed" and not new])
    unsure = [one for one in each if _is_unsure(known.get(_name(one)), lie)]
    signable = rows.again(home, unsure, URL_LIFE) if unsure else set()
    return {one: _written(home, one, known.get(_name(one)), lie, signable) for one in each}


def _name(one: Wish) -> Named:
    return Named(one.kind, one.name)


def _is_unsure(known: tuple[Row, bool] | None, lie: set[Named]) -> bool:
    """An address was given before, and nothing came of it yet."""
    return known is not None and known[0].state == "signed" and not known[1] and known[0].named not in lie


def _written(
    home: UUID, one: Wish, known: tuple[Row, bool] | None, lie: set[Named], signable: set[Named]
) -> dict[str, Any]:
    if known is None:
        return one.plain(refused=LATER)
    row, new = known
    if row.state == "stored" or row.named in lie:
        return _there(row, one)
    if new or row.named in signable:
        signed = bucket.storage().presign_write(row.key(home), bytes=one.bytes, sha256=one.sha256)
        return one.plain(url=signed.url, headers=signed.headers, until=signed.until)
    return one.plain(refused=TRASHED if row.state == "trashed" else LATER)


def _there(row: Row, one: Wish) -> dict[str, Any]:
    """There is one config: another one is not it."""
    other = row.kind == asked.CONFIG and row.sha256 != one.sha256
    return one.plain(refused=EXISTS) if other else one.plain(there=True)


def _look(home: UUID, unseen: list[Row]) -> set[Named]:
    """Asks the storage for objects that nobody has seen yet; those that lie there whole are stored from now on."""
    lying = bucket.heads(row.key(home) for row in unseen) if unseen else {}
    whole = [
        row.named
        for row in unseen
        if (one := lying.get(row.key(home))) is not None and one.bytes == row.bytes
    ]
    if whole:
        rows.seen(home, whole)
    return set(whole)


def wrote(repository: Repository, said: dict[str, Any]) -> Answer:
    """Whether they have arrived."""
    names = asked.named(said)
    known = rows.found(repository.pk, names)
    there = {name for name, row in known.items() if row.state == "stored"}
    there |= _look(repository.pk, [row for row in known.values() if row.state == "signed"])
    return 200, {"objects": [name.plain(there=name in there) for name in names]}


def read(repository: Repository, said: dict[str, Any]) -> Answer:
    """Addresses for what is stored; what is in the trash is gone."""
    names = asked.named(said)
    known = rows.found(repository.pk, names)
    there = {name for name, row in known.items() if row.state == "stored"}
    there |= _look(repository.pk, [row for row in known.values() if row.state == "signed"])
    return 200, {
        "objects": [_readable(repository.pk, known[n]) if n in there else n.plain(gone=True) for n in names]
    }


def _readable(home: UUID, row: Row) -> dict[str, Any]:
    signed = bucket.storage().presign_read(row.key(home))
    return row.named.plain(url=signed.url, until=signed.until)


def list_(repository: Repository, said: dict[str, Any]) -> Answer:
    """Names and lengths of what is stored, a page at a time; a page is never empty while there is more."""
    kind, after = asked.kind(said), asked.after(said)
    while True:
        page = rows.page(repository.pk, kind, after, PAGE + 1)
        more, page = len(page) > PAGE, page[:PAGE]
        lie = _look(repository.pk, [row for row in page if row.state == "signed"])
        there = [row for row in page if row.state == "stored" or row.named in lie]
        if there or not more:
            return 200, {"objects": [{"name": row.name, "bytes": row.bytes} for row in there], "more": more}
        after = page[-1].name


def remove(repository: Repository, said: dict[str, Any]) -> Answer:
    """Into the trash, as far as it may go there."""
    names = asked.named(said)
    verdicts = gate_removals.remove(repository, names, TRASH)
    told = [
        name.plain(refused=why) if (why := verdicts.get(name)) else name.plain(removed=True) for name in names
    ]
    return 200, {"objects": told}


def escrow(repository: Repository, said: dict[str, Any]) -> Answer:
    """The repository's password, sealed on the host so that only a worker opens it."""
    sealed, key = said.get("sealed"), said.get("key")
    if not isinstance(sealed, str) or not isinstance(key, str):
        raise Nonsense("escrow")
    try:
        raw = base64.b64decode(sealed, validate=True)
    except (binascii.Error, ValueError):
        raise Nonsense("sealed") from None
    refusal = take(repository.pk, raw, key)
    return 200, {"kept": False, "why": refusal} if refusal else {"kept": True}


ACTS: dict[str, Callable[[Repository, dict[str, Any]], Answer]] = {
    "write": write,
    "wrote": wrote,
    "read": read,
    "list": list_,
    "remove": remove,
    "escrow": escrow,
    "export_begin": gate_exports.begin,
    "export_part": gate_exports.part,
    "export_done": gate_exports.done,
}
