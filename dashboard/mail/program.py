"""What the owner of a mailbox enters in a mail program, and where webmail is."""

from dataclasses import dataclass

from dashboard.mail import health, told
from domains.models import Mailbox
from servers.desired import host_name
from servers.models import Server


@dataclass(frozen=True)
class Program:
    """`server` is the domain's own name once it has a certificate, and else the server's, which always has one."""

    address: str
    server: str
    webmail: str
    profile: str


def program_of(mailbox: Mailbox, server: Server) -> Program:
    """`profile` is the address of Apple's profile; empty while the name that it is at is not set up."""
    names = {name for one in health.certificates_of(told.mail_of(server) or {}) for name in one.names}
    host, domain = host_name(server), mailbox.domain.name
    own = lambda service: f"{service}.{domain}" if f"{service}.{domain}" in names else ""  # noqa: E731
    autoconfig = own("autoconfig")
    return Program(
        address=mailbox.address,
        server=own("mail") or host,
        webmail=f"https://{own('webmail') or host}/",
        profile=f"https://{autoconfig}/apple.mobileconfig" if autoconfig else "",
    )
