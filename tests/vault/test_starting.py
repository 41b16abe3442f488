"""A process that was set up wrongly does not start: one sentence, exit code 78, no traceback, nothing secret."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from devtools.environment import product_env
from devtools.paths import ROOT
from mailat import starting
from tests.integration.world import database_url
from tests.tooling.test_image import settings_of
from tests.vault.conftest import Vault
from tests.vault.test_vectors import OURS
from vault import keys, pairs

GOOD = "Zq3-9sLkPwX7vB2nM5tRyUcE8aGhJ4dF6iOoQ1zTxNbVmKpWlS0eHrYu"


@pytest.fixture
def told(vault: Vault, settings: Any, capsys: pytest.CaptureFixture[str]) -> Any:
    """What a process says that starts so, or nothing if it starts."""
    settings.SECRET_KEY = GOOD

    def told(start: Any = starting.web) -> str:
        ends = None
        try:
            start()
        except SystemExit as ending:
            ends = ending.code
        said = capsys.readouterr().err
        assert ends == (78 if said else None), said
        assert not said or (said.startswith("Mailat does not start: ") and said.count("\n") == 1)
        return said

    return told


def public_pem(raw: bytes) -> bytes:
    """SubjectPublicKeyInfo of these 32 bytes, even of ones that no library would make."""
    import base64

    der = bytes.fromhex("302a300506032b656e032100") + raw
    return b"-----BEGIN PUBLIC KEY-----\n" + base64.b64encode(der) + b"\n-----END PUBLIC KEY-----\n"


def test_with_everything_right_each_kind_starts(told: Any, transactional_db: None):
    assert [told(start) for start in (starting.web, starting.clock, starting.worker)] == ["", "", ""]


def test_a_web_process_needs_no_private_key_and_a_worker_does(
    told: Any, vault: Vault, transactional_db: None
):
    vault.be_web()
    assert told() == ""
    assert "VAULT_PRIVATE_KEYS_FILE is not set" in told(starting.worker)


@pytest.mark.parametrize("start", [starting.web, starting.worker])
def test_nobody_starts_without_a_public_key(told: Any, settings: Any, start: Any):
    settings.VAULT_PUBLIC_KEYS_FILE = ""
    assert "there is no public key of the vault" in told(start)
    settings.VAULT_PUBLIC_KEYS_FILE = "/nowhere/keys.pem"
    assert "/nowhere/keys.pem, which cannot be read" in told(start)


SHORT = b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VuAyEAAAAA\n-----END PUBLIC KEY-----\n"
ED25519 = (
    Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
)
LOW_ORDER = bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "holds no key in PEM"),
        (b"a note to myself\n", "holds no key in PEM"),
        (SHORT, "damaged or too short"),
        (ED25519, "another kind of key than X25519"),
        (pairs.private_pem(X25519PrivateKey.generate()), "holds a private key"),
        (public_pem(bytes(32)), "published as an example"),
        (public_pem(b"\x09" + bytes(31)), "published as an example"),
        (public_pem(bytes.fromhex(OURS["pkRm"])), "published as an example"),
        (public_pem(bytes.fromhex(OURS["pkEm"])), "published as an example"),
        (public_pem(LOW_ORDER), "low order"),
    ],
    ids=[
        "empty",
        "words",
        "short",
        "ed25519",
        "private",
        "zeros",
        "base point",
        "rfc pkRm",
        "rfc pkEm",
        "low order",
    ],
)
def test_a_public_key_that_protects_nothing_is_refused(told: Any, vault: Vault, content: bytes, says: str):
    good = vault.public.read_bytes()
    vault.public.write_bytes(content)
    assert says in told()
    if content:
        vault.public.write_bytes(good + content)
        assert (says in told()) == (b"BEGIN" in content)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "holds no key in PEM"),
        (pairs.private_pem(X25519PrivateKey.from_private_bytes(bytes(32))), "published as an example"),
        (
            pairs.private_pem(X25519PrivateKey.from_private_bytes(bytes.fromhex(OURS["skRm"]))),
            "published as an example",
        ),
        (
            Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            "X25519",
        ),
        (b"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VuBCIEIAAA\n-----END PRIVATE KEY-----\n", "too short"),
        (pairs.private_pem(X25519PrivateKey.generate()), "which secrets are sealed to"),
    ],
    ids=["empty", "zeros", "rfc skRm", "ed25519", "short", "of another pair"],
)
def test_a_private_key_that_opens_nothing_of_ours_is_refused(
    told: Any, vault: Vault, transactional_db: None, content: bytes, says: str
):
    vault.private.write_bytes(content)
    said = told(starting.worker)
    assert says in said
    assert not any(line in said for line in content.decode().splitlines() if line and "-----" not in line)


def test_a_worker_without_a_key_that_a_row_still_needs_is_refused(
    told: Any, vault: Vault, transactional_db: None
):
    vault.keep()
    vault.add()
    assert told(starting.worker) == ""
    vault.drop(vault.first)
    assert f"lacks the private half of the vault's keys {vault.first}" in told(starting.worker)


def test_a_worker_does_without_keys_that_no_row_needs_any_more(
    told: Any, vault: Vault, transactional_db: None
):
    secret = vault.keep()
    vault.add()
    vault.drop(vault.first)
    from vault import actions

    actions.shred(secret=secret, by="user:1", why="removed")
    assert told(starting.worker) == ""


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("short", "has 5 characters and needs 50"),
        ("x" * 64, "example"),
        ("django-insecure-" + GOOD, "example"),
        ("only-for-tests-" + GOOD, "example"),
        (settings_of(ROOT / "deploy" / "secrets.example")["SECRET_KEY"], "example"),
    ],
    ids=["short", "one letter", "django's", "an earlier one of the tests", "the build's"],
)
def test_a_secret_key_that_is_none_is_refused_and_not_repeated(
    told: Any, settings: Any, given: str, says: str
):
    settings.SECRET_KEY = given
    for start in (starting.web, starting.worker, starting.clock):
        said = told(start)
        assert says in said
        assert given not in said


def test_commands_that_come_before_the_keys_run_without_them(told: Any, settings: Any):
    settings.VAULT_PUBLIC_KEYS_FILE = ""
    for words in (["vault_keys"], ["collectstatic", "--no-input"], ["check"], ["migrate", "--help"], []):
        assert told(lambda words=words: starting.command(["manage.py", *words])) == ""
    for words in (["migrate"], ["runserver"], ["shell"]):
        assert "public key" in told(lambda words=words: starting.command(["manage.py", *words]))


WEB = ["-c", "import mailat.wsgi"]
GUNICORN = ["-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "--bind", "127.0.0.1:0"]
WORKER = ["-m", "celery", "-A", "mailat.celery", "worker", "--pool", "threads"]
BEAT = ["-m", "celery", "-A", "mailat.celery", "beat", "--pidfile="]
MANAGE = ["manage.py", "migrate"]


def start(tmp_path: Path, words: list[str], **changed: str) -> subprocess.CompletedProcess[str]:
    env = product_env(tmp_path / "home", database_url=database_url(), signs=True) | {
        "PYTHONPATH": str(ROOT),
        **changed,
    }
    if words == BEAT:
        words = [*words, "-s", str(tmp_path / "beat")]
    return subprocess.run([sys.executable, *words], env={"PATH": os.environ["PATH"], **env}, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)  # fmt: skip


@pytest.mark.integration
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("words", "changed", "says"),
    [
        (WEB, {"VAULT_PUBLIC_KEYS_FILE": ""}, "there is no public key of the vault"),
        (GUNICORN, {"VAULT_PUBLIC_KEYS_FILE": "/nowhere"}, "cannot be read"),
        (WORKER, {"VAULT_PRIVATE_KEYS_FILE": ""}, "VAULT_PRIVATE_KEYS_FILE is not set"),
        (BEAT, {"SECRET_KEY": "short"}, "SECRET_KEY has 5 characters"),
        (MANAGE, {"SECRET_KEY": "only-for-tests-" + GOOD}, "SECRET_KEY is an example"),
        (MANAGE, {"SECRET_KEY": ""}, "The SECRET_KEY setting must not be empty"),
    ],
    ids=["web", "gunicorn", "worker", "beat", "manage.py", "no secret key"],
)
def test_the_process_ends_with_the_sentence_and_nothing_else(
    tmp_path: Path, words: list[str], changed: dict[str, str], says: str
):
    ended = start(tmp_path, words, **changed)
    assert ended.returncode == 78, ended.stderr
    said = ended.stderr + ended.stdout
    assert says in said
    assert "Traceback" not in said
    lines = [
        line for line in ended.stderr.splitlines() if "kombu.connection" not in line
    ]  # which names no host
    assert len(lines) == 1
    assert lines[0].startswith("Mailat does not start: ")


@pytest.mark.integration
@pytest.mark.django_db(transaction=True)
def test_a_worker_process_asks_the_rows_which_keys_they_need(tmp_path: Path, vault: Vault):
    vault.keep()
    other = X25519PrivateKey.generate()
    private, public = tmp_path / "other.pem", tmp_path / "other.pub.pem"
    private.write_bytes(pairs.private_pem(other))
    public.write_bytes(pairs.public_pem(other.public_key()))
    ended = start(tmp_path, WORKER, VAULT_PRIVATE_KEYS_FILE=str(private), VAULT_PUBLIC_KEYS_FILE=str(public))
    assert ended.returncode == 78
    assert f"keys {vault.first}, which secrets need" in ended.stderr
    assert keys.key_id(other.public_key()) not in ended.stderr
