"""A certificate that the host makes itself, so that its daemons start before any authority was asked."""

import datetime
import os
import shutil
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ..files import write_whole
from . import tls
from .part import Host

LIFE = datetime.timedelta(days=3650)
BEFORE = datetime.timedelta(days=1)  # for clocks that are behind


def ensure(host: Host) -> None:
    """See that the host's own name has a chain and a key; one that is there stays, whoever issued it."""
    if tls.in_force(host.home, host.hostname) is not None:
        return
    folder = tls.kept(host.home, host.hostname) / "0"
    if not tls.whole(folder):
        shutil.rmtree(folder, ignore_errors=True)
        _make(folder, host.hostname)
    tls.put_in_force(host.home, host.hostname, 0)


def _make(folder: Path, hostname: str) -> None:
    fresh = folder.with_name("self-signed")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    key = ec.generate_private_key(ec.SECP256R1())
    write_whole(fresh / tls.KEY, key.private_bytes(*tls.FORMAT).decode(), mode=0o640)
    chain = _certificate(hostname, key).public_bytes(serialization.Encoding.PEM)
    write_whole(fresh / tls.CHAIN, chain.decode(), mode=0o644)
    os.rename(fresh, folder)


def _certificate(hostname: str, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    itself = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "self-signed")])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(itself)
        .issuer_name(itself)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BEFORE)
        .not_valid_after(now + LIFE)
        .add_extension(tls.alternatives([hostname]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    return builder.sign(key, hashes.SHA256())
