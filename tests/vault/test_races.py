"""Two at once: workers that both believe to hold the rotation, and a keeper while a key is retired."""

from threading import Barrier, Thread

import pytest
from django.db import connection, transaction

from engine.models import Run
from tests.vault.conftest import Vault
from tests.vault.test_rotation import many, texts
from vault import rows
from vault.models import Key, Secret
from vault.programs import reseal
from vault.programs.reseal import Reseal

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_workers_at_once_move_each_secret_once_and_lose_none(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(reseal, "BATCH", 5)
    secrets = many(vault, 120)
    name = vault.add()
    rows.add_key(name)
    moved: list[int] = []
    both = Barrier(2)
    threads = [Thread(target=move_all, args=(vault.first, name, both, moved)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(moved) >= 120
    vault.rotate()
    assert set(Secret.objects.values_list("key_id", flat=True)) == {name}
    assert texts(secrets) == [f"secret {n}" for n in range(120)]


def move_all(old: str, name: str, both: Barrier, moved: list[int]) -> None:
    """A worker whose lease was lost and who does not know it yet: its steps go on beside the other's."""
    run = Run(
        args={"to": name, "old": [old], "total": 0, **reseal.FROM_THE_START}, program="Reseal", step="reseal"
    )
    both.wait()
    while run.args["at"] == 0:
        with transaction.atomic():
            Reseal(run).reseal()
    moved.append(run.args["total"])
    connection.close()


def test_whoever_keeps_a_secret_while_a_key_is_retired_is_refused_or_moved(vault: Vault):
    """The keeper's transaction is under way when the key is about to be retired: the retirement waits for it and sees it."""
    vault.keep()
    done: list[str] = []
    with transaction.atomic():
        late = vault.keep("late")
        vault.add()
        thread = Thread(target=lambda: (vault.rotate(), done.append("rotated"), connection.close()))
        thread.start()
        thread.join(timeout=1)
        assert not Key.objects.filter(retired_at__isnull=False).exists()
    thread.join()
    vault.rotate()
    late.refresh_from_db()
    assert late.key_id != vault.first
    assert vault.read(late) == "late"
