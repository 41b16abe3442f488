"""One order at an ACME server (RFC 8555), placed by Debian's certbot, and what its refusals mean in plain words."""

import hashlib
import http.client
import re
import secrets
import shutil
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from . import tls
from .state import Acme

WEBROOT = "acme"  # in Host.home: the folder that nginx serves as /.well-known/acme-challenge/'s root
PROOFS = ".well-known/acme-challenge"
DOOR = ("127.0.0.1", 80)  # where our own nginx answers
PATIENCE, AT_HOME = 300.0, 10.0  # seconds for one order, and for our own nginx
LONGEST = 300  # characters of what an ACME server says that are repeated
ABOUT_A_NAME = re.compile(
    r"^\s*(?:Domain|Identifier):\s*(?P<name>\S+)\s*\n\s*Type:\s*(?P<type>\S+)\s*\n\s*Detail:\s*(?P<detail>.*)$",
    re.MULTILINE,
)
RETRY_AFTER = re.compile(r"retry after (\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)", re.IGNORECASE)
NAMES = {
    "dns": "the authority finds no working DNS entry for it; check the name's A, AAAA and CAA records",
    "connection": "the authority cannot fetch a file from it on port 80; its records must lead to this server alone",
    "unauthorized": "the authority was answered by something other than this server; check where the name leads",
    "caa": "a CAA record of the domain forbids this authority; allow it there or remove the record",
    "rejectedIdentifier": "the authority issues no certificates for this name",
}
ORDERS = (
    (r"rateLimited|too many|rate limit", "the authority asks to wait before it issues more for this name"),
    (
        r"certificate verify failed|CERTIFICATE_VERIFY",
        "the ACME server's own certificate is not trusted here",
    ),
    (
        r"Requesting \S+: |Connection refused|timed out|Max retries|NameResolution|Name or service|unreachable",
        "the ACME server cannot be reached; it is asked again by itself",
    ),
    (
        r"serverInternal|maintenance|\b50[0234]\b",
        "the ACME server has trouble of its own; it is asked again by itself",
    ),
)
ACCOUNT_GONE = re.compile(r"accountDoesNotExist|Account \S+ (?:is )?not found|unable to find .*account", re.I)


@dataclass
class Refused(Exception):
    """No certificate came: `why` of the order as a whole, `names` by name, `after` the earliest time to come back."""

    why: str = ""
    names: dict[str, str] = field(default_factory=dict)
    after: float = 0.0


def served(home: Path) -> bool:
    """Whether our own web server hands out proofs: without that an order would fail, and failures are counted."""
    proof = home / WEBROOT / PROOFS / f"trial-{secrets.token_hex(8)}"
    text = secrets.token_hex(16)
    proof.parent.mkdir(parents=True, exist_ok=True)
    proof.write_text(text, encoding="ascii")
    try:
        connection = http.client.HTTPConnection(*DOOR, timeout=AT_HOME)
        connection.request("GET", f"/{PROOFS}/{proof.name}")
        return connection.getresponse().read(len(text) + 1) == text.encode("ascii")
    except (OSError, http.client.HTTPException):
        return False
    finally:
        proof.unlink(missing_ok=True)


def order(home: Path, acme: Acme, folder: Path) -> None:
    """Have the request in a folder signed, and the chain put beside it; raises Refused."""
    try:
        done = subprocess.run(
            _command(home, acme, folder),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise Refused("the ACME server did not finish in time; it is asked again by itself") from None
    except OSError as error:
        raise Refused(f"certbot cannot be started: {error.strerror}") from None
    if done.returncode != 0 or not tls.whole(folder):
        raise _refusal(home, acme, f"{done.stdout}\n{done.stderr}")


def _command(home: Path, acme: Acme, folder: Path) -> list[str]:
    place = _place(home, acme)
    who = (
        ["--email", acme.contact, "--no-eff-email"] if acme.contact else ["--register-unsafely-without-email"]
    )
    return [
        *("certbot", "certonly", "--non-interactive", "--agree-tos", "--no-directory-hooks", *who),
        *("--server", acme.directory, "--webroot", "--webroot-path", str(home / WEBROOT)),
        *("--config-dir", str(place / "config"), "--work-dir", str(place / "work")),
        *("--logs-dir", str(place / "logs"), "--max-log-backups", "3"),
        *("--csr", str(folder / tls.REQUEST), "--cert-path", str(folder / "cert.pem")),
        *("--chain-path", str(folder / "chain.pem"), "--fullchain-path", str(folder / tls.CHAIN)),
    ]


def _place(home: Path, acme: Acme) -> Path:
    """Accounts of different servers and contacts do not meet."""
    who = hashlib.sha256(f"{acme.directory} {acme.contact}".encode()).hexdigest()[:12]
    return home / "certbot" / who


def _refusal(home: Path, acme: Acme, said: str) -> Refused:
    if ACCOUNT_GONE.search(said):
        shutil.rmtree(_place(home, acme) / "config" / "accounts", ignore_errors=True)
        return Refused("the ACME server does not know this host's account any more; a new one is made")
    names = {
        match["name"].lower(): _about(match["type"], match["detail"]) for match in ABOUT_A_NAME.finditer(said)
    }
    if names:
        return Refused(names=names)
    for pattern, words in ORDERS:
        if re.search(pattern, said, re.IGNORECASE):
            return Refused(words, after=_after(said))
    return Refused(f"the ACME server refused: {_tidy(_last_words(said))}")


def _about(kind: str, detail: str) -> str:
    return f"{NAMES.get(kind, 'the authority refused it')} ({_tidy(detail)})"


def _after(said: str) -> float:
    if not (match := RETRY_AFTER.search(said)):
        return 0.0
    return datetime.fromisoformat(f"{match[1]}T{match[2]}").replace(tzinfo=UTC).timestamp()


def _last_words(said: str) -> str:
    """What stands after certbot's own opening, up to its advice to look elsewhere."""
    _, _, rest = said.rpartition("An unexpected error occurred:")
    lines = [line.strip() for line in (rest or said).splitlines() if line.strip()]
    return " ".join(line for line in lines if not line.startswith(("Ask for help", "Saving debug log")))


def _tidy(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)[:LONGEST].strip()
