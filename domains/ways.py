"""Where mail to an address of ours goes: which addresses there are, and whether it would run in a circle."""

from dataclasses import dataclass, field
from uuid import UUID

from domains.models import Alias, Domain, Mailbox


@dataclass(frozen=True)
class Ways:
    """Addresses and where their mail goes on to: `catch_alls` by domain, `mailboxes` and `aliases` by address."""

    catch_alls: dict[str, str | None] = field(default_factory=dict)
    mailboxes: dict[str, list[str]] = field(default_factory=dict)
    aliases: dict[str, list[str]] = field(default_factory=dict)

    def found(self, address: str) -> str | None:
        """The mailbox or alias that takes mail to this address; None if nobody here does."""
        local, _at, domain = address.rpartition("@")
        for one in (address, f"{local.partition('+')[0]}@{domain}", self.catch_alls.get(domain)):
            if one and (one in self.mailboxes or one in self.aliases):
                return one
        return None

    def is_missing(self, address: str) -> bool:
        """Whether it is at a domain of ours, where nobody has it."""
        return address.rpartition("@")[2] in self.catch_alls and self.found(address) is None

    def onward(self, address: str) -> list[str]:
        here = self.found(address)
        return [] if here is None else self.aliases.get(here) or self.mailboxes.get(here, [])

    def circle(self, start: str, over: str = "") -> list[str]:
        """The way from this address back to itself, both ends named, over this target or over any; empty if there is none."""
        origin, known = self.found(start), set[str]()
        open_ways = [[start, target] for target in ([over] if over else self.onward(start))] if origin else []
        while open_ways:
            way = open_ways.pop()
            here = self.found(way[-1])
            if here == origin:
                return way
            if here and here not in known:
                known.add(here)
                open_ways += [[*way, target] for target in self.onward(here)]
        return []


def of_account(account: UUID) -> Ways:
    """All addresses of the account, on whichever server; three queries."""
    domains = Domain.objects.filter(account=account).select_related("catch_all__domain")
    mailboxes = Mailbox.objects.living().filter(domain__account=account).select_related("domain")
    aliases = Alias.objects.filter(domain__account=account).select_related("domain")
    return Ways(
        {row.name: caught_by(row) for row in domains},
        {row.address: list(row.forward) for row in mailboxes},
        {row.address: list(row.targets) for row in aliases},
    )


def caught_by(domain: Domain) -> str | None:
    """Who gets what nobody else does. A removed mailbox keeps this place, for it may come back, but catches nothing."""
    mailbox = domain.catch_all
    return mailbox.address if mailbox and not mailbox.removed_at else None
