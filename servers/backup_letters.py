"""Letters about backups: an alarm that concerns the customer is told when it begins and when it is over, each once.

Alarms are rows, and so are letters; what is owed is what the first say and the second do not yet. So nothing is lost or doubled,
whoever is killed between.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from accounts import letters
from accounts.models import Letter
from backups import proof
from engine.models import Alarm
from servers.desired import host_name
from servers.models import Server

TROUBLE, WELL = "backup_trouble", "backup_well"
PREFIX = "backups:"
SELDOM = timedelta(days=1)  # the same of a server is told at most so often
REMEMBERED = timedelta(days=366)  # an alarm that is open for longer is told once more
OVER_WITHIN = timedelta(days=7)  # as long the end of an alarm is looked for

OUR_TURN = lazy("Our staff have been told and look into it. You need not do anything.")
# What it means, what happens next or what the reader can do, and how its end is told.
WORDS = {
    "none": (
        lazy("Your server has not finished its first backup yet, although it should have by now. Mail is not affected; but what is deleted could not be brought back."),
        OUR_TURN,
        lazy("Your server has its first backup."),
    ),
    "old": (
        lazy("Your server's newest backup is older than it should be. Mail is not affected, and older backups are there; but what came since then is not in one yet."),
        lazy("The server tries again by itself, and our staff have been told. If its disk is full, delete what you no longer need."),
        lazy("Your server makes backups again, and the newest is fresh."),
    ),
    "shrinking": (
        lazy("Your server's newest backup has less than half of the mail that one of the last days had. What was deleted is still in the older backups until their time is over."),
        lazy("If so much was deleted on purpose, there is nothing to do. If not, change the passwords of your mailboxes and restore from an older backup before it leaves."),
        lazy("Your server's newest backup is no longer much smaller than the others of the last days."),
    ),
    "growing": (
        lazy("Your server's backups take more room than its plan has. They go on for now; when they take three times as much, no new one can be made."),
        lazy("Delete what you no longer need, or choose a larger plan. What was deleted leaves the backups when their time is over."),
        lazy("Your server's backups fit its plan again."),
    ),
    "removals": (
        lazy("Your server wanted to remove more than half of its backups within a day. We did not let it, because a thief would do the same."),
        lazy("Did you delete much mail a while ago? Then it is as it should be, and our staff allow it. If not, write to us at once."),
        lazy("That your server wanted to remove much of its backups has been looked at and settled."),
    ),
    "missing": (
        lazy("A part of your server's backups is not where it was stored. Some of the older mail may not come back from them. Mail on the server is not affected."),
        lazy("Our staff have been told and look into it. Until then please delete nothing that you may want back."),
        lazy("All parts of your server's backups are in their place again."),
    ),
    "damaged": (
        lazy("A part of your server's backups is damaged where it is stored. Some of the older mail may not come back from them. Mail on the server is not affected."),
        lazy("Our staff have been told and look into it. Until then please delete nothing that you may want back."),
        lazy("The damage to your server's backups has been looked at and mended."),
    ),
    "drill": (
        lazy("We restored your server's newest backup to see whether it is whole, and it did not come back as it should. Mail on the server is not affected."),
        lazy("Our staff have been told, and it is tried again each day. Until then please delete nothing that you may want back."),
        lazy("Your server's newest backup was restored to see whether it is whole, and this time all was as it should be."),
    ),
    "drill.room": (
        lazy("Your server's newest backup could not be restored for a test, because the server's disk has not enough room. The backup itself may well be whole."),
        lazy("A test needs room for your largest mailbox, and half a gigabyte. Delete what you no longer need, or choose a larger plan. It is tried again each day."),
        lazy("Your server's newest backup was restored to see whether it is whole, and all was as it should be."),
    ),
    "unproven": (
        lazy("For forty days no backup of your server has been restored to see whether it is whole. It may well be; but it is not proven."),
        lazy("A drill needs room for your largest mailbox on the server's disk, and a server that runs. You can start one on the page of backups."),
        lazy("A backup of your server was restored and compared, and all was as it should be."),
    ),
}  # fmt: skip


def tell() -> int:
    """Writes the letters that are owed; returns how many alarms they are about. Owners of a server that is gone are left in peace."""
    now = timezone.now()
    mine = Alarm.objects.filter(key__startswith=PREFIX).order_by("pk")
    began = [alarm for alarm in mine.filter(closed_at=None) if _is_theirs(alarm)]
    over = [alarm for alarm in mine.filter(closed_at__gt=now - OVER_WITHIN) if _is_theirs(alarm)]
    told = _told(TROUBLE, began + over, now)
    well = _told(WELL, over, now)
    new = [alarm for alarm in began if alarm.pk not in told and not _was_told_lately(alarm, now)]
    ended = [alarm for alarm in over if alarm.pk in told and alarm.pk not in well]
    return sum(_write(TROUBLE, alarm) for alarm in new) + sum(_write(WELL, alarm) for alarm in ended)


def kind_of(alarm: Alarm) -> str:
    """What follows the server's id in the alarm's key."""
    return alarm.key.rpartition(":")[2]


def _is_theirs(alarm: Alarm) -> bool:
    return kind_of(alarm) in WORDS and _home(alarm) is not None


def _home(alarm: Alarm) -> UUID | None:
    try:
        return UUID(alarm.key.removeprefix(PREFIX).partition(":")[0])
    except ValueError:
        return None


def _told(kind: str, alarms: list[Alarm], now: datetime) -> set[int]:
    """Those of the alarms that a letter of this kind was written about."""
    if not alarms:
        return set()
    written = Letter.objects.filter(kind=kind, written_at__gt=now - REMEMBERED)
    about = written.filter(context__alarm__in=[alarm.pk for alarm in alarms])
    return set(about.values_list("context__alarm", flat=True))


def _was_told_lately(alarm: Alarm, now: datetime) -> bool:
    lately = Letter.objects.filter(kind=TROUBLE, written_at__gt=now - SELDOM)
    return lately.filter(context__about=alarm.key).exists()


def _write(kind: str, alarm: Alarm) -> bool:
    home = _home(alarm)
    living = Server.objects.select_related("account").filter(gone_at=None)
    server = living.filter(pk=home).first() if home else None
    if server is None:
        return False
    words = says(alarm, server.pk) if kind == TROUBLE else (str(WORDS[kind_of(alarm)][2]), "")
    letters.to_owners(
        server.account,
        kind,
        key=f"{kind}:{alarm.pk}",
        server=host_name(server),
        says=words[0],
        next=words[1],
        url=f"/servers/{server.pk}/backups",
        alarm=alarm.pk,
        about=alarm.key,
    )
    return True


def says(alarm: Alarm, home: UUID) -> tuple[str, str]:
    """What is wrong, and what can be done; of a drill that failed, the mailbox that was not as it should be."""
    kind = kind_of(alarm)
    drill = (found := proof.of(home)) and found.drill if kind == "drill" else None
    if drill and drill.lacked_room:
        kind = "drill.room"
    what, then, _end = map(str, WORDS[kind])
    first = _("The first mailbox that differed is %s.") % drill.mailbox if drill and drill.mailbox else ""
    return f"{what} {first}".strip(), then
