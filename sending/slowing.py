"""A mailbox whose mail comes back or is complained of is slowed, alone, before Amazon looks at the whole account.

Amazon reviews an account at 5 % of bounces or 0.1 % of complaints:
https://docs.aws.amazon.com/ses/latest/dg/reputationdashboardmessages.html.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from accounts import letters
from domains import actions as domains
from domains.models import Alias, Domain, Mailbox
from sending.models import Feedback
from servers.models import Agent

BY = "program:ReadNotice"
WINDOW = timedelta(days=1)
# Few bad ones among few mails say little; from these numbers on the shares count, which are below Amazon's.
BOUNCES, COMPLAINTS = 5, 2
BOUNCE_SHARE, COMPLAINT_SHARE = 0.04, 0.0008


def is_too_much(sent: int, bounces: int, complaints: int, part: float = 1) -> bool:
    """Whether enough came back or was complained of to count, and that is this part of a share or more."""
    return (bounces >= BOUNCES and bounces / sent >= part * BOUNCE_SHARE) or (
        complaints >= COMPLAINTS and complaints / sent >= part * COMPLAINT_SHARE
    )


@dataclass(frozen=True)
class Rates:
    """What one mailbox' mail met with in a day: recipients, hard bounces, complaints."""

    sent: int
    bounces: int
    complaints: int

    @property
    def too_bad(self) -> bool:
        return is_too_much(self.sent, self.bounces, self.complaints)

    @property
    def says(self) -> str:
        return f"Of {self.sent} recipients in a day {self.bounces} do not exist and {self.complaints} complained."


def look(mailbox: Mailbox) -> bool:
    """Slows it if need be, and tells its account; true if it was slowed now."""
    rates = rates_of(mailbox)
    if not rates.too_bad or not domains.slow_mailbox(mailbox=mailbox, why=rates.says, by=BY):
        return False
    account = mailbox.domain.account
    letters.to_owners(
        account,
        "mailbox_slowed",
        key=f"mailbox_slowed:{mailbox.pk}:{timezone.now():%Y-%m-%dT%H}",
        address=mailbox.address,
        says=rates.says,
        url=f"/mail/mailboxes/{mailbox.pk}",
    )
    return True


def rates_of(mailbox: Mailbox) -> Rates:
    """Of the last day, or since somebody forgave what was; the server counts what was sent."""
    since = max(timezone.now() - WINDOW, mailbox.lifted_at or mailbox.added_at)
    rows = Feedback.objects.filter(_left_from(mailbox), home=mailbox.domain.home, at__gt=since)
    bounces = rows.filter(kind="bounce", permanent=True).count()
    complaints = rows.filter(kind="complaint").count()
    sent = sent_by_mailbox(mailbox.domain.home).get(mailbox.address, 0)
    return Rates(max(sent, bounces + complaints, 1), bounces, complaints)


def sent_by_mailbox(home: UUID) -> dict[str, int]:
    """Recipients of the last day, as the server counts them for each mailbox."""
    agent = Agent.objects.filter(server=home).first()
    mail = (agent.report or {}).get("mail") or {} if agent else {}
    counted = mail.get("mailboxes") or {}
    return {
        address: int(row[2]) for address, row in counted.items() if isinstance(row, list) and len(row) > 2
    }


def _left_from(mailbox: Mailbox) -> Q:
    """Under its own name, with whatever stands behind a plus, and as aliases that are its alone."""
    aliases = [alias for alias, box in _sole_owners(mailbox.domain.home).items() if box == mailbox.address]
    found = Q()
    for address in (mailbox.address, *aliases):
        local, _at, domain = address.rpartition("@")
        found |= Q(sender=address) | Q(sender__startswith=f"{local}+", sender__endswith=f"@{domain}")
    return found


def mailboxes(rows: list[Feedback]) -> list[Mailbox]:
    """Those that wrote what came back. An alias that several have tells of none of them."""
    owners = _sole_owners(rows[0].home) if rows else {}
    senders = {owners.get(plain, plain) for plain in (_plain(row.sender) for row in rows)}
    found = [
        Mailbox.objects.living()
        .filter(domain__home=rows[0].home, local=local, domain__name=domain)
        .select_related("domain__account")
        .first()
        for local, _at, domain in (one.partition("@") for one in sorted(senders))
    ]
    return [one for one in found if one]


def _plain(address: str) -> str:
    """Without what stands behind a plus, which whoever has the mailbox chooses for each mail."""
    local, _at, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def _sole_owners(home: UUID) -> dict[str, str]:
    """Of each alias that leads to one mailbox here, its address: nobody else may write as the alias."""
    rows = Alias.objects.filter(domain__home=home).select_related("domain")
    targets = {row.address: list(row.targets) for row in rows}
    names = set(Domain.objects.filter(home=home).values_list("name", flat=True)) if targets else set()
    reached = {
        one: {box for box in _reached(one, targets) if box.rpartition("@")[2] in names} for one in targets
    }
    return {one: boxes.pop() for one, boxes in reached.items() if len(boxes) == 1}


def _reached(start: str, targets: dict[str, list[str]]) -> set[str]:
    """Where mail to an alias ends; a ring leads nowhere."""
    seen, waiting = set(), [start]
    while waiting:
        if (one := waiting.pop()) not in seen:
            seen.add(one)
            waiting.extend(targets.get(one, ()))
    return seen - targets.keys()
