"""A worker is killed (SIGKILL, a real process) at every step of a rotation, and at every batch; the next one goes on."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from audit.models import Event
from devtools.paths import ROOT
from engine.models import Run
from tests.integration.world import database_url, let_time_pass
from tests.vault.conftest import Vault
from vault import actions, keys
from vault.actions import Plain
from vault.models import Key, Secret
from vault.programs import reseal

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

POINTS = ("begin", "effect", "commit", "after")
STEPS = ("begin", "reseal", "retire", "wait_removal")
COUNT = reseal.BATCH * 2 + 7


class Workers:
    """Forks workers that may be told where to die; all know the vault's keys."""

    def __init__(self, vault: Vault) -> None:
        env = {**os.environ, "DJANGO_SETTINGS_MODULE": "mailat.settings", "DATABASE_URL": database_url(), "VAULT_KEYS_OVERLAP": "0",
               "VAULT_PRIVATE_KEYS_FILE": str(vault.private), "VAULT_PUBLIC_KEYS_FILE": str(vault.public)}  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.zygote"],
            env=env, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._answer()

    def work(self, step: str | None = None, point: str = "begin") -> bool:
        """True if the worker was killed on the way."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"step": step, "point": point}) + "\n")
        self.process.stdin.flush()
        answer = self._answer()
        assert not answer["failed"]
        return bool(answer["killed"])

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout
        return dict(json.loads(self.process.stdout.readline()))


@pytest.fixture
def workers(vault: Vault) -> Iterator[Workers]:
    workers = Workers(vault)
    yield workers
    workers.process.kill()
    workers.process.wait()


def prepare(vault: Vault) -> list[Secret]:
    Run.objects.filter(finished_at=None).delete()
    plain = [Plain(vault.alice, "aws", f"credentials:{n}", f"secret {n}") for n in range(COUNT)]
    secrets = actions.keep_many(plain=plain, by="user:1")
    vault.add()
    actions.rotate(by="staff:1")
    return secrets


def goes_on(workers: Workers, step: str | None, point: str) -> int:
    """Works until the rotation waits for a person or ends; returns how often a worker was killed."""
    killed, most = 0, 3 if step == "Reseal.reseal" else 1  # as many as there are batches
    for _ in range(40):
        killed += workers.work(step if killed < most else None, point)
        run = Run.objects.filter(program="Reseal").latest("id")
        if run.step == "wait_removal" and not run.held and killed:
            return killed
        let_time_pass()
    raise AssertionError(f"the rotation never ended: {run.step} {run.error}")


@pytest.mark.parametrize("step", STEPS)
def test_a_rotation_goes_on_wherever_its_worker_was_killed(
    vault: Vault, workers: Workers, step: str, tmp_path: Path
):
    for point in POINTS:
        old = keys.sealing()[0]
        before = Event.objects.latest("id").pk if Event.objects.exists() else 0
        secrets = prepare(vault)
        killed = goes_on(workers, f"Reseal.{step}", point)
        check(secrets, old, before)
        assert killed >= (3 if step == "reseal" and point == "after" else 1), (
            f"no worker was killed at {point}"
        )


def check(secrets: list[Secret], old: str, before: int) -> None:
    ids = [one.pk for one in secrets]
    name = keys.sealing()[0]
    assert set(Secret.objects.filter(pk__in=ids).values_list("key_id", flat=True)) == {name}
    texts = actions.read_many(secrets=ids, by="program:Test", why="a test looks")
    assert [texts[pk] for pk in ids] == [f"secret {n}" for n in range(COUNT)]
    assert Key.objects.get(pk=old).retired_at
    told = Event.objects.filter(pk__gt=before, by="program:Reseal").values_list("action", flat=True)
    assert Counter(told) == Counter(
        ["vault.key_added", "vault.rotation_begun", "vault.key_retired", "vault.rotation_finished"]
    )
    finished = Event.objects.filter(action="vault.rotation_finished").latest("id")
    assert finished.facts["secrets"] >= COUNT
