"""Every secret moves to the newest key while the service runs; then the old key opens nothing."""

from datetime import timedelta

import pytest
from django.utils import timezone

from engine import actions as engine
from engine import lease, worker
from engine.models import Alarm, Run
from engine.program import Done, Nap
from tests.vault.conftest import TEXT, Vault
from tests.vault.test_secrets import alter
from vault import actions, box, keys, pairs, rows, tasks
from vault.actions import Plain
from vault.box import Place
from vault.errors import NoVaultKey, Unreadable
from vault.models import Key, Secret
from vault.programs import reseal
from vault.programs.reseal import Reseal

pytestmark = pytest.mark.django_db


def many(vault: Vault, count: int) -> list[Secret]:
    plain = [Plain(vault.alice, "aws", f"credentials:{n}", f"secret {n}") for n in range(count)]
    return actions.keep_many(plain=plain, by="user:1")


def texts(secrets: list[Secret]) -> list[str]:
    opened = actions.read_many(secrets=secrets, by="program:Test", why="a test looks")
    return [opened[one.pk] for one in secrets]


@pytest.fixture
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reseal, "BATCH", 7)


@pytest.mark.usefixtures("_small_batches")
def test_every_secret_moves_and_the_old_key_is_retired(vault: Vault):
    secrets = many(vault, 40)
    before = {one.pk: bytes(one.sealed) for one in Secret.objects.all()}
    second = vault.add()
    run = vault.rotate()
    assert set(Secret.objects.values_list("key_id", flat=True)) == {second}
    assert all(bytes(one.sealed) != before[one.pk] for one in Secret.objects.all())
    assert texts(secrets) == [f"secret {n}" for n in range(40)]
    assert Key.objects.get(pk=vault.first).retired_at
    assert Key.objects.get(pk=second).retired_at is None
    assert (run.step, run.args["total"]) == ("wait_removal", 40)


def test_an_old_key_opens_until_the_rotation_has_finished_and_not_after(vault: Vault, settings):
    settings.VAULT_KEYS_OVERLAP = timedelta(hours=1)
    secret = vault.keep()
    copy = Secret.objects.values_list("sealed", flat=True).get()
    vault.add()
    vault.keep("new")
    assert vault.read(secret) == TEXT
    assert vault.rotate().step == "retire"
    alter(secret, "sealed = %s, key_id = %s", copy, vault.first)
    assert vault.read(secret) == TEXT
    settings.VAULT_KEYS_OVERLAP = timedelta()
    vault.rotate()
    alter(secret, "sealed = %s, key_id = %s", copy, vault.first)
    with pytest.raises(Unreadable, match="retired"):
        vault.read(secret)
    assert vault.first in keys.private_keys()


def test_a_retired_key_is_told_of_until_it_is_taken_out_of_the_file(vault: Vault):
    vault.keep()
    vault.add()
    run = vault.rotate()
    alarm = Alarm.objects.get(key=f"vault:{vault.first}:kept")
    assert alarm.closed_at is None
    assert "vault_keys --drop" in alarm.advice
    vault.drop(vault.first)
    run = vault.rotate()
    alarm.refresh_from_db()
    assert alarm.closed_at
    assert run.outcome == "rotated"


def test_the_audit_log_tells_of_a_rotation_from_its_wish_to_its_end(vault: Vault):
    vault.keep()
    vault.add()
    vault.rotate()
    told = vault.log(action__startswith="vault.").values_list("action", "by")
    assert list(told) == [
        ("vault.key_added", "vault"),
        ("vault.rotation_wanted", "staff:1"),
        ("vault.key_added", "program:Reseal"),
        ("vault.rotation_begun", "program:Reseal"),
        ("vault.key_retired", "program:Reseal"),
        ("vault.rotation_finished", "program:Reseal"),
    ]
    assert vault.log(action="vault.rotation_finished").get().facts["secrets"] == 1


def test_secrets_of_several_old_keys_all_move(vault: Vault):
    kept = [vault.keep("one")]
    vault.add()
    kept.append(vault.keep("two"))
    third = vault.add()
    vault.rotate()
    assert set(Secret.objects.values_list("key_id", flat=True)) == {third}
    assert texts(kept) == ["one", "two"]
    assert Key.objects.filter(retired_at=None).count() == 1


@pytest.mark.usefixtures("_small_batches")
def test_secrets_kept_while_a_rotation_runs_move_too(vault: Vault):
    many(vault, 20)
    old = vault.public.read_bytes()
    vault.add()
    new = vault.public.read_bytes()
    run = Run.objects.get(pk=actions.rotate(by="staff:1"))
    (taken,) = lease.take(run_id=run.pk)
    while worker.advance(taken):
        pass  # the first batch, and a nap
    pairs.replace(vault.public, old, 0o644)  # a web process that was not started anew
    late = vault.keep("late")
    assert late.key_id == vault.first
    pairs.replace(vault.public, new, 0o644)
    worker.work(run.pk)
    assert Secret.objects.filter(key_id=vault.first).count() == 0
    assert vault.read(late) == "late"


@pytest.mark.usefixtures("_small_batches")
def test_what_is_shredded_while_a_rotation_runs_stays_so(vault: Vault):
    secrets = many(vault, 20)
    vault.add()
    run = Run.objects.get(pk=actions.rotate(by="staff:1"))
    (taken,) = lease.take(run_id=run.pk)
    while worker.advance(taken):
        pass
    for one in secrets:
        actions.shred(secret=one, by="user:1", why="removed")
    worker.work(run.pk)
    assert all(bytes(one.sealed) == b"" and one.shredded_at for one in Secret.objects.all())
    assert Key.objects.get(pk=vault.first).retired_at


def test_a_key_made_while_a_rotation_runs_is_the_one_that_all_move_to(vault: Vault, settings):
    settings.VAULT_KEYS_OVERLAP = timedelta(hours=1)
    secret = vault.keep()
    vault.add()
    vault.rotate()
    third = vault.add()
    settings.VAULT_KEYS_OVERLAP = timedelta()
    vault.rotate()
    secret.refresh_from_db()
    assert secret.key_id == third
    assert list(Key.objects.filter(retired_at=None).values_list("pk", flat=True)) == [third]
    assert vault.read(secret) == TEXT


def test_a_worker_without_the_newest_key_moves_nothing_back(vault: Vault):
    old = vault.public.read_bytes(), vault.private.read_bytes()
    secret = vault.keep()
    second = vault.add()
    newer = vault.keep("newer")
    pairs.replace(vault.public, old[0], 0o644)
    assert vault.rotate().step == "begin"
    assert set(Secret.objects.values_list("pk", "key_id")) == {(secret.pk, vault.first), (newer.pk, second)}


def test_a_worker_without_the_old_key_waits_and_retires_nothing(vault: Vault):
    vault.keep()
    vault.add()
    vault.drop(vault.first)
    run = vault.rotate()
    assert "NoVaultKey" in run.error
    assert not Key.objects.filter(retired_at__isnull=False).exists()


def test_a_secret_that_does_not_open_stops_the_retirement_and_is_told_to_people(vault: Vault):
    good, bad = vault.keep(), vault.keep("broken")
    alter(bad, "sealed = set_bit(sealed, 8, 1 - get_bit(sealed, 8))")
    second = vault.add()
    run = vault.rotate()
    assert run.step == "wait_readable"
    good.refresh_from_db()
    assert good.key_id == second
    assert Key.objects.get(pk=vault.first).retired_at is None
    assert str(bad.pk) in Alarm.objects.get(key="vault:stuck").says
    actions.shred(secret=bad, by="shell", why="it cannot be restored")
    Run.objects.update(step_since=timezone.now() - reseal.PATIENCE - timedelta(seconds=1))
    vault.rotate()
    assert Key.objects.get(pk=vault.first).retired_at
    assert Alarm.objects.get(key="vault:stuck").closed_at


def test_without_anything_to_move_a_rotation_ends_at_once(vault: Vault):
    assert vault.rotate().outcome == "rotated"


def test_the_clock_begins_a_rotation_when_there_is_a_newer_key_and_in_workers_alone(vault: Vault):
    vault.keep()
    tasks.look_at_keys()
    assert not Run.objects.exists()
    vault.add()
    private = vault.settings.VAULT_PRIVATE_KEYS_FILE
    vault.be_web()
    tasks.look_at_keys()
    assert not Run.objects.exists()
    vault.settings.VAULT_PRIVATE_KEYS_FILE = private
    tasks.look_at_keys()
    tasks.look_at_keys()
    assert Run.objects.get().program == "Reseal"
    assert vault.log(action="vault.rotation_wanted").count() == 1


def test_a_step_never_has_more_than_a_batch_in_its_hands(vault: Vault, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reseal, "BATCH", 3)
    many(vault, 8)
    vault.add()
    run = Run.objects.get(pk=engine.start(Reseal, subject="vault"))
    run.args, run.step = (
        {"to": keys.sealing()[0], "old": [vault.first], "total": 0, **reseal.FROM_THE_START},
        "reseal",
    )
    rows.add_key(keys.sealing()[0])
    left = []
    for _ in range(3):
        assert Reseal(run).reseal() == Nap(0)
        left.append(Secret.objects.filter(key_id=vault.first).count())
    assert left == [5, 2, 0]
    assert not isinstance(Reseal(run).reseal(), Nap | Done)


def test_no_text_is_in_what_a_run_remembers(vault: Vault):
    vault.keep()
    vault.add()
    run = vault.rotate()
    assert TEXT not in str(run.args) + run.error


def test_a_ciphertext_of_an_old_copy_opens_with_the_old_private_half_alone(vault: Vault):
    """What makes shredding true of backups: the half is destroyed, not the copies."""
    secret = vault.keep()
    copy, place = bytes(secret.sealed), Place(secret.pk, vault.alice, "aws", "credentials:1")
    assert box.unseal(place, copy, keys.private_key(vault.first)) == TEXT
    vault.add()
    vault.rotate()
    vault.drop(vault.first)
    with pytest.raises(NoVaultKey):
        keys.private_key(vault.first)
    for private in keys.private_keys().values():
        with pytest.raises(Unreadable):
            box.unseal(place, copy, private)
