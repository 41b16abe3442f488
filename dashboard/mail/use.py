"""What a server says of its mailboxes: how full they are, and whose sending it has stopped."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from dashboard import figures
from dashboard.mail import told
from domains.models import Mailbox


@dataclass(frozen=True)
class Use:
    """How much of a mailbox is used; `sent` counts the recipients of the last 24 hours."""

    used: int
    messages: int
    sent: int
    quota: int

    @property
    def share(self) -> float:
        """Percent; at most 100 for the bar."""
        return min(figures.share(self.used, self.quota) or 0, 100)

    @property
    def full(self) -> bool:
        return self.share >= 95

    @property
    def says(self) -> str:
        return _("%(used)s of %(quota)s") % {
            "used": figures.size(self.used),
            "quota": figures.size(self.quota),
        }


@dataclass(frozen=True)
class Stop:
    """The server stopped the sending of a mailbox by itself."""

    at: datetime | None
    why: str


def use_of(mailbox: Mailbox, mail: Mapping[str, Any] | None) -> Use | None:
    """None while the server has not counted."""
    counted = told.part(mail or {}, "mailboxes").get(mailbox.address)
    if not isinstance(counted, list) or len(counted) < 3:
        return None
    figures_told = [figures.finite(one) or 0 for one in counted[:3]]
    used, messages, sent = (int(min(max(one, 0), 1e15)) for one in figures_told)
    return Use(used, messages, sent, mailbox.quota)


def stop_of(mailbox: Mailbox, mail: Mapping[str, Any] | None) -> Stop | None:
    """None unless it is stopped; a stop from before the last release is lifted already."""
    for one in told.rows(mail or {}, "stopped", 1000):
        if one.get("mailbox") == mailbox.address and told.whole(one, "releases") >= mailbox.releases:
            return Stop(told.moment(one, "at"), told.text(one, "why"))
    return None
