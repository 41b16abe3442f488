"""A certificate authority of the tests: a root, and an intermediate that signs what is requested."""

import datetime
import sys
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


@dataclass
class Authority:
    """Signs with its intermediate; `write` and `read` carry it over to another process."""

    root_key: Key = field(default_factory=_key)
    key: Key = field(default_factory=_key)
    life: float = 90 * 86400.0  # seconds
    age: float = 0.0  # seconds that have passed of the life of what it signs

    def __post_init__(self) -> None:
        self.root = self._sign(
            _named("Test Root"), self.root_key, _named("Test Root"), self.root_key, ca=True
        )
        self.intermediate = self._sign(
            _named("Test Intermediate"), self.key, _named("Test Root"), self.root_key, ca=True
        )

    def _sign(
        self, subject: x509.Name, key: Key, issuer: x509.Name, by: Key, *, ca: bool
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(days=400))
        builder = builder.not_valid_after(now + datetime.timedelta(days=400))
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        return builder.sign(by, hashes.SHA256())

    def chain(self, request: bytes) -> str:
        """The chain for a request in PEM."""
        asked = x509.load_pem_x509_csr(request)
        names = asked.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        begins = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=self.age)
        leaf = (
            x509.CertificateBuilder()
            .subject_name(_named(names.value.get_values_for_type(x509.DNSName)[0]))
            .issuer_name(_named("Test Intermediate"))
            .public_key(asked.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(begins + datetime.timedelta(seconds=self.life))
            .add_extension(names.value, critical=False)
            .sign(self.key, hashes.SHA256())
        )
        return "".join(each.public_bytes(Encoding.PEM).decode() for each in (leaf, self.intermediate))

    def roots(self) -> str:
        return self.root.public_bytes(Encoding.PEM).decode()

    def write(self, place: Path) -> None:
        place.mkdir(parents=True, exist_ok=True)
        for name, key in (("root", self.root_key), ("key", self.key)):
            (place / name).write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        (place / "intermediate").write_bytes(self.intermediate.public_bytes(Encoding.PEM))
        (place / "times").write_text(f"{self.life} {self.age}")

    @classmethod
    def read(cls, place: Path) -> "Authority":
        root, key = (load_pem_private_key((place / name).read_bytes(), None) for name in ("root", "key"))
        assert isinstance(root, Key)
        assert isinstance(key, Key)
        life, age = (float(word) for word in (place / "times").read_text().split())
        authority = cls(root, key, life, age)
        authority.intermediate = x509.load_pem_x509_certificate((place / "intermediate").read_bytes())
        return authority


if __name__ == "__main__":  # what the stand-in for certbot calls: PLACE REQUEST CHAIN
    place, request, chain = map(Path, sys.argv[1:])
    chain.write_text(Authority.read(place).chain(request.read_bytes()))
