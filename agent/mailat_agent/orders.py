"""What a worker of the control plane wants of this host: believed only if signed, ours and new."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .backup import wanted
from .mail import state
from .mail.patterns import Malformed
from .pace import LONGEST, SHORTEST

CONTEXT = b"mailat-desired-v1\n"  # so that no signature made for anything else is one of an order
MAX_BODY = 1024 * 1024  # characters: 200 mailboxes with 8 app passwords each are a third of it
MAX_VERSION = 2**31 - 1  # what the control plane counts with
MAX_SERVICES = 64

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOSTNAME = re.compile(rf"(?=.{{1,253}}\Z)(?:{_LABEL}\.)+{_LABEL}")
# A unit's name never begins like an option and is never a pattern.
_UNIT = re.compile(r"[A-Za-z0-9_:@\\][A-Za-z0-9_:@.\\-]{0,254}")


class Refusal(Exception):
    """An order that is not obeyed; `version` is what it claims to be (0 if unreadable), `why` is a fixed text."""

    def __init__(self, version: int, why: str) -> None:
        super().__init__(why)
        self.version = version
        self.why = why


@dataclass(frozen=True)
class Order:
    """A verified order; `poll_max` is in seconds, `body` the text that was signed.

    `mail` is None where it has no say, `backup` where no backups are made.
    """

    version: int
    issued: str
    hostname: str
    services: tuple[str, ...]
    poll_max: float
    body: str = field(repr=False)
    mail: state.Mail | None = field(default=None, repr=False)
    backup: wanted.Wanted | None = field(default=None, repr=False)


def verify(desired: object, keys: Mapping[str, Ed25519PublicKey], server: str, applied: int) -> Order:
    """The order in an answer, or a Refusal; only what passed the signature is looked at more closely."""
    body, key, signature = _envelope(desired)
    claimed = _claimed_version(body)
    if key not in keys:
        raise Refusal(claimed, "unknown key")
    if not _is_signed(body, keys[key], signature):
        raise Refusal(claimed, "bad signature")
    order = read(body, server)
    if order.version <= applied:
        raise Refusal(order.version, "not newer than what is applied")
    return order


def read(body: str, server: str) -> Order:
    """The order that a trusted body holds; raises Refusal where it is not a whole order for this server."""
    fields = _json_object(body)
    version = _claimed_version(body)
    if fields is None or not version:
        raise Refusal(version, "malformed body")
    if fields.get("server") != server:
        raise Refusal(version, "for another server")
    return Order(
        version=version,
        issued=_text(fields, version, "issued"),
        hostname=_hostname(fields, version),
        services=_services(fields, version),
        poll_max=_poll_max(fields, version),
        body=body,
        mail=_mail(fields, version),
        backup=_backup(fields, version),
    )


def _envelope(desired: object) -> tuple[str, str, str]:
    fields = desired if isinstance(desired, dict) else {}
    body, key, signature = fields.get("body"), fields.get("key"), fields.get("signature")
    if not (isinstance(body, str) and isinstance(key, str) and isinstance(signature, str)):
        raise Refusal(0, "malformed order")
    if len(body) > MAX_BODY:
        raise Refusal(0, "order too long")
    return body, key, signature


def _is_signed(body: str, key: Ed25519PublicKey, signature: str) -> bool:
    try:
        raw = base64.b64decode(signature, validate=True)
        if base64.b64encode(raw).decode() != signature:
            return False  # a second spelling of the same bytes
        key.verify(raw, CONTEXT + body.encode())
    except (ValueError, InvalidSignature):
        return False
    return True


def _claimed_version(body: str) -> int:
    version = (_json_object(body) or {}).get("version")
    if not isinstance(version, int) or isinstance(version, bool):
        return 0
    return version if 0 < version <= MAX_VERSION else 0


def _json_object(text: str) -> dict[str, object] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _text(fields: dict[str, object], version: int, name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise Refusal(version, f"malformed {name}")
    return value


def _hostname(fields: dict[str, object], version: int) -> str:
    value = _text(fields, version, "hostname")
    if not _HOSTNAME.fullmatch(value):
        raise Refusal(version, "malformed hostname")
    return value


def _services(fields: dict[str, object], version: int) -> tuple[str, ...]:
    value = fields.get("services")
    names = value if isinstance(value, list) and len(value) <= MAX_SERVICES else [None]
    if not all(isinstance(name, str) and _UNIT.fullmatch(name) for name in names):
        raise Refusal(version, "malformed services")
    return tuple(dict.fromkeys(names))


def _poll_max(fields: dict[str, object], version: int) -> float:
    value = fields.get("poll_max")
    if isinstance(value, bool) or not isinstance(value, int | float) or not SHORTEST <= value <= LONGEST:
        raise Refusal(version, "malformed poll_max")
    return float(value)


def _mail(fields: dict[str, object], version: int) -> state.Mail | None:
    if fields.get("mail") is None:
        return None
    try:
        return state.read(fields["mail"])
    except Malformed:
        raise Refusal(version, "malformed mail") from None


def _backup(fields: dict[str, object], version: int) -> wanted.Wanted | None:
    if fields.get("backup") is None:
        return None
    try:
        return wanted.read(fields["backup"])
    except Malformed:
        raise Refusal(version, "malformed backup") from None
