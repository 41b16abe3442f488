"""Chains and keys on the host's disk: each name has numbered folders, and a symlink to the one in force.

`tls/<name>` is the symlink, `tls/.kept/<name>/<number>` the folders; number 0 is self-signed. What is being made lies in
`tls/.kept/<name>/next` until it is whole. A daemon that opens both files finds two that belong together.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ..files import write_whole

CHAIN, KEY, REQUEST, NEXT = "fullchain.pem", "privkey.pem", "request.pem", "next"
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
KEEP = 2  # folders of a name beside the self-signed one
PATIENCE = 30.0  # seconds
FORMAT = (
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
)


@dataclass(frozen=True)
class Certificate:
    """What a certificate says; times in seconds since 1970."""

    names: tuple[str, ...]
    begins: float
    until: float
    issuer: str
    number: int


def in_force(home: Path, name: str) -> Certificate | None:
    """The certificate that daemons load for a name, or None where there is none that can be read."""
    with contextlib.suppress(OSError, ValueError):
        folder = (home / "tls" / name).resolve(strict=True)
        return _read(folder / CHAIN, int(folder.name))
    return None


def names_served(home: Path, name: str) -> frozenset[str]:
    """The names for which a certificate's holder can speak, none where there is no certificate."""
    certificate = in_force(home, name)
    return frozenset(certificate.names) if certificate else frozenset()


def _read(path: Path, number: int = 0) -> Certificate:
    leaf = x509.load_pem_x509_certificates(path.read_bytes())[0]
    return Certificate(
        names=_names(leaf),
        begins=leaf.not_valid_before_utc.timestamp(),
        until=leaf.not_valid_after_utc.timestamp(),
        issuer=_issuer(leaf),
        number=number,
    )


def _names(leaf: x509.Certificate) -> tuple[str, ...]:
    try:
        extension = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return tuple(extension.value.get_values_for_type(x509.DNSName))


def _issuer(leaf: x509.Certificate) -> str:
    words = [
        str(part.value)
        for kind in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)
        for part in leaf.issuer.get_attributes_for_oid(kind)
    ]
    return " ".join(dict.fromkeys(words))


def why_not_trusted(home: Path, name: str, host: str) -> str:
    """What keeps the chain in force from verifying against this system's authorities, or nothing (openssl-verify(1))."""
    chain = str(home / "tls" / name / CHAIN)
    asked = ("-CAfile", AUTHORITIES, "-purpose", "sslserver", "-verify_hostname", host, "-untrusted", chain)
    command = ("openssl", "verify", *asked, chain)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "it could not be verified"
    if done.returncode == 0:
        return ""
    reasons = [line.rpartition(": ")[2] for line in done.stderr.splitlines() if line.startswith("error ")]
    return reasons[0] if reasons else "it does not verify"


def begin(home: Path, name: str, names: Iterable[str]) -> Path:
    """A fresh folder with a new key and a request for the names; what an attempt before left there is gone."""
    fresh = kept(home, name) / NEXT
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    key = ec.generate_private_key(ec.SECP256R1())
    write_whole(fresh / KEY, key.private_bytes(*FORMAT).decode(), mode=0o640)
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    request = builder.add_extension(alternatives(names), critical=False).sign(key, hashes.SHA256())
    write_whole(fresh / REQUEST, request.public_bytes(serialization.Encoding.PEM).decode(), mode=0o644)
    return fresh


def alternatives(names: Iterable[str]) -> x509.SubjectAlternativeName:
    """The extension that says for which hosts a certificate is."""
    return x509.SubjectAlternativeName([x509.DNSName(name) for name in names])


def adopt(home: Path, name: str) -> bool:
    """Put what was obtained in force, also what a killed process had obtained; whether anything changed."""
    if whole(kept(home, name) / NEXT):
        _flush(kept(home, name) / NEXT)
        os.rename(kept(home, name) / NEXT, kept(home, name) / str(max(_numbers(home, name), default=0) + 1))
    newest = max(_numbers(home, name), default=None)
    if newest is None or _link(home, name) == newest:
        return False
    put_in_force(home, name, newest)
    return True


def whole(folder: Path) -> bool:
    """Whether a folder has a chain with its issuer, and the key of its first certificate."""
    try:
        chain = x509.load_pem_x509_certificates((folder / CHAIN).read_bytes())
        key = serialization.load_pem_private_key((folder / KEY).read_bytes(), None)
    except (OSError, ValueError):
        return False
    issued = len(chain) > 1 or chain[0].issuer == chain[0].subject
    return issued and chain[0].public_key() == key.public_key()


def put_in_force(home: Path, name: str, number: int) -> None:
    """Let the name's symlink lead to a folder, in one step, and forget old folders."""
    link = home / "tls" / name
    fresh = link.with_name(f".{name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(f".kept/{name}/{number}")
    _flush(kept(home, name))
    os.replace(fresh, link)
    _flush(link.parent)
    for old in sorted(_numbers(home, name) - {0, number})[: -KEEP + 1]:
        shutil.rmtree(kept(home, name) / str(old), ignore_errors=True)


def kept(home: Path, name: str) -> Path:
    """Where the folders of a name are."""
    return home / "tls" / ".kept" / name


def _numbers(home: Path, name: str) -> set[int]:
    return {int(path.name) for path in kept(home, name).glob("*") if path.name.isdecimal()}


def _link(home: Path, name: str) -> int | None:
    try:
        return int(Path(os.readlink(home / "tls" / name)).name)
    except (OSError, ValueError):
        return None


def _flush(folder: Path) -> None:
    for path in (*(each for each in folder.glob("*.pem") if each.is_file()), folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
