"""What the reports of a server complain of, as short codes; who is told when one begins and when it ends."""

import time
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import letters
from accounts.models import Letter
from audit.actions import record
from domains.models import Invitation
from engine.alarms import close_alarm, open_alarm
from engine.models import Alarm
from servers.desired import host_name
from servers.models import Agent, Server

MISSES = 2  # canaries in a row
DISK_NEARLY_FULL, DISK_FULL = 0.90, 0.97
CLOCK_OFF = 60.0  # seconds
CERTIFICATE_LEFT = 7 * 86400  # seconds; it is renewed long before
QUEUE_OLD = 4 * 3600  # seconds
FIX_OLD = 3 * 86400  # seconds
WORST = ("canary", "probe", "disk_full")  # mail does not flow as it should
TOLD = (
    "canary",
    "disk_full",
    "stopped",
    "certificate",
    "config",
    "update_taken_back",
)  # by letter, to the owners
LETTER_EVERY = timedelta(hours=6)
LASTING = timedelta(minutes=10)  # longer than a restart takes
AT_ONCE = 5  # troubles in a letter


def of(report: dict[str, Any]) -> list[str]:
    """The codes, sorted; what follows a colon names the thing."""
    mail = report.get("mail") or {}
    return sorted({*_of_host(report), *_of_mail(mail), *_of_upkeep(mail)})


def _of_host(report: dict[str, Any]) -> list[str]:
    services = report.get("services") or {}
    found = [f"service:{name}" for name, state in services.items() if state in ("failed", "inactive")]
    used, total = report.get("disk_used"), report.get("disk_total")
    share = used / total if used and total else 0
    if share > DISK_FULL:
        found.append("disk_full")
    elif share > DISK_NEARLY_FULL:
        found.append("disk")
    if abs(report.get("clock_off") or 0) > CLOCK_OFF:
        found.append("clock")
    return found + ["config" for line in report.get("undone") or [] if line.startswith("mail")][:1]


def _of_mail(mail: dict[str, Any]) -> list[str]:
    canary, queue = mail.get("canary") or {}, mail.get("queue") or {}
    found = ["canary"] if canary.get("misses", 0) >= MISSES else []
    found += [f"probe:{name}" for name, why in (mail.get("probes") or {}).items() if why]
    found += [f"stopped:{one['mailbox']}" for one in mail.get("stopped") or []]
    if canary.get("way") == "relay" and (queue.get("oldest") or 0) > QUEUE_OLD:
        found.append("queue")
    return found


def _of_upkeep(mail: dict[str, Any]) -> list[str]:
    now, patches = time.time(), mail.get("patches") or {}
    found = [
        f"certificate:{one['name']}"
        for one in mail.get("certificates") or []
        if one["names"] and (one["until"] or 0) - now < CERTIFICATE_LEFT
    ]
    old = [one for one in patches.get("pending") or [] if one["security"] and one["published_at"]]
    if any(now - one["published_at"] > FIX_OLD for one in old):
        found.append("fixes")
    return found + [f"update_taken_back:{one['package']}" for one in patches.get("taken_back") or []]


def is_worst(code: str) -> bool:
    """Whether mail does not flow while this lasts."""
    return code.partition(":")[0] in WORST


def says(code: str) -> str:
    """The trouble in a customer's words."""
    kind, _colon, what = code.partition(":")
    words = {
        "canary": _("Our test mail did not come back twice in a row."),
        "probe": _("The service “%s” does not answer as it should.") % what,
        "service": _("%s does not run.") % what,
        "disk": _("Its disk is nearly full."),
        "disk_full": _("Its disk is full: mail for you waits at its senders."),
        "clock": _("Its clock is wrong."),
        "config": _("It refused its newest settings and goes on with the ones before."),
        "queue": _("Mail has been waiting to leave for more than four hours."),
        "stopped": _("Sending was stopped for %s, because it sent far more than usual.") % what,
        "certificate": _("The certificate of %s will end soon and could not be renewed.") % what,
        "fixes": _("A security fix has been waiting for more than three days."),
        "update_taken_back": _("An update of %s did harm and was taken back.") % what,
    }
    return words.get(kind, code)


def advice(code: str) -> str:
    """What happens next, or what the customer can do."""
    kind = code.partition(":")[0]
    words = {
        "disk": _("Delete what you no longer need, or choose a larger plan."),
        "disk_full": _("Delete what you no longer need, or choose a larger plan. No mail is lost meanwhile."),
        "stopped": _("Change its password, then let it send again on its page."),
        "queue": _("Look at the page “Sending”: it says what the mail waits for."),
        "certificate": _("Check that the name still points to your server."),
    }
    return words.get(kind, _("The server tries to mend it by itself, and our staff have been told."))


@transaction.atomic
def changed(server_id: UUID, now: list[str]) -> None:
    """Writes down what began and what ended; of two reports at once, the later one finds nothing new."""
    agent = Agent.objects.select_for_update().select_related("server__account").get(pk=server_id)
    before = set(agent.troubles)
    Agent.objects.filter(pk=server_id).update(troubles=now)
    for code in sorted(set(now) - before):
        _began(agent.server, code)
    for code in sorted(before - set(now)):
        _ended(agent.server, code)


def _began(server: Server, code: str) -> None:
    _record(server, "server.trouble_began", code)
    if not code.startswith("stopped:"):
        open_alarm(
            key=f"{server.subject}:{code}",
            subject=server.subject,
            says=f"{server.name}: {says(code)}",
            advice="The server's page in the staff area shows its last report; the agent tries to heal it by itself.",
        )
    if code.partition(":")[0] in TOLD:
        tell(server, "server_trouble", code, says(code), advice(code))


def _ended(server: Server, code: str) -> None:
    _record(server, "server.trouble_ended", code)
    _no_longer_lasting(server, code)
    close_alarm(f"{server.subject}:{code}")
    if code in ("canary", "disk_full"):
        tell(server, "server_well", code, says(code), "")


def tell_of_lasting() -> None:
    """Staff heard at once of a service that is away; where that lasts, the owners do, in one letter for each server."""
    ids = [
        UUID(subject.removeprefix("server:")) for subject in set(_lasting().values_list("subject", flat=True))
    ]
    for server in Server.objects.filter(pk__in=ids, gone_at=None).select_related("account"):
        if codes := _lasting_of(server)[:AT_ONCE]:
            tell(server, "server_trouble", "lasting", " ".join(map(says, codes)), advice(codes[0]))


def _no_longer_lasting(server: Server, code: str) -> None:
    """Whoever was told of services that are away hears when the last of them is back."""
    told = Letter.objects.filter(key__startswith=f"server_trouble:{server.pk}:lasting:")
    if _lasting_of(server) == [code] and told.exists():
        tell(server, "server_well", "lasting", says(code), "")


def _lasting_of(server: Server) -> list[str]:
    keys = _lasting().filter(subject=server.subject).values_list("key", flat=True)
    return sorted(key.removeprefix(f"{server.subject}:") for key in keys)


def _lasting() -> QuerySet[Alarm]:
    old = Alarm.objects.filter(closed_at=None, opened_at__lt=timezone.now() - LASTING)
    return old.filter(key__regex=r"^server:[^:]+:(probe|service):")


def _record(server: Server, action: str, code: str) -> None:
    record(
        action,
        by="clock",
        account=cast(UUID, server.account_id),
        subject=server.subject,
        code=code,
        says=says(code),
    )


def tell(server: Server, kind: str, code: str, words: str, then: str) -> None:
    """A letter to the owners, and to the person whose mailbox it is about; by our own mail, never by the server's."""
    slot = int(timezone.now().timestamp() // LETTER_EVERY.total_seconds())
    context = {"server": host_name(server), "says": words, "next": then, "url": f"/servers/{server.pk}"}
    key = f"{kind}:{server.pk}:{code}:{slot}"
    letters.to_owners(server.account, kind, key=key, **context)
    person = _owner_of(server, code.removeprefix("stopped:")) if code.startswith("stopped:") else ""
    if person and person not in letters.owners(server.account):
        letters.post(kind, to=person, key=f"{key}:{person}", account=server.account, **context)


def _owner_of(server: Server, address: str) -> str:
    """The other address at which the owner of a mailbox was invited, or nothing."""
    local, _at, domain = address.partition("@")
    mine = Invitation.objects.filter(
        mailbox__local=local, mailbox__domain__name=domain, mailbox__domain__home=server.pk
    )
    newest = mine.exclude(used_at=None).order_by("-used_at").first()
    return newest.to if newest else ""
