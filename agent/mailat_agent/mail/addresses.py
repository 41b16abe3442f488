"""Which address leads where: mailboxes, aliases flattened, what leaves the host, and who may send as whom."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .part import STORE, Host
from .state import Mail

PLAIN = re.compile(r"[a-z0-9][a-z0-9._+-]*")  # local parts that are file names as they are
TECHNICAL = (
    "abuse",
    "mailer-daemon",
    "postmaster",
    "root",
)  # at the host's own name, kept in one hidden mailbox
FORWARD = "=forward."  # begins the hidden user that sends elsewhere what a mailbox forwards
CANARY = "mailat-canary"
NOBODY = "service"  # in the place of an owner's id: what is delivered for no person, such as the canary
PERSONAL = "=personal"  # the hidden user that sends elsewhere what mailboxes' own scripts redirect
CATCH_ALL = "=catch-all"  # the hidden user that hands on what a catch-all sends elsewhere


@dataclass(frozen=True)
class Routes:
    """What Postfix and Dovecot must agree on; every address is in lower case.

    `users` are all that Dovecot delivers to. `virtual` maps an address, or `@domain`, to where its mail goes.
    `redirects` are users without a mailbox, with the addresses elsewhere to which their script sends.
    """

    users: tuple[str, ...]
    virtual: dict[str, tuple[str, ...]]
    redirects: dict[str, tuple[str, ...]]
    senders: dict[str, tuple[str, ...]]


def file_name(local: str) -> str:
    """A local part as the name of a file or directory; what is unusual becomes `=` and two hex digits a byte."""
    if PLAIN.fullmatch(local):
        return local
    kept = PLAIN.pattern.partition("]")[0] + "]"
    return "".join(each if re.fullmatch(kept, each) else f"={ord(each):02x}" for each in local)


def local_part(name: str) -> str:
    """What `file_name` was given."""
    return re.sub(r"=([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), name)


def home(address: str, owner: str = NOBODY) -> str:
    """The directory of a user's mail and scripts: one for each person who ever had the address."""
    local, _, domain = address.rpartition("@")
    return f"{STORE}/{domain}/{file_name(local)}/{owner}"


def domain_of(address: str) -> str:
    return address.rpartition("@")[2]


def postmaster(host: Host) -> str:
    """The hidden mailbox of what is written to the host itself."""
    return f"postmaster@{host.hostname}"


def personal(host: Host) -> str:
    """The hidden user through whom mail leaves that a mailbox' own script redirects, or answers."""
    return f"{PERSONAL}@{host.hostname}"


def canaries(mail: Mail) -> list[str]:
    """At each domain an address of the canary's mailbox; no alias, which Postfix would resolve before it goes out."""
    return [f"{CANARY}@{domain.name}" for domain in mail.domains]


def routes(mail: Mail, host: Host) -> Routes:
    """All routes of an order on a host."""
    virtual, redirects = _aliases(mail)
    _add_catch_alls(mail, virtual, redirects)
    redirects |= {
        forwarder(box.address): far for box in mail.mailboxes if (far := split(box.forward, mail)[1])
    }
    for name in TECHNICAL:
        virtual[f"{name}@{host.hostname}"] = (postmaster(host),)
    technical = (host.canary_address, postmaster(host), personal(host), *canaries(mail))
    users = tuple(dict.fromkeys((*(box.address for box in mail.mailboxes), *redirects, *technical)))
    for user in users:
        # An address that leads to itself is not swallowed by what stands for the rest of its domain.
        if f"@{domain_of(user)}" in virtual:
            virtual.setdefault(user, (user,))
    return Routes(users, virtual, redirects, _senders(mail, host))


def forwarder(mailbox: str, detail: str = "") -> str:
    """The hidden user that sends elsewhere what a mailbox forwards."""
    local, _, domain = mailbox.rpartition("@")
    return f"{FORWARD}{local}{'+' if detail else ''}{detail}@{domain}"


def forwarded_by(user: str) -> str:
    """The mailbox for which a hidden user forwards, "" for all others."""
    return user.removeprefix(FORWARD) if user.startswith(FORWARD) else ""


def hidden(found: Routes, host: Host) -> list[str]:
    """Users to whom only this host itself writes."""
    return [
        *(user for user in found.users if user.startswith("=") and user in found.redirects),
        personal(host),
    ]


def split(targets: Iterable[str], mail: Mail) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Addresses in the customer's domains, and those elsewhere."""
    own = {domain.name for domain in mail.domains}
    near = tuple(target for target in targets if domain_of(target) in own)
    return near, tuple(target for target in targets if domain_of(target) not in own)


def _aliases(mail: Mail) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    virtual, redirects = {}, {}
    for address in _alias_targets(mail):
        inside, outside = _reach(mail, address)
        if outside:
            redirects[address] = outside
            inside = (address, *inside)
        if inside:
            virtual[address] = inside
    return virtual, redirects


def _alias_targets(mail: Mail) -> dict[str, tuple[str, ...]]:
    boxes = {box.address for box in mail.mailboxes}
    return {alias.address: alias.targets for alias in mail.aliases if alias.address not in boxes}


def _reach(mail: Mail, start: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Where mail to an address ends, here and elsewhere; a ring of aliases leads nowhere."""
    aliases, own = _alias_targets(mail), {domain.name for domain in mail.domains}
    inside: dict[str, None] = {}
    outside: dict[str, None] = {}
    seen, waiting = set(), [start]
    while waiting:
        address = waiting.pop(0)
        if address in seen:
            continue
        seen.add(address)
        if address in aliases:
            waiting.extend(aliases[address])
        else:
            (inside if domain_of(address) in own else outside)[address] = None
    return tuple(inside), tuple(outside)


def _add_catch_alls(
    mail: Mail, virtual: dict[str, tuple[str, ...]], redirects: dict[str, tuple[str, ...]]
) -> None:
    for domain in mail.domains:
        if domain.catch_all is None:
            continue
        inside, outside = _reach(mail, domain.catch_all)
        if outside:
            user = f"{CATCH_ALL}@{domain.name}"
            redirects[user] = outside
            virtual[user] = (user,)
            inside = (user, *inside)
        if inside:
            virtual[f"@{domain.name}"] = inside


def _senders(mail: Mail, host: Host) -> dict[str, tuple[str, ...]]:
    """Which users may send as an address: a mailbox as itself and as the aliases that lead to it."""
    boxes = {box.address for box in mail.mailboxes}
    found = {address: {address} for address in boxes}
    for address in _alias_targets(mail):
        if owners := boxes.intersection(_reach(mail, address)[0]):
            found[address] = set(owners)
    found[host.canary_address] = {host.canary_address}
    if mail.relay:
        # Test mails leave as any address that the customer names, by the canary's user, whose password only root has.
        found |= {f"@{domain.name}": set() for domain in mail.domains}
        found.setdefault(mail.relay.sender, set())
        for users in found.values():
            users.add(host.canary_address)
    return {address: tuple(sorted(users)) for address, users in sorted(found.items())}


def lines(entries: Iterable[tuple[str, str]]) -> str:
    """A texthash map; keys and values must hold no white space at their ends and no line breaks at all."""
    return "".join(f"{key}\t{value}\n" for key, value in entries)
