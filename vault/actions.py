"""What may be done with secrets: keep one (any process), read one (workers alone), shred one."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.db import transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from audit.actions import record
from audit.batches import Entry, record_apart, record_many
from engine import actions as engine
from engine.models import Run
from vault import box, keys, rows
from vault.box import Place
from vault.errors import KeyRetired, Taken, Unreadable
from vault.models import Key, Secret
from vault.programs.reseal import SUBJECT, Reseal

AT_ONCE = 500  # secrets that whoever has many keeps or reads together
LONGEST = 16_384  # characters


@dataclass(frozen=True)
class Plain:
    """A secret before it is sealed."""

    account: UUID
    purpose: str
    subject: str
    text: str = field(repr=False)


@sensitive_variables()
def keep(*, account: UUID, purpose: str, subject: str, secret: str, by: str) -> Secret:
    """Seals the secret into a row of its own; nothing here can open it again. Raises KeyRetired, BadKeys, ValueError."""
    return keep_many(plain=[Plain(account, purpose, subject, secret)], by=by)[0]


@transaction.atomic
@sensitive_variables()
def keep_many(*, plain: Sequence[Plain], by: str) -> list[Secret]:
    """The same for several, AT_ONCE at a time being what costs least; all of them or none."""
    name, key = keys.sealing()
    places = [_place(one) for one in plain]
    sealed = [box.seal(place, one.text, key) for place, one in zip(places, plain, strict=True)]
    stored = [_secret(at, name, bytes_, by) for at, bytes_ in zip(places, sealed, strict=True)]
    _insert(name, by, stored)
    record_many("secret.kept", by=by, entries=[_entry(place, key=name) for place in places])
    return stored


@sensitive_variables()
def _place(one: Plain) -> Place:
    if not (one.text and one.purpose and one.subject) or len(one.text) > LONGEST:
        raise ValueError(f"a secret has a purpose, a subject and 1 to {LONGEST} characters")
    return Place(uuid4(), one.account, one.purpose, one.subject)


@transaction.atomic
def keep_sealed(*, at: Place, sealed: bytes, key: str, by: str, replaces: bool = False) -> Secret:
    """Keeps what somebody else sealed to our public key, bound to `at`, whose secret's id we chose and told them.

    Nothing here can tell whether it opens: a worker that reads it can. The same ciphertext may be handed in again; another one
    only if it `replaces` the first. Raises KeyRetired if it is not sealed to the key that seals now, Taken, ValueError.
    """
    if not box.OVERHEAD < len(sealed) <= box.OVERHEAD + 4 * LONGEST or not (at.purpose and at.subject):
        raise ValueError(f"a sealed secret has a purpose, a subject and 1 to {LONGEST} characters in it")
    if key != keys.sealing()[0]:
        raise KeyRetired(f"the vault seals to another key than {key}")
    row = Secret.objects.select_for_update(no_key=True).filter(pk=at.secret).first()
    if row is None:
        row = _secret(at, key, sealed, by)
        _insert(key, by, [row])
        record_many("secret.kept", by=by, entries=[_entry(at, key=key, sealed="elsewhere")])
    elif (row.account_id, row.purpose, row.subject) != (
        at.account,
        at.purpose,
        at.subject,
    ) or row.shredded_at:
        raise Taken("another secret has this id, or it was shredded")
    elif bytes(row.sealed) != sealed:
        _replace(row, at, sealed, key, by, replaces)
    return row


def _replace(row: Secret, at: Place, sealed: bytes, key: str, by: str, allowed: bool) -> None:
    if not allowed:
        raise Taken("another secret is kept there already")
    ensure_key(key)
    if not Key.objects.select_for_update(no_key=True).filter(pk=key, retired_at=None).exists():
        raise KeyRetired(f"the vault's key {key} is retired: start this process anew, with the newest key")
    row.sealed, row.key_id, row.sealed_at = sealed, key, timezone.now()
    row.save(update_fields=["sealed", "key_id", "sealed_at"])
    record_many("secret.replaced", by=by, entries=[_entry(at, key=key, sealed="elsewhere")])


def _secret(at: Place, key: str, sealed: bytes, by: str) -> Secret:
    return Secret(id=at.secret, account_id=at.account, purpose=at.purpose, subject=at.subject, key_id=key,
                  sealed=sealed, by=by)  # fmt: skip


def _insert(key: str, by: str, stored: list[Secret]) -> None:
    """A key's first use makes its row; a key that was retired meanwhile takes nothing more."""
    columns = [[getattr(one, name) for one in stored] for name in COLUMNS]
    added = rows.keep(key, by, columns)
    if not added and stored:
        ensure_key(key)
        added = rows.keep(key, by, columns)
    if len(added) != len(stored):
        raise KeyRetired(f"the vault's key {key} is retired: start this process anew, with the newest key")
    times = {row[0]: row[1:] for row in added}
    for one in stored:
        one.kept_at, one.sealed_at = times[one.pk]
        one._state.adding, one._state.db = False, "default"


COLUMNS = ("id", "account_id", "purpose", "subject", "sealed")


def ensure_key(key: str) -> None:
    """The row of the key that is sealed to; the order in which keys get theirs is the order of their age."""
    if rows.add_key(key):
        record("vault.key_added", by="vault", subject=f"vaultkey:{key}")


def _entry(place: Place, **facts: object) -> Entry:
    facts = {"purpose": place.purpose, "of": place.subject, **facts}
    return Entry(place.account, f"secret:{place.secret}", facts)


@sensitive_variables()
def reading(
    *,
    secret: Secret | UUID,
    by: str,
    why: str,
    account: UUID | None = None,
    purpose: str = "",
    subject: str = "",
) -> str:
    """The plain text, after the event that says who read it and why is committed; for workers.

    Whoever got the secret's id from a row names the account, purpose or subject that it must have: a row that was made to
    point at somebody else's secret then opens nothing. Raises NoVaultKey, Unreadable.
    """
    pk = secret.pk if isinstance(secret, Secret) else secret
    expected = partial(_is_expected, account=account, purpose=purpose, subject=subject)
    found = _opened([pk], expected)
    _tell(found, by, why)
    if not found or found[0].text is None:
        raise Unreadable(found[0].wrong if found else "there is no such secret")
    return found[0].text


@sensitive_variables()
def read_many(*, secrets: Iterable[Secret | UUID], by: str, why: str) -> dict[UUID, str]:
    """The plain texts by the secrets' ids, after the events of all are committed; what does not open is left out, and told.

    AT_ONCE at a time are what costs least. Raises NoVaultKey.
    """
    found = _opened([one.pk if isinstance(one, Secret) else one for one in secrets], lambda place: True)
    _tell(found, by, why)
    return {one.place.secret: one.text for one in found if one.text is not None}


@dataclass(frozen=True)
class Opened:
    """A secret and its text, or what is wrong with it."""

    place: Place
    text: str | None = field(repr=False)
    wrong: str = ""


def _is_expected(place: Place, *, account: UUID | None, purpose: str, subject: str) -> bool:
    wanted = (account or place.account, purpose or place.purpose, subject or place.subject)
    return wanted == (place.account, place.purpose, place.subject)


@sensitive_variables()
def _opened(ids: list[UUID], expected: Callable[[Place], bool]) -> list[Opened]:
    private = keys.private_keys()
    return [_open(row, private, expected) for row in rows.read(ids)]


@sensitive_variables()
def _open(row: rows.Row, private: dict[str, X25519PrivateKey], expected: Callable[[Place], bool]) -> Opened:
    pk, account, purpose, subject, sealed, key, shredded, retired = row
    place = Place(pk, account, purpose, subject)
    wrong = "it was shredded" if shredded else f"its key {key} is retired" if retired else ""
    if not wrong and not expected(place):
        wrong = "it belongs to something else than whoever asked believes"
    if wrong:
        return Opened(place, None, wrong)
    if key not in private:
        raise keys.lacking(key)
    try:
        return Opened(place, box.unseal(place, sealed, private[key]))
    except Unreadable as error:
        return Opened(place, None, str(error))


def _tell(found: Sequence[Opened], by: str, why: str) -> None:
    """Committed before anybody is given a text, and whatever becomes of the transaction of whoever asked."""
    read = [_entry(one.place, why=why) for one in found if one.text is not None]
    unread = [_entry(one.place, why=why, wrong=one.wrong) for one in found if one.text is None]
    for action, entries in (("secret.read", read), ("secret.unreadable", unread)):
        if entries:
            record_apart(action, by=by, entries=entries)


@transaction.atomic
def shred(*, secret: Secret | UUID, by: str, why: str) -> bool:
    """Empties the ciphertext; the row and an event stay as the proof. False if it was shredded before."""
    pk = secret.pk if isinstance(secret, Secret) else secret
    row = Secret.objects.select_for_update().filter(pk=pk, shredded_at=None).first()
    if row is None:
        return False
    row.sealed, row.shredded_at, row.shredded_by = b"", timezone.now(), by
    row.save(update_fields=["sealed", "shredded_at", "shredded_by"])
    place = Place(row.pk, row.account_id, row.purpose, row.subject)
    record_many("secret.shredded", by=by, entries=[_entry(place, why=why, key=row.key_id)])
    return True


@transaction.atomic
def rotate(*, by: str) -> int:
    """Starts moving every secret to the newest key, or wakes the run that does so; returns its id."""
    if not Run.objects.filter(program=Reseal.__name__, subject=SUBJECT, finished_at=None).exists():
        record("vault.rotation_wanted", by=by, subject=SUBJECT)
    return engine.start(Reseal, subject=SUBJECT)
