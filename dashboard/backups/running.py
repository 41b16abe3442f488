"""What a server's backup is doing right now, from its last report."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext as _

from dashboard import figures, when
from dashboard.backups.found import Found
from dashboard.mail import told


@dataclass(frozen=True)
class Running:
    """`done` and `total` in bytes, `percent` None while the total is not known; `job` is empty for what comes round by itself."""

    job: str
    phase: str
    says: str
    done: int
    total: int
    left: timedelta | None

    @property
    def percent(self) -> int | None:
        return min(100, self.done * 100 // self.total) if self.total else None

    @property
    def amount(self) -> str:
        """How much of how much, and how long it still takes."""
        if not self.total:
            return ""
        some = {"done": figures.size(self.done), "total": figures.size(self.total), "percent": self.percent}
        words = _("%(done)s of %(total)s, %(percent)s %%") % some
        return words + (_("; about %s left") % when.about(self.left) if self.left else "")


def running_of(found: Found) -> Running | None:
    """None while nothing runs, and where the report is too old to say."""
    said = found.told.get("running")
    if not isinstance(said, dict) or found.is_silent:
        return None
    phase, total = told.text(said, "phase", 20), told.whole(said, "total")
    left = told.whole(said, "left")
    return Running(
        job=told.text(said, "job", 36),
        phase=phase,
        says=_phases().get(phase, _("It is at work.")),
        done=min(told.whole(said, "done"), total),
        total=total,
        left=timedelta(seconds=left) if 0 < left < 30 * 86400 else None,
    )


def _phases() -> dict[str, str]:
    return {
        "open": _("The server opens its backups."),
        "collect": _("The server collects what has changed."),
        "copy": _("The server encrypts what is new and copies it away."),
        "forget": _("The server lets go of restore points whose time is over."),
        "prune": _("The server tidies up what no restore point needs any more."),
        "restore": _("Mail comes back from the storage."),
        "compare": _("What came back is compared, message by message."),
        "check": _("The storage is looked through."),
        "export": _("The export is written."),
    }
