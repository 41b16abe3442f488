"""The agents' door: they enrol once, and then report and fetch what was ordered. See agent/PROTOCOL.md."""

import json
import re
import time
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_POST, require_safe

from audit.actions import record
from backups.actions import note_report as note_backups
from domains.actions import confirm_erased, note_letters
from engine import actions as engine
from engine import prepared
from servers import backup_report, desired, health, mail_report, troubles
from servers.desired import POLL_BUSY, POLL_RESTING, POLL_WATCHED
from servers.models import Agent, Destruction, Server

MOST_BYTES = 128 * 1024
HEX_DIGEST = 64
# https://www.postgresql.org/docs/current/datatype-json.html: jsonb has no NUL, and no half of a surrogate pair.
NOT_STORED = re.compile("[\\0\ud800-\udfff]")
NOT_STORED_MAYBE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])|\xed[\xa0-\xbf]")

# One statement: whose it is, the report, its figures, and what is to be answered. It does not wait for the disk at its commit:
# a crash of Postgres may cost the last half second of reports, and the next ones come within a minute.
REPORT = """
WITH me AS (
  UPDATE servers_agent AS agent SET reported_at = clock_timestamp(), report = %s
    FROM servers_server AS server
   WHERE agent.server_id = %s AND agent.key_hash = %s AND server.id = agent.server_id AND server.gone_at IS NULL
  RETURNING agent.server_id, health, applied_version, desired_version, desired_body, desired_key, desired_signature,
            server.ready_at IS NULL OR server.rebuilding_since IS NOT NULL, coalesce(server.watched_until > clock_timestamp(), false), troubles),
figures AS (
  INSERT INTO servers_metric (server_id, at, cpu, memory, disk, load, received, sent, canary)
  SELECT server_id, date_trunc('second', clock_timestamp()), %s, %s, %s, %s, %s, %s, %s FROM me ON CONFLICT DO NOTHING)
SELECT me.*, set_config('synchronous_commit', 'off', true) FROM me"""


class Nonsense(ValueError):
    """The body is not what the protocol says."""


@require_safe
def program(request: HttpRequest) -> HttpResponseBase:
    """The agent itself; a machine checks it against the checksum that it was given."""
    file = (settings.AGENT_BUILD_DIR / "agent.pyz").open("rb")
    return FileResponse(file, content_type="application/octet-stream")


@require_POST
def enrol(request: HttpRequest) -> HttpResponse:
    """A new machine's agent shows its one-time token and says who it will be from now on."""
    try:
        said = said_object(request)
        server_id, key = UUID(_text(said, "server", 36)), _text(said, "key", HEX_DIGEST)
        token, seal_key = _text(said, "token", 200), _text(said, "seal_key", HEX_DIGEST)
    except ValueError:
        return JsonResponse({"error": "not an enrolment"}, status=400)
    facts = said.get("facts")
    return _enrol(server_id, token, key, seal_key, facts if isinstance(facts, dict) else {})


@transaction.atomic
def _enrol(server_id: UUID, token: str, key: str, seal_key: str, facts: dict[str, Any]) -> HttpResponse:
    server = Server.objects.select_for_update().filter(pk=server_id).first()
    if server is None or not _opens(server, token):
        return JsonResponse({"error": "this token opens nothing"}, status=403)
    agent, new = Agent.objects.get_or_create(
        server=server, defaults={"key_hash": key, "seal_key": seal_key, "facts": _small(facts)}
    )
    if not constant_time_compare(agent.key_hash, key):
        return JsonResponse({"error": "this token was used by another agent"}, status=403)
    if new:
        record("agent.enrolled", by=f"agent:{server.pk}", account=server.account_id, subject=server.subject)
        engine.signal("enrolled", subject=server.subject)
        engine.wake(subject=f"sending:{server.pk}")  # its password for SES is sealed to the new key
    return JsonResponse({"poll": POLL_BUSY})


def _opens(server: Server, token: str) -> bool:
    given = sha256(token.encode()).hexdigest()
    return bool(server.enrolment_hash) and constant_time_compare(server.enrolment_hash, given)


def _small(facts: dict[str, Any]) -> dict[str, str]:
    """At most twenty short facts."""
    return {str(name)[:40]: str(value)[:200] for name, value in list(facts.items())[:20]}


@require_POST
def report(request: HttpRequest) -> HttpResponse:
    """Once a minute from each server, so it is one statement."""
    try:
        server_id, key_hash = bearer(request)
        said = said_object(request)
        applied = _whole(said.get("applied", 0))
        sizes = {name: number(said.get(name)) for name in SIZES}
        backup = backup_report.kept(said.get("backup"))
        keeps = {**kept(said, sizes), "backup": backup_report.brief(backup)}
        values = [json.dumps(keeps), server_id, key_hash, *figures(sizes)]
    except ValueError:
        return JsonResponse({"error": "not a report"}, status=400)
    rows = prepared.run(REPORT, values)
    if rows and keeps["mail"]:
        _note(server_id, keeps["mail"])
    if rows and backup:
        note_backups(home=server_id, said=backup)
    return _answer(rows[0], applied, troubles.of(keeps)) if rows else unknown(server_id)


def _note(server_id: UUID, mail: dict[str, Any]) -> None:
    """What a server tells of things that it was ordered to do once."""
    if mail["erased"]:
        confirm_erased(home=server_id, told=mail["erased"])
    if mail["letters"]:
        note_letters(home=server_id, told=mail["letters"])


def bearer(request: HttpRequest) -> tuple[UUID, str]:
    """The server's id and the hash of the agent's secret."""
    kind, _, rest = request.headers.get("Authorization", "").partition(" ")
    server, _, secret = rest.partition(".")
    if kind != "Bearer" or not secret:
        raise Nonsense("no bearer")
    return UUID(server), sha256(secret.encode()).hexdigest()


def said_object(request: HttpRequest) -> dict[str, Any]:
    if int(request.headers.get("Content-Length") or 0) > MOST_BYTES:
        raise Nonsense("too long")
    try:
        said = json.loads(request.body)
        if NOT_STORED_MAYBE.search(request.body):
            said = _storable(said)
    except RecursionError:
        raise Nonsense("too deep") from None
    if not isinstance(said, dict):
        raise Nonsense("not an object")
    return said


def _storable(said: Any) -> Any:
    """The same without what Postgres keeps in no text: a host's words may have been cut anywhere."""
    if isinstance(said, str):
        return NOT_STORED.sub("\N{REPLACEMENT CHARACTER}", said)
    if isinstance(said, list):
        return [_storable(one) for one in said]
    if isinstance(said, dict):
        return {_storable(name): _storable(one) for name, one in said.items()}
    return said


def _text(said: dict[str, Any], name: str, most: int) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= most:
        raise Nonsense(name)
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise Nonsense("not a whole number")
    return value


def number(value: Any, most: float = 1e15) -> float | None:
    """A finite figure that is not negative, to six places; anything else, and so NaN and a boolean, is unknown.

    Postgres refuses a figure that is too small for its column, and no agent measures such a one.
    """
    return round(float(value), 6) if type(value) in (int, float) and 0 <= value <= most else None


def share(part: float | None, whole: float | None) -> float | None:
    """`part` of `whole` in percent."""
    return None if part is None or not whole else min(100.0, 100 * part / whole)


def figures(sizes: dict[str, float | None]) -> list[float | None]:
    """What is charted, in the order of the columns."""
    cpu = sizes["cpu"]
    return [
        None if cpu is None else min(100.0, cpu),
        share(sizes["mem_used"], sizes["mem_total"]),
        share(sizes["disk_used"], sizes["disk_total"]),
        sizes["load1"],
        sizes["net_rx"],
        sizes["net_tx"],
        sizes["canary_seconds"],
    ]


SIZES = (
    "mem_used",
    "mem_total",
    "swap_used",
    "disk_used",
    "disk_total",
    "load1",
    "uptime",
    "cpu",
    "net_rx",
    "net_tx",
    "canary_seconds",
)


def kept(said: dict[str, Any], sizes: dict[str, float | None]) -> dict[str, Any]:
    """The report as it is kept: known fields of the right kind, and no more."""
    services = said.get("services")
    refused = said.get("refused")
    return {
        **sizes,
        "applied": said.get("applied", 0),
        "agent": _word(said.get("agent")),
        "boot_id": _word(said.get("boot_id")),
        "refused": _word(refused.get("why")) if isinstance(refused, dict) else None,
        "undone": _undone(said.get("undone")),
        "services": _services(services) if isinstance(services, dict) else {},
        "clock_off": _clock_off(said.get("at")),
        "mail": mail_report.kept(said.get("mail")),
    }


def _clock_off(at: Any) -> float | None:
    """Seconds by which the host's clock is ahead of ours."""
    return round(at - time.time(), 1) if type(at) in (int, float) and abs(at) < 1e12 else None


def _word(value: Any) -> str:
    return value.replace("\0", "")[:200] if isinstance(value, str) else ""


def _undone(said: Any) -> list[str]:
    """What the agent could not carry out on its host, in its own words, for staff."""
    lines = said if isinstance(said, list) else []
    return [
        f"{_word(line.get('what'))}: {_word(line.get('why'))}"
        for line in lines[:20]
        if isinstance(line, dict)
    ]


def _services(said: dict[str, Any]) -> dict[str, str]:
    return {_word(name): _word(state) for name, state in list(said.items())[:64] if isinstance(state, str)}


def _answer(row: tuple[Any, ...], applied: int, now_troubled: list[str]) -> HttpResponse:
    server_id, health_was, applied_was, version, body, key, signature, being_made, watched, troubled, _ = row
    if now_troubled != troubled and not being_made:
        troubles.changed(server_id, now_troubled)
    if health_was != "healthy":
        health.heard_again(server_id)
    if applied > applied_was:
        _applied(server_id, applied, body if applied == version else "")
    behind = max(applied, applied_was) < version
    poll = POLL_BUSY if behind or being_made else POLL_WATCHED if watched else POLL_RESTING
    if not behind:
        return HttpResponse(f'{{"poll": {poll}, "desired": null}}', content_type="application/json")
    return JsonResponse({"poll": poll, "desired": {"body": body, "key": key, "signature": signature}})


@transaction.atomic
def _applied(server_id: UUID, version: int, body: str) -> None:
    """What was ordered is done, and whoever waits for that is told."""
    done: dict[str, Any] = {"applied_version": version}
    if body:
        done["applied_as_of"] = desired.issued(body)
    if Agent.objects.filter(server_id=server_id, applied_version__lt=version).update(**done):
        engine.signal("applied", subject=f"server:{server_id}")


def unknown(server_id: UUID) -> HttpResponse:
    """An agent whose server is destroyed stops for good; anybody else is told nothing."""
    if Destruction.objects.filter(server_id=server_id, begun_at__isnull=False).exists():
        return JsonResponse({"error": "this server is gone"}, status=410)
    return JsonResponse({"error": "unknown agent"}, status=401)
