"""nftables: what may come in. Everything else is dropped; everything may go out."""

from ..log import say
from .commands import Failed, run
from .part import File, Host, Part
from .state import Mail
from .templates import plain

RULES = "firewall/rules.nft"
LOAD = ("nft", "--file", "/etc/nftables.conf")


def files(_mail: Mail, _host: Host) -> list[File]:
    """The rules, which are the same on every host."""
    return [File(RULES, plain(RULES), mode=0o755)]


def mend() -> None:
    """Load the rules again where somebody took them away; raises Failed."""
    try:
        run(["nft", "list", "chain", "inet", "mailat", "input"])
    except Failed:
        run(LOAD)
        say("the firewall's rules were gone and were loaded again")


PART = Part(
    name="firewall",
    files=files,
    links={"/etc/nftables.conf": RULES},
    check=(("nft", "--check", "--file", "/etc/nftables.conf"),),
    reload=(("systemctl", "reload-or-restart", "nftables.service"),),
    units=("nftables.service",),
)
