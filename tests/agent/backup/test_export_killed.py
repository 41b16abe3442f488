"""An export that is killed, cut off or refused at any moment: the next run begins that mailbox again and all of it is right."""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from agent.mailat_agent.backup import export_stream
from tests.agent.backup.drive import VAULT
from tests.agent.backup.export_reading import read_mbox, unpacked
from tests.agent.backup.export_storage import ExportStorage
from tests.agent.backup.mailbox import seen
from tests.agent.backup.small_host import PEOPLE, SmallHost, owner
from tests.agent.backup.storage import cut, status

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("restic")]
ROOT = Path(__file__).parents[3]


@pytest.fixture
def small(tmp_path: Path, outside: ExportStorage) -> SmallHost:
    """With a backup, so that none is due while it exports."""
    small = SmallHost(tmp_path / "host", outside, VAULT)
    small.fill(120, size=20_000)
    first = small.chore()
    first.turn()
    assert first.state.error == ""
    for path in small.places.mail.rglob("cur/*"):  # as mail is: text, with lines that begin with From
        about = path.stat()
        text = b"Subject: x\n\nFrom here\n" + path.read_bytes().hex().encode() + b"\n"
        path.write_bytes(text)
        os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    return small


def begin(small: SmallHost, job: str) -> "subprocess.Popen[str]":
    command = [
        sys.executable,
        "-m",
        "tests.agent.backup.export_drive",
        str(small.root),
        small.storage.url,
        job,
        "mbox",
    ]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def end(process: "subprocess.Popen[str]") -> dict[str, Any]:
    said, _ = process.communicate(timeout=120)
    (answer,) = json.loads(said)["jobs"]
    return dict(answer)


def assert_all_is_there(small: SmallHost, outside: ExportStorage, tmp_path: Path) -> None:
    for address in PEOPLE:
        place = unpacked(outside, tmp_path / "out" / address, address)
        new = {name: len(found) for name, found in read_mbox(place).items()}
        assert new == {name: len(found) for name, found in seen(small.home(address)).items()}
    assert not list(small.places.scratch.iterdir())


def calls(outside: ExportStorage, do: str) -> int:
    return outside.calls.count(do)


@pytest.mark.parametrize("seed", range(6))
def test_the_agent_is_killed_anywhere_in_it(
    small: SmallHost, outside: ExportStorage, tmp_path: Path, seed: int
) -> None:
    job, chance = str(uuid4()), random.Random(seed)  # noqa: S311
    at = (1, 2, 5, 12, 20, 30)[seed]  # parts, of some forty in all
    for _ in range(2):  # a job that is cut off three times with no mailbox done is given up
        before = calls(outside, "export_part")
        process = begin(small, job)
        while calls(outside, "export_part") < before + at and process.poll() is None:
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.02))
        process.kill()
        process.wait()
    said = end(begin(small, job))
    assert (said["state"], said["why"]) == ("done", "")
    assert_all_is_there(small, outside, tmp_path)
    ready = [export["mailbox"] for export in outside.begun.values()]
    assert sorted(set(ready)) == sorted(map(owner, PEOPLE))


def killed_when(small: SmallHost, job: str, ready: Callable[[], bool]) -> None:
    process = begin(small, job)
    while not ready() and process.poll() is None:
        time.sleep(0.002)
    process.kill()
    process.wait()


def test_a_job_that_gets_on_is_not_given_up(small: SmallHost, outside: ExportStorage, tmp_path: Path) -> None:
    """Killed six times, of which twice after a mailbox was done: without these, three times are too many."""
    job = str(uuid4())
    for done in (1, 2):
        for _ in range(2):
            begun = calls(outside, "export_part")
            killed_when(small, job, lambda begun=begun: calls(outside, "export_part") > begun)  # type: ignore[misc]
        killed_when(small, job, lambda done=done: len(outside.ready) >= done and began(outside, done + 1))  # type: ignore[misc]
    said = end(begin(small, job))
    assert (said["state"], said["why"]) == ("done", "")
    assert_all_is_there(small, outside, tmp_path)


def began(outside: ExportStorage, mailboxes: int) -> bool:
    """Whether so many different ones were begun, so that the one before was written down as done."""
    return len({export["mailbox"] for export in outside.begun.values()}) >= mailboxes


FAULTS = [
    ("PUT", status(500)),
    ("PUT", cut),
    ("PUT", status(403)),
    ("door", status(503, **{"Retry-After": "1"})),
    ("door", cut),
]


@pytest.mark.parametrize(("where", "fault"), FAULTS, ids=["500", "cut", "403", "503", "door-cut"])
def test_what_fails_for_now_is_tried_again_in_the_same_run(
    small: SmallHost, outside: ExportStorage, tmp_path: Path, where: str, fault: Any
) -> None:
    chore = small.chore(jobs=[{"id": str(uuid4()), "do": "export", "format": "mbox"}])
    real, parts = outside.answer, []

    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        if asked["do"] == "export_part":
            parts.append(asked)
            if len(parts) in (3, 9):
                outside.fail(where, fault, fault)
        return real(asked)

    outside.answer = answer  # type: ignore[method-assign]
    chore.turn()
    report: Any = chore.report()
    assert report["jobs"][0]["state"] == "done", report
    assert_all_is_there(small, outside, tmp_path)


def test_a_storage_that_stays_away_fails_the_job_with_a_word(
    small: SmallHost, outside: ExportStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_stream, "PATIENCE", 1.0)
    outside.fail("PUT", *[status(500)] * 100)
    said = small.do("export", format="mbox")
    assert (said["state"], said["why"]) == ("failed", "the storage answered 500")
    assert not list(small.places.scratch.iterdir())


@pytest.mark.parametrize(("do", "word", "why"), [
    ("export_begin", "full", "the storage takes no more: delete exports that you have fetched"),
    ("export_part", "full", "the storage takes no more: delete exports that you have fetched"),
    ("export_part", "not_asked", "it is not asked for any more"),
    ("export_done", "incomplete", "the storage does not have all that was sent"),
    ("export_begin", "a word of tomorrow", "the storage door does not take it"),
])  # fmt: skip
def test_a_refusal_ends_it_in_words(
    small: SmallHost, outside: ExportStorage, do: str, word: str, why: str
) -> None:
    outside.refuse[do] = word
    assert small.do("export", format="eml")["why"] == why
    assert outside.ready == {}


def test_a_job_that_the_order_names_no_more_ends_before_its_next_part(
    small: SmallHost, outside: ExportStorage
) -> None:
    chore = small.chore(jobs=[{"id": str(uuid4()), "do": "export", "format": "mbox"}])
    real = outside.answer

    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        if asked["do"] == "export_part" and asked["number"] == 2:
            chore.want(small.wanted())
        return real(asked)

    outside.answer = answer  # type: ignore[method-assign]
    chore.turn()
    assert calls(outside, "export_part") == 2
    assert outside.ready == {}


def test_of_a_mailbox_that_leaves_the_order_nothing_more_is_sent(
    small: SmallHost, outside: ExportStorage
) -> None:
    chore = small.chore(jobs=[{"id": str(uuid4()), "do": "export", "format": "mbox"}])
    now = [chore.situation, small.chore(*PEOPLE[1:]).situation]
    chore.situation = lambda: now[0]()
    real = outside.answer

    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        if asked["do"] == "export_part" and asked["number"] == 2:
            del now[:-1]
        return real(asked)

    outside.answer = answer  # type: ignore[method-assign]
    chore.turn()
    report: Any = chore.report()
    assert report["jobs"][0]["why"] == "alice@firm.test is not served any more"
    assert sorted(outside.ready) == sorted(map(owner, PEOPLE[1:]))


def test_a_backup_that_is_due_does_not_wait_for_the_export(
    small: SmallHost, outside: ExportStorage, tmp_path: Path
) -> None:
    chore = small.chore(jobs=[{"id": str(uuid4()), "do": "export", "format": "mbox"}])
    before = len(outside.names("snapshots"))
    chore.state.set(next=0.0)
    chore.turn()
    report: Any = chore.report()
    assert report["jobs"][0]["state"] == "done"
    assert len(outside.names("snapshots")) == before + 1
    assert chore.running is None
    assert_all_is_there(small, outside, tmp_path)
