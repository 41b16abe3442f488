"""What others wish of the fleet; each wish, its event and its run are written together."""

import re
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import letters
from accounts.models import Account, Letter
from audit.actions import record
from engine import actions as engine
from engine.clock import database_now
from servers.desired import host_name
from servers.models import Destruction, Server, Suspension
from servers.plans import PLACES, PLANS
from servers.programs.destroy import Destroy
from servers.programs.provision import Provision

NAME = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")
RESERVED = {
    "www",
    "mail",
    "smtp",
    "imap",
    "api",
    "admin",
    "control",
    "status",
    "ns1",
    "ns2",
    "localhost",
    "staff",
}
LEAST_NOTICE = timedelta(days=1)  # for an end that we heard of late
MOST_EXTENDED = 30  # days by which staff may put a deletion off, in all
WARNINGS = ("destruction_scheduled", "destruction_near", "grace_extended")
WATCHED_FOR = timedelta(minutes=2)


class BadName(ValueError):
    """The name cannot be a host's name; the text says why."""


class NameTaken(ValueError):
    """Another server has this name."""


class CannotExtend(ValueError):
    """The day of deletion cannot be moved so; the text says why."""


class BadPlace(ValueError):
    """There is no such data centre."""


@transaction.atomic
def want_server(*, account: Account, name: str, place: str, plan: str, by: str) -> Server:
    """Somebody wants a server; a program makes it. Raises BadName, NameTaken or BadPlace with a sentence for people."""
    name = good_name(name)
    if place not in PLACES:
        raise BadPlace(_("Choose one of the data centres."))
    server = _new_server(Server(account=account, name=name, place=place, plan=PLANS[plan].key))
    record(
        "server.wanted", by=by, account=account.pk, subject=server.subject, name=name, place=place, plan=plan
    )
    engine.start(Provision, subject=server.subject)
    return server


def good_name(name: str) -> str:
    """The name in lower case, if it can be a host's. Raises BadName."""
    name = name.strip().lower()
    if not name:
        raise BadName(_("Give your server a name."))
    if not NAME.fullmatch(name) or "--" in name:
        raise BadName(
            _(
                "A name is 1 to 40 letters, digits and single dashes; it begins with a letter and ends without a dash."
            )
        )
    if name in RESERVED:
        raise BadName(_("“%s” is kept for other uses. Choose another name.") % name)
    return name


def _new_server(server: Server) -> Server:
    try:
        with transaction.atomic():
            server.save(force_insert=True)
    except IntegrityError:
        raise NameTaken(_("“%s” is taken. Choose another name.") % server.name) from None
    return server


@transaction.atomic
def schedule_destruction(*, server: Server, ended_at: datetime, reason: str, by: str) -> Destruction | None:
    """The server will be destroyed DESTRUCTION_GRACE after `ended_at`, and never without a day's notice.

    Saying so again changes nothing. None if the server is gone already.
    """
    server = Server.objects.select_for_update().get(pk=server.pk)
    if server.gone_at:
        return None
    # In UTC, for a moment that knows its zone counts days by the wall, and those have 23 or 25 hours when clocks change.
    due = max(ended_at.astimezone(UTC) + settings.DESTRUCTION_GRACE, database_now() + LEAST_NOTICE)
    row, new = Destruction.objects.get_or_create(
        server=server, defaults={"by": by, "reason": reason, "due_at": due}
    )
    if new:
        _tell_of_destruction(server, row, by)
    return row


def _tell_of_destruction(server: Server, row: Destruction, by: str) -> None:
    record(
        "destruction.scheduled",
        by=by,
        account=cast(UUID, server.account_id),
        subject=server.subject,
        due_at=row.due_at.isoformat(timespec="seconds"),
        reason=row.reason,
    )
    letters.to_owners(
        server.account,
        "destruction_scheduled",
        key=f"destruction_scheduled:{server.pk}:{row.said_at:%Y%m%dT%H%M%S%f}",
        server=host_name(server),
        due=row.due_at.isoformat(timespec="seconds"),
        url=f"/servers/{server.pk}",
    )
    engine.start(Destroy, subject=server.subject)


@transaction.atomic
def extend_grace(*, server: Server, days: int, by: str, reason: str) -> Destruction:
    """The day of deletion comes `days` later; in all by MOST_EXTENDED at most. Raises CannotExtend."""
    row = Destruction.objects.select_for_update().filter(server=server, begun_at=None).first()
    if row is None:
        raise CannotExtend(_("It is not going to be deleted, or its deletion has begun."))
    if not 1 <= days <= MOST_EXTENDED - row.extended_days:
        raise CannotExtend(_("The day can be moved by at most %d days in all.") % MOST_EXTENDED)
    row.due_at += timedelta(days=days)
    row.extended_days += days
    row.warned_days = None
    row.save(update_fields=["due_at", "extended_days", "warned_days"])
    due = row.due_at.isoformat(timespec="seconds")
    _record("destruction.put_off", server, by, due_at=due, days=days, reason=reason)
    _tell(server, "grace_extended", f"{row.said_at:%Y%m%dT%H%M%S%f}:{row.extended_days}", due=due)
    engine.wake(subject=server.subject, program=Destroy)
    return row


def _record(what: str, server: Server, by: str, **facts: object) -> None:
    record(what, by=by, account=cast(UUID, server.account_id), subject=server.subject, **facts)


def _tell(server: Server, kind: str, key: str, **words: object) -> None:
    """A letter to the owners that leads to the server's page; once for each key."""
    letters.to_owners(
        server.account,
        kind,
        key=f"{kind}:{server.pk}:{key}",
        server=host_name(server),
        url=f"/servers/{server.pk}",
        **words,
    )


@transaction.atomic
def suspend_sending(*, server: Server, reason: str, by: str) -> Suspension:
    """Nothing leaves the server until it is resumed; what is sent waits in its queue. Once said, it is said."""
    server = Server.objects.select_for_update().select_related("account").get(pk=server.pk)
    row, new = Suspension.objects.get_or_create(
        server=server, ended_at=None, defaults={"by": by, "reason": reason[:200]}
    )
    if new:
        _record("sending.suspended", server, by, reason=reason)
        _tell(server, "sending_suspended", str(row.pk), reason=row.reason)
        look_again(server=server)
    return row


@transaction.atomic
def resume_sending(*, server: Server, by: str, reason: str = "") -> bool:
    """Mail leaves it again; false where sending was not suspended."""
    server = Server.objects.select_for_update().select_related("account").get(pk=server.pk)
    row = Suspension.objects.filter(server=server, ended_at=None).first()
    if row is None:
        return False
    row.ended_at, row.ended_by = timezone.now(), by
    row.save(update_fields=["ended_at", "ended_by"])
    _record("sending.resumed", server, by, reason=reason)
    _tell(server, "sending_resumed", str(row.pk))
    look_again(server=server)
    return True


@transaction.atomic
def keep_server(*, server: Server, by: str) -> bool:
    """The customer came back: nothing will be destroyed. False if it is too late, because destruction has begun."""
    server = Server.objects.select_for_update().get(pk=server.pk)
    removed, _rows = Destruction.objects.filter(server=server, begun_at=None).delete()
    if not removed:
        return not server.gone_at and not Destruction.objects.filter(server=server).exists()
    _drop_warnings(server)
    _record("destruction.called_off", server, by)
    letters.to_owners(
        server.account,
        "server_kept",
        key=f"server_kept:{server.pk}:{timezone.now():%Y%m%dT%H%M%S%f}",
        server=host_name(server),
        url=f"/servers/{server.pk}",
    )
    engine.wake(subject=server.subject, program=Destroy)
    return True


def _drop_warnings(server: Server) -> None:
    """Of its end, where they are not sent yet; one that is being sent at this moment was written before."""
    unsent = Letter.objects.filter(account_id=server.account_id, kind__in=WARNINGS, sent_at=None, dropped="")
    mine = unsent.filter(context__url=f"/servers/{server.pk}").select_for_update(skip_locked=True)
    Letter.objects.filter(pk__in=[one.pk for one in mine]).update(dropped="its reader came back")


@transaction.atomic
def set_reboot_window(*, server: Server, days: list[int], hour: int, hours: int, by: str) -> None:
    """On these days (0 is Monday), from `hour` in UTC and for so many hours, the server may restart if it must."""
    server.reboot_days, server.reboot_hour, server.reboot_hours = sorted(set(days)), hour, hours
    server.save(update_fields=["reboot_days", "reboot_hour", "reboot_hours"])
    record(
        "server.reboot_window_set",
        by=by,
        account=cast(UUID, server.account_id),
        subject=server.subject,
        days=server.reboot_days,
        hour=hour,
        hours=hours,
    )
    engine.wake(subject=server.subject)


def look_again(*, server: Server) -> None:
    """What is wanted of the server may have changed: its programs look now and not when their rest is over."""
    engine.wake(subject=server.subject)


def watch(*, server: Server) -> None:
    """Somebody looks at the server: its reports come faster for two minutes."""
    now = timezone.now()
    if server.watched_until is None or server.watched_until - now < WATCHED_FOR / 2:
        Server.objects.filter(pk=server.pk).update(watched_until=now + WATCHED_FOR)
