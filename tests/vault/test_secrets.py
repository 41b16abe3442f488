"""Any process keeps, workers alone read, everybody's reading is told first, and what is shredded is gone."""

import json
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from audit.chain import verify
from tests.vault.conftest import TEXT, Vault
from vault import actions, keys
from vault.actions import Plain
from vault.errors import KeyRetired, NoVaultKey, Unreadable
from vault.models import Key, Secret

pytestmark = pytest.mark.django_db


def test_what_is_kept_can_be_read(vault: Vault):
    secret = vault.keep()
    assert vault.read(secret) == TEXT
    assert vault.read(secret.pk) == TEXT
    assert Secret.objects.get() == secret


def test_a_web_process_keeps_and_cannot_read(vault: Vault):
    vault.be_web()
    secret = vault.keep()
    with pytest.raises(NoVaultKey):
        vault.read(secret)
    with pytest.raises(NoVaultKey):
        actions.read_many(secrets=[secret], by="program:Test", why="a test looks")
    assert vault.events(secret) == ["secret.kept"]


def test_the_row_and_its_events_hold_nothing_of_the_secret(vault: Vault):
    secret = vault.keep()
    vault.read(secret)
    row = Secret.objects.filter(pk=secret.pk).values().get()
    facts = list(vault.log().values())
    assert TEXT not in json.dumps(
        [row, facts],
        default=lambda value: (
            bytes(value).decode("latin1") if isinstance(value, bytes | memoryview) else str(value)
        ),
    )
    assert TEXT not in repr(secret) + repr(Plain(vault.alice, "aws", "credentials:1", TEXT))


def test_reading_says_who_and_why(vault: Vault):
    secret = vault.keep()
    actions.reading(secret=secret, by="program:CheckCredentials", why="a new key is tried")
    event = vault.log(action="secret.read").get()
    assert (event.by, event.account_id, event.subject) == (
        "program:CheckCredentials",
        vault.alice,
        f"secret:{secret.pk}",
    )
    assert event.facts == {"purpose": "aws", "of": "credentials:1", "why": "a new key is tried"}


@pytest.mark.django_db(transaction=True)
def test_a_reading_is_told_even_if_the_reader_undoes_everything(vault: Vault):
    secret = vault.keep()
    with transaction.atomic():
        assert vault.read(secret) == TEXT
        transaction.set_rollback(True)
    assert vault.events(secret) == ["secret.kept", "secret.read"]
    assert all(not verdict.broken for verdict in verify())


@pytest.mark.django_db(transaction=True)
def test_the_event_is_committed_before_the_text_is_given(vault: Vault, monkeypatch: pytest.MonkeyPatch):
    """Where no event can be written nothing is read."""
    secret = vault.keep()
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE audit_event ADD CONSTRAINT full_disk CHECK (action <> 'secret.read') NOT VALID"
        )
    try:
        with pytest.raises(Exception, match="full_disk"):
            vault.read(secret)
        with pytest.raises(Exception, match="full_disk"):
            actions.read_many(secrets=[secret], by="program:Test", why="a test looks")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE audit_event DROP CONSTRAINT full_disk")
    assert vault.events(secret) == ["secret.kept"]


@pytest.mark.django_db(transaction=True)
def test_a_secret_that_is_kept_and_undone_leaves_nothing(vault: Vault):
    with transaction.atomic():
        vault.keep()
        transaction.set_rollback(True)
    assert not Secret.objects.exists()
    assert not Key.objects.exists()
    assert vault.read(vault.keep()) == TEXT


def test_many_are_kept_and_read_together_in_their_order(vault: Vault):
    plain = [Plain(vault.alice, "aws", f"credentials:{n}", f"secret {n}") for n in range(50)]
    kept = actions.keep_many(plain=plain, by="user:1")
    assert [one.subject for one in kept] == [one.subject for one in plain]
    texts = actions.read_many(secrets=kept, by="program:Test", why="a test looks")
    assert [texts[one.pk] for one in kept] == [one.text for one in plain]
    told = vault.log(action="secret.kept").values_list("subject", flat=True)
    assert list(told) == [f"secret:{one.pk}" for one in kept]
    assert vault.log(action="secret.read").count() == 50


def test_of_many_those_that_do_not_open_are_told_and_left_out(vault: Vault):
    good, bad = vault.keep(), vault.keep("another")
    alter(bad, "sealed = set_bit(sealed, 0, 1 - get_bit(sealed, 0))")
    assert actions.read_many(secrets=[good, bad], by="program:Test", why="a test looks") == {good.pk: TEXT}
    assert vault.events(bad) == ["secret.kept", "secret.unreadable"]


@pytest.mark.parametrize("text", ["", "x" * (actions.LONGEST + 1)])
def test_a_secret_that_is_none_is_not_kept(vault: Vault, text: str):
    with pytest.raises(ValueError, match="1 to 16384 characters"):
        vault.keep(text)


@pytest.mark.parametrize("text", ["ü" * 200, "line\nfeeds\x00and nul", "🔑", "x" * actions.LONGEST])
def test_any_text_comes_back_as_it_was(vault: Vault, text: str):
    assert vault.read(vault.keep(text)) == text


def alter(secret: Secret, how: str, *values: object) -> None:
    """Somebody at a prompt of Postgres, who has switched the rules off."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SET CONSTRAINTS ALL IMMEDIATE"
        )  # no table is altered while something waits for the commit
        cursor.execute("ALTER TABLE vault_secret DISABLE TRIGGER USER")
        cursor.execute(f"UPDATE vault_secret SET {how} WHERE id = %s", [*values, secret.pk])
        cursor.execute("ALTER TABLE vault_secret ENABLE TRIGGER USER")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


@pytest.mark.parametrize(
    ("how", "values"),
    [
        ("account_id = %s", [uuid4()]),
        ("purpose = %s", ["smtp"]),
        ("subject = %s", ["credentials:2"]),
        ("sealed = (SELECT sealed FROM vault_secret WHERE subject = 'other')", []),
        ("sealed = set_bit(sealed, 400, 1 - get_bit(sealed, 400))", []),
        ("sealed = substr(sealed, 1, 47)", []),
    ],
    ids=["owner", "purpose", "subject", "row", "bit", "short"],
)
def test_what_was_moved_or_altered_does_not_open_and_is_told(vault: Vault, how: str, values: list[object]):
    secret, _other = vault.keep(), vault.keep(subject="other")
    alter(secret, how, *values)
    with pytest.raises(Unreadable):
        vault.read(secret)
    assert vault.events(secret) == ["secret.kept", "secret.unreadable"]


def test_a_row_that_is_made_to_point_at_somebody_elses_secret_opens_nothing(vault: Vault):
    theirs = vault.keep(account=vault.charlie)
    for wrong in ({"account": vault.alice}, {"purpose": "smtp"}, {"subject": "credentials:2"}):
        with pytest.raises(Unreadable, match="believes"):
            vault.read(theirs, **wrong)
    right = {"account": vault.charlie, "purpose": "aws", "subject": "credentials:1"}
    assert vault.read(theirs, **right) == TEXT


def test_what_does_not_exist_is_not_read(vault: Vault):
    with pytest.raises(Unreadable):
        actions.reading(secret=UUID(int=7), by="program:Test", why="a test looks")


def test_what_is_shredded_is_gone_and_its_row_and_events_stay(vault: Vault):
    secret = vault.keep()
    assert actions.shred(secret=secret, by="user:1", why="removed by its owner") is True
    with pytest.raises(Unreadable, match="shredded"):
        vault.read(secret)
    row = Secret.objects.get()
    assert (bytes(row.sealed), row.shredded_by) == (b"", "user:1")
    assert row.shredded_at
    assert vault.events(secret) == ["secret.kept", "secret.shredded", "secret.unreadable"]
    assert vault.log(action="secret.shredded").get().facts["why"] == "removed by its owner"


def test_a_web_process_may_shred_and_once_is_enough(vault: Vault):
    vault.be_web()
    secret = vault.keep()
    assert [actions.shred(secret=secret.pk, by="user:1", why="removed") for _ in range(2)] == [True, False]
    assert vault.events(secret) == ["secret.kept", "secret.shredded"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE vault_secret SET sealed = 'x', shredded_at = NULL",
        "UPDATE vault_secret SET shredded_by = 'nobody'",
        "DELETE FROM vault_secret",
    ],
)
def test_what_is_shredded_stays_so(vault: Vault, statement: str):
    actions.shred(secret=vault.keep(), by="user:1", why="removed")
    refused(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM vault_secret",
        "DELETE FROM vault_key",
        "UPDATE vault_secret SET account_id = gen_random_uuid()",
        "UPDATE vault_secret SET purpose = 'smtp'",
        "UPDATE vault_secret SET subject = 'x'",
        "UPDATE vault_secret SET sealed = ''",
        "UPDATE vault_secret SET shredded_at = now()",
        "UPDATE vault_key SET added_at = now() - interval '1 day'",
    ],
)
def test_postgres_keeps_the_rules(vault: Vault, statement: str):
    vault.keep()
    refused(statement)


def test_a_retired_key_stays_retired(vault: Vault):
    vault.keep()
    Key.objects.update(retired_at="2026-01-01T00:00Z")
    refused("UPDATE vault_key SET retired_at = NULL")


def refused(statement: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_process_that_was_started_before_the_last_rotation_ended_keeps_nothing(vault: Vault):
    secret = vault.keep()
    Key.objects.update(retired_at="2026-01-01T00:00Z")
    with pytest.raises(KeyRetired, match="start this process anew"):
        vault.keep()
    assert Secret.objects.get() == secret


def test_a_files_successor_is_read_without_starting_anew(vault: Vault):
    vault.keep()
    second = vault.add()
    assert keys.sealing()[0] == second
    assert vault.keep().key_id == second


def test_keys_may_be_given_as_text(vault: Vault, settings):
    secret = vault.keep()
    for half, file in (("PUBLIC", vault.public), ("PRIVATE", vault.private)):
        setattr(settings, f"VAULT_{half}_KEYS", file.read_text().replace("\n", "\\n"))
        setattr(settings, f"VAULT_{half}_KEYS_FILE", "")
    assert keys.sealing()[0] == vault.first
    assert vault.read(secret) == TEXT
