"""DKIM keys: one for each domain, made on this host, kept beside the generations and never in one."""

import base64
import shutil
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from ..files import write_whole
from .addresses import file_name
from .part import Host
from .state import Mail

SELECTOR = "mailat"
BITS = 2048  # what every verifier takes (RFC 8301), and SES too
READER = "_rspamd"


def path(host: Host, domain: str) -> Path:
    """Where a domain's private key lies."""
    return host.home / "dkim" / f"{file_name(domain)}.key"


def ready(mail: Mail, host: Host) -> None:
    """Makes the keys that are missing; one that is there is never replaced, also when its domain comes back."""
    folder = host.home / "dkim"
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    _give(folder, 0o750)
    for domain in mail.domains:
        key = path(host, domain.name)
        if not key.exists():
            write_whole(key, _make())
        _give(key, 0o640)


def _make() -> str:
    key = generate_private_key(public_exponent=65537, key_size=BITS)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _give(path: Path, mode: int) -> None:
    shutil.chown(path, "root", READER)
    path.chmod(mode)


def records(mail: Mail, host: Host) -> dict[str, dict[str, str]]:
    """What each domain's TXT record at `<selector>._domainkey` must say, for those whose key is made."""
    keys = {domain.name: path(host, domain.name) for domain in mail.domains}
    return {name: {"selector": SELECTOR, "txt": txt(key)} for name, key in keys.items() if key.exists()}


def txt(key: Path) -> str:
    """The record's text, in one piece (RFC 6376, 3.6.1)."""
    public = load_pem_private_key(key.read_bytes(), None).public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k=rsa; p={base64.b64encode(der).decode()}"
