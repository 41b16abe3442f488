"""The sandbox's own certificate authority: one key for as long as its home lasts, leaves made anew at every start."""

from __future__ import annotations

import dataclasses
import datetime
import ipaddress
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.internet.files import locked, write_whole

YEARS = datetime.timedelta(days=3650)
LEAF = datetime.timedelta(days=397)
EARLY = datetime.timedelta(days=2)  # a host whose clock is behind must not find it too young


@dataclasses.dataclass(frozen=True)
class Leaf:
    """A certificate with the authority's beside it, and its key, as files."""

    certificate: pathlib.Path
    key: pathlib.Path


class Authority:
    """Made at first use and kept below `home`, with a key that only its owner can read."""

    def __init__(self, home: pathlib.Path) -> None:
        self._place = home / "internet" / "ca"
        with locked(self._place / "lock"):
            if not (self._place / "ca.crt").exists():
                self._found()
        key = serialization.load_pem_private_key((self._place / "ca.key").read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError("the sandbox's authority has a key of another kind")
        self._key = key
        self.pem = (self._place / "ca.crt").read_bytes()
        self._certificate = x509.load_pem_x509_certificate(self.pem)

    def _found(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        number = x509.random_serial_number()
        name = _name(f"Sandbox CA {number % 0x1000000:06x}")
        usage = x509.KeyUsage(
            digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        certificate = (
            _builder(name, name, key.public_key(), YEARS)
            .serial_number(number)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        write_whole(self._place / "ca.key", _pem(key), mode=0o600)
        write_whole(self._place / "ca.crt", certificate.public_bytes(serialization.Encoding.PEM))

    def leaf(self, label: str, names: list[str], ips: list[str] | None = None) -> Leaf:
        """A certificate for a server with these names, in files that carry the label."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(key.public_key(), names, ips or [])
        files = Leaf(self._place / f"{label}.crt", self._place / f"{label}.key")
        write_whole(files.key, _pem(key), mode=0o600)
        write_whole(files.certificate, certificate.public_bytes(serialization.Encoding.PEM) + self.pem)
        return files

    def _sign(self, key: ec.EllipticCurvePublicKey, names: list[str], ips: list[str]) -> x509.Certificate:
        alternatives = [x509.DNSName(name) for name in names]
        numbers = [x509.IPAddress(ipaddress.ip_address(ip)) for ip in ips]
        return (
            _builder(_name(names[0]), self._certificate.subject, key, LEAF)
            .serial_number(x509.random_serial_number())
            .add_extension(x509.SubjectAlternativeName([*alternatives, *numbers]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, lasts: datetime.timedelta
) -> x509.CertificateBuilder:
    begins = datetime.datetime.now(datetime.UTC) - EARLY
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    return builder.not_valid_before(begins).not_valid_after(begins + EARLY + lasts)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption())
