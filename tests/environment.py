"""The environment of every test, set before Django reads its settings. `bin/test` gives the database."""

import os
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

if "DATABASE_URL" not in os.environ:
    sys.exit("No DATABASE_URL: run the tests by `bin/test PATH`, which starts a Postgres for them.")

KEYS = Path(tempfile.mkdtemp(prefix="mailat-test-keys-"))
(KEYS / "static").mkdir()


def pytest_unconfigure() -> None:
    """The keys end with the tests that they are for."""
    shutil.rmtree(KEYS, ignore_errors=True)


def make_signing_keys(folder: Path) -> tuple[Path, Path]:
    """A private key and a bundle with its public one, as files."""
    key = Ed25519PrivateKey.generate()
    private, public = folder / "signing.pem", folder / "signing.pub.pem"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


def make_vault_keys(folder: Path) -> tuple[Path, Path]:
    """The private file of a worker and the public one of every process."""
    key = X25519PrivateKey.generate()
    private, public = folder / "vault-private-keys.pem", folder / "vault-public-keys.pem"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


PRIVATE, PUBLIC = make_signing_keys(KEYS)
VAULT_PRIVATE, VAULT_PUBLIC = make_vault_keys(KEYS)

DEFAULTS = {
    "AWS_API_URL": "http://127.0.0.1:1",  # nobody answers there: no test calls Amazon by chance
    "BASE_URL": "http://testserver",
    "SECRET_KEY": secrets.token_urlsafe(48),
    "SERVER_DOMAIN": "mailat.test",
    "BROKER_URL": f"filesystem://{KEYS}/broker",
    "GUMROAD_PRODUCT_URL": "http://gumroad.test/l/mailat",
    "GUMROAD_PRODUCT_ID": "product==",
    "GUMROAD_SELLER_ID": "seller==",
    "GUMROAD_TOKEN": "gumroad-token-for-tests",
    "GUMROAD_WEBHOOK_SECRET": "webhook-secret-for-tests",
    "HETZNER_TOKEN": "hetzner-token-for-tests",
    "IMAGE_BAKING": "false",
    "EMAIL_URL": "smtp://127.0.0.1:9",
    "MAIL_FROM": "Mailat <hello@mailat.test>",
    "STAFF_MAIL": "staff@mailat.test",
    "SIGNING_KEY_FILE": str(PRIVATE),
    "SIGNING_PUBLIC_KEYS_FILE": str(PUBLIC),
    "VAULT_PRIVATE_KEYS_FILE": str(VAULT_PRIVATE),
    "VAULT_PUBLIC_KEYS_FILE": str(VAULT_PUBLIC),
    "AGENT_BUILD_DIR": str(KEYS / "agent"),
    "STATIC_ROOT": str(KEYS / "static"),
    "LOG_FORMAT": "plain",
    "LOG_LEVEL": "WARNING",
}
for name, value in DEFAULTS.items():
    os.environ.setdefault(name, value)
