"""What can be wrong with backups, in the words of their owners: what it is, and what happens or is to be done next."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from dashboard.backups.found import Found
from dashboard.backups.said import clean


@dataclass(frozen=True)
class Told:
    what: str
    todo: str
    since: datetime | None = None
    word: str = "bad"


def alarms_told(found: Found) -> list[Told]:
    """The worst first."""
    words = _alarms()
    return [
        Told(words[kind][0], words[kind][1], alarm.opened_at, "warn" if kind in MILD else "bad")
        for kind, alarm in sorted(found.alarms.items(), key=lambda pair: ORDER.index(pair[0]))
    ]


ORDER = ("none", "old", "drill", "damaged", "missing", "shrinking", "removals", "growing", "unproven")
MILD = ("shrinking", "removals", "growing", "unproven")


def _alarms() -> dict[str, tuple[str, str]]:
    ours = _("Our staff have been told.")
    return {
        "none": (_("There is no backup yet, though there should be one by now."), ours),
        "old": (
            _("The newest backup is older than it should be."),
            _("What was backed up before is there. %s You can try “Back up now” below.") % ours,
        ),
        "drill": (
            _("The last proof found something that did not come back as it was."),
            _("The list of proofs below says what. %s The mail on the server is not touched by this.") % ours,
        ),
        "unproven": (
            _("The backups were not proven for more than forty days."), _("Press “Prove it now”. If it cannot be done, the list of proofs says why."),
        ),
        "damaged": (_("Something in the storage is not as long as it was when it was stored."), ours),
        "missing": (_("Something that was stored is not in the storage any more."), ours),
        "shrinking": (
            _("The newest backup has less than half of what an earlier one of this week has."),
            _("If you did not delete so much on purpose, restore it now: the earlier points leave when their time is over."),
        ),
        "removals": (
            _("The server wanted to remove more than half of its backups within a day, and was not let."),
            _("Nothing was lost. %s If you did not delete very much, look under Activity who was signed in.") % ours,
        ),
        "growing": (
            _("The backups take more room than the plan's disk has."),
            _("They go on being made. Much that changes every day needs room in each restore point; a larger plan has more."),
        ),
    }  # fmt: skip


def failure(why: str) -> Told:
    """Why a job of the host's was not done; the host's own words stand in quotes where we have none for them."""
    known = next((told for sign, told in _failures().items() if sign in why), None)
    if known:
        return Told(*known)
    said = clean(why)[:300]
    what = (
        _("The server could not do it, and says: “%s”.") % said if said else _("The server could not do it.")
    )
    return Told(
        what,
        _("Nothing was changed. Try it again; if it fails again, write to us with the time of this page."),
    )


def _failures() -> dict[str, tuple[str, str]]:
    again = _("Nothing was changed. Try it again in a few minutes.")
    return {
        "no such restore point": (
            _("This restore point has left meanwhile, because its time was over."), _("Choose a newer one."),
        ),
        "no restore point yet": (_("There is no restore point yet."), _("Back up first, then try it again.")),
        "not in the restore point": (
            _("It is not in this restore point."), _("Look into another one: an older one if it was deleted since, a newer one if it was made later."),
        ),
        "is not served": (
            _("This mailbox is not on the server."), _("Bring it back or make it again first; then restore into it."),
        ),
        "not enough room": (
            _("The server's disk has not enough room for it."),
            _("Nothing was changed. Restore one folder or chosen messages, delete what is not needed, or take a larger plan."),
        ),
        "nothing is known of this restore": (
            _("The server does not know this restore any more, so it cannot undo it."),
            _("Delete the folder “Restored …” in a mail program instead."),
        ),
        "cut off each time": (_("It was cut off three times, and given up."), again),
        "did not answer within a week": (
            _("The server did not answer within a week, and it was given up."), _("When the server reports again, ask anew."),
        ),
        "server has ended": (_("The server was deleted."), ""),
        "holds the repository's lock": (_("Another run was using the backups."), again),
        "takes no more": (
            _("The storage takes no more: there is three times as much in it as the plan's disk holds."),
            _("Restore points that are there stay as they are. Take a larger plan, or write to us."),
        ),
        "not all could be restored": (
            _("Not everything could be fetched from the storage, so nothing was put into the mailbox."),
            _("Try it again, or from another restore point. If it fails again, press “Prove it now” on the page of the backups: it names what is damaged."),
        ),
        "does not know how": (_("The server's program is too old for this."), _("It is updated by itself within a day; ask again then.")),
        "password is not known": (_("The server does not have the password of its backups."), _("Our staff have been told.")),
        "storage is closed": (_("The storage is closed to this server."), _("Our staff have been told.")),
        "list of what this restore point has": (
            _("The list of what this restore point has is not the one that was made."),
            _("Choose another restore point. Press “Prove it now” on the page of the backups: it looks at all of them."),
        ),
        "may not be removed": (_("It would have removed more than half of the backups at once, and was not let."), _("Our staff have been told.")),
    }  # fmt: skip
