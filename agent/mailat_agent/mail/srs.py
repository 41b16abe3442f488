"""postsrsd: senders of forwarded mail rewritten, so that the next server's SPF check does not fail."""

import secrets
import subprocess
from pathlib import Path

from ..files import write_whole
from .addresses import domain_of
from .part import File, Host, Part
from .postfix import own_domains
from .state import Mail
from .templates import text

SECRET = Path("/etc/postsrsd.secret")
MADE = "srs-secret"  # in Host.home: this host's own, so that hosts born from one image do not share it


def files(mail: Mail, host: Host) -> list[File]:
    """The daemon's defaults: senders are rewritten to a domain that the way out accepts, or will accept."""
    own_first = mail.domains[0].name if mail.domains else host.hostname
    domain = domain_of(mail.relay.sender) if mail.relay else own_first
    own = ",".join(own_domains(mail, host))
    return [File("srs/default", text("srs/default", domain=domain, own=own))]


def ready(_mail: Mail, host: Host) -> None:
    """The secret with which addresses are signed, made once."""
    kept = host.home / MADE
    if not kept.exists():
        write_whole(kept, secrets.token_urlsafe(32) + "\n")
    if not SECRET.exists() or SECRET.read_text() != kept.read_text():
        write_whole(SECRET, kept.read_text())
        subprocess.run(["systemctl", "try-restart", "postsrsd.service"], check=False)


PART = Part(
    name="srs",
    files=files,
    links={"/etc/default/postsrsd": "srs/default"},
    reload=(("systemctl", "restart", "postsrsd.service"),),
    units=("postsrsd.service",),
    ready=ready,
)
