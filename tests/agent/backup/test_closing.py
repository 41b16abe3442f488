"""The last backup of a machine that is left, and a machine that makes none of its own before it has what is to come back."""

import json
import os
import time
from pathlib import Path

import pytest

from agent.mailat_agent import services
from agent.mailat_agent.backup import closing
from tests.agent.backup.small_host import SmallHost
from tests.agent.backup.storage import Storage

JOB = "0d6a1b0e-6c0f-4f6e-9d0b-2f7a40a3a111"
PROGRAM = """#!/bin/sh
echo "$(basename "$0") $*" >>"$SAID"
"""


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host with systemd and Postfix, as far as they are asked; what they were asked is in this file."""
    programs, said = tmp_path / "bin", tmp_path / "said"
    programs.mkdir()
    for name in ("systemctl", "postqueue"):
        (programs / name).write_text(PROGRAM)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("SAID", str(said))
    monkeypatch.setattr(services, "SYSTEMD", str(tmp_path))
    monkeypatch.setattr(closing, "waiting", lambda: 0)
    return said


def test_mail_is_closed_before_the_store_and_stays_so_until_the_next_start(said: Path) -> None:
    assert closing.close() == 0
    assert said.read_text().splitlines() == [
        "postqueue -f",
        "systemctl mask --runtime --now -- postfix.service",
        "systemctl mask --runtime --now -- dovecot.service",
    ]


def test_where_there_is_no_systemd_nothing_is_closed(said: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "SYSTEMD", "/nowhere")
    assert closing.close() == 0
    assert not said.exists()


def test_mails_in_the_queue_are_counted_without_postfix(tmp_path: Path) -> None:
    for place in ("active/1", "deferred/A/A1", "deferred/B/B1", "maildrop/2", "defer/A/A1"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).touch()
    assert closing.waiting(tmp_path) == 4


@pytest.mark.integration
@pytest.mark.usefixtures("restic")
def test_the_last_backup_has_all_and_says_so(said: Path, tmp_path: Path, storage: Storage) -> None:
    small = SmallHost(tmp_path / "host", storage)
    small.fill(6)
    backups = small.chore(jobs=[{"id": JOB, "do": "backup", "closing": True}], hold=True)
    backups.turn()
    told = json.loads(json.dumps(backups.report()))
    (answer,) = told["jobs"]
    assert (answer["id"], answer["state"], answer["result"]["queued"]) == (JOB, "done", 0)
    assert told["points"][-1]["messages"] == 6
    assert "mask" in said.read_text()


@pytest.mark.integration
@pytest.mark.usefixtures("restic")
def test_a_machine_that_has_nothing_yet_makes_no_restore_point_of_that(
    tmp_path: Path, storage: Storage
) -> None:
    small = SmallHost(tmp_path / "host", storage)
    backups = small.chore(hold=True)
    for later in (0, 10**6):
        backups.turn(time.time() + later)
    assert storage.bytes() == 0
    assert small.chore().report() is not None
