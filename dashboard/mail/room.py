"""How much room a plan has for mailboxes."""

from dataclasses import dataclass

from django.db.models import Count, Sum

from domains.actions.limits import Most
from domains.models import Mailbox
from servers.models import Server
from servers.plans import PLANS

USUAL = 5 * 10**9  # bytes: what a new mailbox is offered


@dataclass(frozen=True)
class Room:
    """`left` and `disk` in bytes, `used` and `mailboxes` as numbers."""

    used: int
    mailboxes: int
    left: int
    disk: int

    @property
    def offer(self) -> int:
        """The size that is proposed for one more mailbox."""
        return max(min(USUAL, self.disk // self.mailboxes, self.left), 10**7)


def most_of(server: Server) -> Most:
    plan = PLANS[server.plan]
    return Most(plan.mailboxes, plan.mail_bytes)


def room_of(server: Server) -> Room:
    most = most_of(server)
    rows = Mailbox.objects.living().filter(domain__home=server.pk)
    taken = rows.aggregate(number=Count("pk"), quota=Sum("quota"))
    return Room(taken["number"], most.mailboxes, max(most.disk - (taken["quota"] or 0), 0), most.disk)
