"""What the owner of a server may ask of its machine: another one, the old one again, or that the old one goes."""

from typing import cast
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actions import record
from backups import moving
from engine import actions as engine
from engine.models import Alarm
from servers import plan_changes, replacements
from servers.models import Destruction, Replacement, Server
from servers.programs.go_back import GoBack
from servers.programs.rebuild import Rebuild


class CannotMove(ValueError):
    """It cannot be moved now; the text says why, for people."""


@transaction.atomic
def want_rebuild(*, server: Server, by: str, point: str = "", plan: str = "") -> Replacement:
    """The server comes back on another machine, from that restore point or the newest. Raises CannotMove.

    `plan` is the new machine's, where it is another than the server's. While it is under way, saying so again changes nothing.
    """
    server = Server.objects.select_for_update().get(pk=server.pk)
    if row := replacements.living(server):
        return row
    if why := _obstacle(server, point):
        raise CannotMove(why)
    row = _new(server, by, point, plan)
    Server.objects.filter(pk=server.pk).update(rebuilding_since=row.asked_at)
    record(
        "server.rebuild_wanted", by=by, account=cast(UUID, server.account_id), subject=server.subject, point=point
    )  # fmt: skip
    engine.start(Rebuild, subject=server.subject)
    return row


def obstacle(server: Server) -> str:
    """Why it cannot be moved now, for its page; empty where it can."""
    return _obstacle(server, "")


def _obstacle(server: Server, point: str) -> str:
    if server.gone_at or Destruction.objects.filter(server=server, begun_at__isnull=False).exists():
        return _("It is being deleted.")
    if server.ready_at is None:
        return _("It is still being made.")
    change = plan_changes.living(server)
    if change and change.state == change.State.UNDER_WAY:
        return _("Its machine becomes another one at this moment.")
    if moving.newest_point(cast(UUID, server.pk), point) is None:
        return _("There is no restore point yet from which it could come back.")
    return ""


def _new(server: Server, by: str, point: str, plan: str) -> Replacement:
    with transaction.atomic():
        return Replacement.objects.create(
            server=server, asked_by=by, wish=point, old_machine=server.machine_id, old_type=server.machine_type,
            old_ipv4=server.ipv4, old_ipv6=server.ipv6, plan=plan, old_plan=server.plan,
        )  # fmt: skip


@transaction.atomic
def go_back(*, server: Server, by: str) -> bool:
    """The old machine is to serve again; false where that cannot be any more."""
    if not replacements.turn_back(server, ""):
        return False
    record("server.back_wanted", by=by, account=cast(UUID, server.account_id), subject=server.subject)
    engine.stop(Rebuild, subject=server.subject)
    engine.start(GoBack, subject=server.subject)
    return True


@transaction.atomic
def release_old(*, server: Server, by: str) -> bool:
    """The old machine need not be kept any longer; false where it is not being kept."""
    kept = Replacement.objects.filter(
        server=server, finished_at=None, state=Replacement.State.UNDER_WAY, served_at__isnull=False
    )
    if not kept.update(release_at=timezone.now()):
        return False
    record(
        "server.old_machine_released", by=by, account=cast(UUID, server.account_id), subject=server.subject
    )
    engine.wake(subject=server.subject, program=Rebuild)
    return True


def is_gone(server: Server) -> bool:
    """Whether Hetzner says that the machine of this server does not exist."""
    return Alarm.objects.filter(key=f"reap:{server.subject}", closed_at=None).exists()
