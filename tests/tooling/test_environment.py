"""What a process is told: the private key is for those who sign, and secrets are made once."""

import stat
from pathlib import Path

import pytest

from devtools import keys
from devtools.environment import product_env


def env(home: Path, **more: bool) -> dict[str, str]:
    return product_env(home, database_url="postgresql://mailat@127.0.0.1/mailat", **more)


def test_a_process_that_does_not_sign_never_learns_where_the_key_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNING_KEY_FILE", "/somewhere/signing-key.pem")
    web, worker = env(tmp_path), env(tmp_path, signs=True)
    assert "SIGNING_KEY_FILE" not in web
    assert not any("signing-key.pem" in value for value in web.values())
    assert worker["SIGNING_KEY_FILE"] == str(tmp_path / "secrets" / "signing-key.pem")


def test_a_process_that_does_not_sign_never_learns_where_the_vaults_private_keys_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("VAULT_PRIVATE_KEYS_FILE", "VAULT_PRIVATE_KEYS"):
        monkeypatch.setenv(name, "/somewhere/vault-private-keys.pem")
    web, worker = env(tmp_path), env(tmp_path, signs=True)
    assert not any("vault-private-keys.pem" in value for value in web.values())
    assert worker["VAULT_PRIVATE_KEYS_FILE"] == str(tmp_path / "secrets" / "vault-private-keys.pem")
    assert worker["VAULT_PUBLIC_KEYS_FILE"] == web["VAULT_PUBLIC_KEYS_FILE"]


def test_secrets_are_made_once_and_differ_between_installations(tmp_path: Path) -> None:
    first, again, other = (
        keys.ensure(tmp_path / "a"),
        keys.ensure(tmp_path / "a"),
        keys.ensure(tmp_path / "b"),
    )
    assert first == again
    assert first.private.read_bytes() != other.private.read_bytes()
    assert not set(first.values.values()) & set(other.values.values())


def test_only_their_owner_reads_the_secrets(tmp_path: Path) -> None:
    made = keys.ensure(tmp_path / "secrets")
    assert stat.S_IMODE(made.private.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in made.private.parent.iterdir()} == {0o600}


def test_without_stand_ins_no_call_leaves_this_machine(tmp_path: Path) -> None:
    settings = env(tmp_path)
    for name in ("HETZNER_API_URL", "GUMROAD_API_URL", "GUMROAD_PRODUCT_URL", "EMAIL_URL"):
        assert "://127.0.0.1:" in settings[name]


def test_a_child_does_not_inherit_another_databases_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGDATABASE", "somebody-elses")
    assert "PGDATABASE" not in env(tmp_path)
