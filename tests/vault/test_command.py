"""`manage.py vault_keys`: pairs are made, added and dropped; a private half is never shown and never readable by others."""

import stat
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from engine.models import Run
from tests.vault.conftest import TEXT, Vault
from vault import keys
from vault.models import Secret


def run(*words: str, name: str = "vault_keys") -> str:
    out = StringIO()
    call_command(name, *words, stdout=out)
    return out.getvalue()


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


@pytest.fixture
def empty(tmp_path: Path, settings: Any) -> Path:
    """An installation before its first key."""
    for half in ("PRIVATE", "PUBLIC"):
        setattr(settings, f"VAULT_{half}_KEYS_FILE", str(tmp_path / f"vault-{half.lower()}-keys.pem"))
    return tmp_path


def test_the_first_pair_is_made_and_said_where_it_goes(empty: Path):
    said = run()
    private, public = empty / "vault-private-keys.pem", empty / "vault-public-keys.pem"
    assert [mode(private), mode(public)] == [0o600, 0o644]
    assert list(keys.private_keys()) == list(keys.public_keys()) == [keys.sealing()[0]]
    assert keys.sealing()[0] in said
    for file, setting in ((private, "VAULT_PRIVATE_KEYS_FILE"), (public, "VAULT_PUBLIC_KEYS_FILE")):
        assert str(file) in said
        assert setting in said


def test_no_line_of_a_private_half_is_ever_said(empty: Path):
    said = run() + run() + run("--new")
    lines = (empty / "vault-private-keys.pem").read_text().splitlines()
    assert not any(line in said for line in lines if "-----" not in line)


def test_a_second_time_nothing_is_made(empty: Path):
    run()
    before = {file.name: file.read_bytes() for file in empty.iterdir()}
    assert "There are keys already" in run()
    assert {file.name: file.read_bytes() for file in empty.iterdir()} == before


def test_a_new_pair_comes_last_and_the_old_one_stays(empty: Path):
    run()
    first = keys.sealing()[0]
    said = run("--new")
    assert list(keys.public_keys()) == list(keys.private_keys()) == [first, keys.sealing()[0]]
    assert first != keys.sealing()[0]
    assert "Start the workers anew, then all other processes" in said


def test_files_keep_the_mode_that_somebody_gave_them(empty: Path):
    run()
    for file in empty.iterdir():
        file.chmod(0o444)
    run("--new")
    assert {mode(file) for file in empty.iterdir()} == {0o444}
    assert len(keys.public_keys()) == 2


def test_both_may_be_in_a_folder_that_is_named(tmp_path: Path, settings: Any):
    settings.VAULT_PRIVATE_KEYS_FILE = settings.VAULT_PUBLIC_KEYS_FILE = ""
    run("--folder", str(tmp_path))
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "vault-private-keys.pem",
        "vault-public-keys.pem",
    ]


@pytest.mark.parametrize("half", ["private", "public"])
def test_one_file_without_the_other_is_a_mistake(empty: Path, half: str):
    run()
    (empty / f"vault-{half}-keys.pem").unlink()
    with pytest.raises(CommandError, match="they belong together"):
        run("--new")


def test_nothing_is_added_to_files_that_no_process_would_take(empty: Path):
    run()
    (empty / "vault-public-keys.pem").write_text("a note to myself\n")
    with pytest.raises(CommandError, match="holds no key in PEM"):
        run("--new")
    assert (empty / "vault-public-keys.pem").read_text() == "a note to myself\n"


@pytest.mark.django_db
def test_a_rotation_can_be_asked_for_at_once(vault: Vault):
    vault.keep()
    vault.add()
    said = run("--rotate")
    assert f"Run {Run.objects.get().pk} moves every secret to {keys.sealing()[0]}" in said


@pytest.mark.django_db
def test_retired_keys_are_taken_out_of_both_files_and_no_others(vault: Vault):
    secret = vault.keep()
    assert "No key in these files is retired" in run("--drop")
    second = vault.add()
    assert "No key in these files is retired" in run("--drop")
    vault.rotate()
    assert vault.first in run("--drop")
    assert list(keys.private_keys()) == list(keys.public_keys()) == [second]
    assert mode(vault.private) == 0o600
    assert vault.read(secret) == TEXT


@pytest.mark.django_db
def test_one_secret_can_be_shredded_by_a_person_who_says_why(vault: Vault):
    secret = vault.keep()
    run(str(secret.pk), "--why", "asked for by its owner", name="shred_secret")
    assert bytes(Secret.objects.get().sealed) == b""
    assert vault.log(action="secret.shredded").get().facts["why"] == "asked for by its owner"
    with pytest.raises(CommandError, match="shredded before"):
        run(str(secret.pk), "--why", "again", name="shred_secret")
