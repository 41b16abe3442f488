"""A receipt says what was removed, and anybody can check it without us."""

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from audit import receipts
from audit.models import Receipt
from tests.environment import make_signing_keys
from tests.examples import ONE_WORLD
from vault import signing

pytestmark = pytest.mark.django_db
SCRIPT = settings.ROOT / "bin" / "verify-receipt"
FACTS = {
    "server": {"name": "anna.mailat.test", "addresses": ["192.0.2.7"], "machine_type": None},
    "removed": [
        {"what": "the machine and its disk", "provider": "Hetzner Cloud", "answer": "success", "command": "delete_server"},
        {"what": "looked for it once more", "answer": "no machine of this name", "count": 1, "certain": True},
    ],
}  # fmt: skip
Change = Callable[[dict], dict]


@pytest.fixture
def receipt() -> Receipt:
    return receipts.issue(account=uuid4(), subject=f"server:{uuid4()}", facts=FACTS, sign=signing.sign)


@pytest.fixture
def file(receipt: Receipt, tmp_path: Path) -> Path:
    file = tmp_path / "receipt.json"
    file.write_bytes(receipts.as_file(receipt))
    return file


def check(file: Path, *more: str, keys: str | Path | None = None) -> subprocess.CompletedProcess[str]:
    """As anybody would: without our settings, database or directory."""
    options = ["--keys", str(keys or settings.SIGNING_PUBLIC_KEYS_FILE)]
    command = [sys.executable, str(SCRIPT), str(file), *options, *more]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"]},
        cwd=file.parent,
    )


def test_a_subject_has_one_receipt_however_often_it_is_asked_for(receipt: Receipt) -> None:
    again = receipts.issue(
        account=receipt.account_id, subject=receipt.subject, facts={"other": 1}, sign=signing.sign
    )
    assert (again.pk, again.text) == (receipt.pk, receipt.text)


def test_what_is_signed_is_readable_and_has_one_form(receipt: Receipt) -> None:
    about = json.loads(receipt.text)
    assert about["facts"] == FACTS
    assert about["receipt"] == str(receipt.pk)
    assert about["issued"] == receipt.issued_at.isoformat(timespec="seconds")
    assert receipt.text == json.dumps(about, sort_keys=True, indent=2, ensure_ascii=False)
    assert signing.is_valid("receipt", receipt.text, signing.Signature(receipt.key, receipt.signature))


def test_it_is_worth_nothing_as_another_kind_of_order(receipt: Receipt) -> None:
    assert not signing.is_valid("desired", receipt.text, signing.Signature(receipt.key, receipt.signature))


def test_the_command_says_in_plain_words_what_was_removed(file: Path) -> None:
    result = check(file)
    assert result.returncode == 0, result.stderr
    for words in (
        "anna.mailat.test",
        "machine type: none",
        "- answer: success",
        "count: 1",
        "certain: yes",
        "VALID",
    ):
        assert words in result.stdout


@pytest.mark.parametrize(
    "change",
    [
        lambda d: {**d, "receipt": d["receipt"].replace("success", "succes5")},
        lambda d: {**d, "receipt": d["receipt"] + "\n"},
        lambda d: {**d, "receipt": d["receipt"].replace("\n", "\r\n")},
        lambda d: {**d, "receipt": d["receipt"] + "\ud800"},
        lambda d: {**d, "key": "0" * 16},
        lambda d: {**d, "key": None},
        lambda d: {**d, "signature": base64.b64encode(bytes(64)).decode()},
        lambda d: {**d, "signature": d["signature"][:-3] + "x=="},
        lambda d: {**d, "signature": "?"},
        lambda d: {"receipt": d["receipt"]},
        lambda d: [d],
        lambda d: "",
    ],
)  # fmt: skip
def test_any_change_makes_it_invalid(file: Path, change: Change) -> None:
    file.write_text(json.dumps(change(json.loads(file.read_text()))))
    result = check(file)
    assert result.returncode == 1
    assert result.stdout.startswith("INVALID")
    assert "VALID:" not in result.stdout.removeprefix("INVALID:")


def load_script() -> dict:
    """The same program, in this process, so that thousands of files can be tried."""
    names: dict = {"__name__": "verify_receipt", "__doc__": ""}
    exec(compile(SCRIPT.read_text(), SCRIPT, "exec"), names)  # noqa: S102  our own file
    return names


def is_valid(script: dict, document: bytes) -> bool:
    keys = script["public_keys"](settings.SIGNING_PUBLIC_KEYS_FILE)
    try:
        script["verified"](document, keys)
    except script["Invalid"]:
        return False
    return True


def test_each_flipped_byte_of_text_key_and_signature_makes_it_invalid(receipt: Receipt) -> None:
    script, document = load_script(), json.loads(receipts.as_file(receipt))
    assert is_valid(script, json.dumps(document).encode())
    for part in ("receipt", "key", "signature"):
        for place in range(len(document[part])):
            flipped = chr(ord(document[part][place]) ^ 1)
            changed = document[part][:place] + flipped + document[part][place + 1 :]
            assert not is_valid(script, json.dumps({**document, part: changed}).encode()), (part, place)


@hypothesis(
    max_examples=60,
    deadline=None,
    suppress_health_check=ONE_WORLD,
)
@given(st.data())
def test_a_damaged_file_never_says_another_thing_and_is_valid(receipt: Receipt, data: st.DataObject) -> None:
    script, whole = load_script(), bytearray(receipts.as_file(receipt))
    whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    if is_valid(script, bytes(whole)):
        assert json.loads(bytes(whole))["receipt"] == receipt.text


@pytest.mark.parametrize("junk", [b"", b"{}", b"[[[[", b"\xff\xfe", b"null", b"[" * 100_000])
def test_junk_is_invalid_and_no_crash(tmp_path: Path, junk: bytes) -> None:
    (tmp_path / "junk").write_bytes(junk)
    result = check(tmp_path / "junk")
    assert (result.returncode, result.stderr) == (1, "")


def test_a_stranger_cannot_sign_for_us(file: Path, tmp_path: Path) -> None:
    _, strangers = make_signing_keys(tmp_path)
    result = check(file, keys=strangers)
    assert result.returncode == 1
    assert "none of Mailat's" in result.stdout


def test_older_keys_in_the_bundle_still_check(file: Path, tmp_path: Path) -> None:
    _, other = make_signing_keys(tmp_path)
    other.write_bytes(other.read_bytes() + Path(settings.SIGNING_PUBLIC_KEYS_FILE).read_bytes())
    assert check(file, keys=other).returncode == 0


def test_keys_can_be_fetched_from_our_site(file: Path, live_server: object) -> None:
    assert check(file, keys=f"{live_server}/.well-known/mailat-signing-keys").returncode == 0


@pytest.mark.parametrize("keys", ["/nowhere.pem", "http://127.0.0.1:9/keys"])
def test_without_keys_it_says_that_it_cannot_check(file: Path, keys: str) -> None:
    result = check(file, keys=keys)
    assert result.returncode == 2
    assert result.stdout == ""


def test_what_a_provider_answered_cannot_steer_a_terminal(tmp_path: Path) -> None:
    evil = receipts.issue(
        account=uuid4(), subject="server:x", facts={"answer": "\x1b[2Jgone\u202e"}, sign=signing.sign
    )
    (tmp_path / "evil.json").write_bytes(receipts.as_file(evil))
    result = check(tmp_path / "evil.json")
    assert result.returncode == 0
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed here")
@pytest.mark.parametrize("honest", [True, False])
def test_openssl_alone_agrees(file: Path, tmp_path: Path, honest: bool) -> None:
    """The way that the command's help tells."""
    document = json.loads(file.read_text())
    text = document["receipt"] if honest else document["receipt"].replace("success", "refused")
    (tmp_path / "message").write_bytes(b"mailat-receipt-v1\n" + text.encode())
    (tmp_path / "signature").write_bytes(base64.b64decode(document["signature"]))
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", settings.SIGNING_PUBLIC_KEYS_FILE]
    result = subprocess.run(
        [*command, "-rawin", "-in", "message", "-sigfile", "signature"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert (result.returncode == 0) == honest
    assert "openssl pkeyutl -verify -pubin -inkey" in check(file, "--help").stdout
