"""What happened to backups, in plain words: a sentence for each action that is recorded."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as lazy

ACTIONS = {
    "backup.begun": lazy("Backups of the server began"),
    "backup.ended": lazy("The backups ended with the server, and their password was destroyed"),
    "backup.job_done": lazy("The server did what it was asked: %(do)s"),
    "backup.job_failed": lazy("The server could not do what it was asked: %(do)s"),
    "backup.job_wanted": lazy("Asked the server: %(do)s"),
    "backup.limits_set": lazy("Set when backups may begin, and how fast they go"),
    "backup.removals_allowed": lazy("Let the server remove much of its backups for a day"),
    "backup.removals_refused": lazy(
        "The server wanted to remove more than half of its backups in a day, and was not let"
    ),
    "backup.removed": lazy("All backups of the server were deleted"),
    "backup.retention_changed": lazy(
        "Restore points are kept for another time from now on, as the plan says"
    ),
    "backup.retention_enforced": lazy(
        "Restore points whose time was over were let go, in the server's stead"
    ),
    "backup.strangers_removed": lazy("What does not belong to any server was removed from the storage"),
    "backup.trash_brought_back": lazy("What the server had removed of its backups was brought back"),
    "backup.trouble_began": lazy("Something is wrong with the backups: %(says)s"),
    "backup.trouble_ended": lazy("Over: %(says)s"),
}
DO = {
    "backup": lazy("back up now"),
    "look": lazy("look into a restore point"),
    "restore": lazy("restore"),
    "undo": lazy("undo a restore"),
    "drill": lazy("prove the backups"),
    "export": lazy("export"),
    "prune": lazy("tidy up"),
}


def readable(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The same with words in place of codes."""
    args = facts.get("args")
    do = "undo" if isinstance(args, Mapping) and args.get("undo") else facts.get("do")
    return {**facts, "do": DO[do]} if isinstance(do, str) and do in DO else dict(facts)
