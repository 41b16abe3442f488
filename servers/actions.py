"""What others wish of the fleet; each wish, its event and its run are written together."""

import re
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import letters
from accounts.models import Account
from audit.actions import record
from engine import actions as engine
from servers.desired import host_name
from servers.models import Destruction, Server
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
WATCHED_FOR = timedelta(minutes=2)


class BadName(ValueError):
    """The name cannot be a host's name; the text says why."""


class NameTaken(ValueError):
    """Another server has this name."""


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
    due = max(ended_at + settings.DESTRUCTION_GRACE, timezone.now() + LEAST_NOTICE)
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
def keep_server(*, server: Server, by: str) -> bool:
    """The customer came back: nothing will be destroyed. False if it is too late, because destruction has begun."""
    server = Server.objects.select_for_update().get(pk=server.pk)
    removed, _rows = Destruction.objects.filter(server=server, begun_at=None).delete()
    if not removed:
        return not server.gone_at and not Destruction.objects.filter(server=server).exists()
    record("destruction.called_off", by=by, account=cast(UUID, server.account_id), subject=server.subject)
    letters.to_owners(
        server.account,
        "server_kept",
        key=f"server_kept:{server.pk}:{timezone.now():%Y%m%dT%H%M%S%f}",
        server=host_name(server),
        url=f"/servers/{server.pk}",
    )
    engine.wake(subject=server.subject, program=Destroy)
    return True


def watch(*, server: Server) -> None:
    """Somebody looks at the server: its reports come faster for two minutes."""
    now = timezone.now()
    if server.watched_until is None or server.watched_until - now < WATCHED_FOR / 2:
        Server.objects.filter(pk=server.pk).update(watched_until=now + WATCHED_FOR)
