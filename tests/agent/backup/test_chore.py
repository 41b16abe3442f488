"""Backups come round, jobs are done once, and whatever goes wrong is said and tried again."""

import base64
import contextlib
import json
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from agent.mailat_agent.backup import chore, run
from agent.mailat_agent.backup.chore import is_open
from agent.mailat_agent.backup.points import MARGIN
from tests.agent.backup.small_host import INFO, PEOPLE, SmallHost, meanwhile, owner
from tests.agent.backup.storage import Storage

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("restic")]

ALICE = PEOPLE[0]
JOB = "0d6a1b0e-6c0f-4f6e-9d0b-2f7a40a3a111"


@pytest.fixture
def small(tmp_path: Path, storage: Storage) -> SmallHost:
    small = SmallHost(tmp_path / "host", storage)
    small.fill(30)
    return small


def report(backups: chore.Backups) -> dict[str, Any]:
    said = backups.report()
    assert said is not None
    return json.loads(json.dumps(said))  # type: ignore[no-any-return]


def test_the_password_is_in_escrow_before_anything_is_stored(small: SmallHost, storage: Storage) -> None:
    stored: list[int] = []
    storage.fail("PUT", lambda visit: stored.append(len(storage.escrows)) is not None)

    backups = small.chore()
    backups.turn()

    said = report(backups)
    assert (said["escrowed"], said["error"], len(said["points"])) == (True, "", 1)
    assert stored == [1]
    suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    sealed = base64.b64decode(storage.escrows[0]["sealed"])
    assert (
        suite.decrypt(sealed, small.vault, info=INFO).decode()
        == (small.places.own / "password").read_text().strip()
    )
    assert storage.escrows[0]["key"] == "k1"


def test_an_escrow_that_is_not_taken_stores_nothing(
    small: SmallHost, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = storage.answer
    refusal = {"kept": False, "why": "another key"}
    monkeypatch.setattr(storage, "answer", lambda said: refusal if said["do"] == "escrow" else honest(said))
    backups = small.chore()

    backups.turn()

    assert report(backups)["error"] == "the password was not taken into escrow: another key"
    assert storage.bytes() == 0
    assert report(backups)["next"] <= time.time() + chore.SOON + 1


def test_backups_come_at_their_interval_also_after_a_restart(small: SmallHost) -> None:
    now = time.time()
    small.chore().turn()
    for after, points in ((0, 1), (1800, 1), (3700, 2)):
        backups = small.chore()
        backups.turn(now + after)
        assert len(report(backups)["points"]) == points


def test_a_clock_that_was_ahead_does_not_put_backups_off(small: SmallHost) -> None:
    backups = small.chore()
    backups.state.set(next=time.time() + 10**7)

    backups.turn()

    assert len(report(backups)["points"]) == 1


@pytest.mark.parametrize(
    ("hours", "hour", "open_"),
    [(None, 3, True), ((1, 5), 3, True), ((1, 5), 5, False), ((22, 6), 23, True), ((22, 6), 5, True),
     ((22, 6), 6, False), ((0, 24), 12, True), ((4, 4), 12, True)],
)  # fmt: skip
def test_backups_begin_in_their_hours(hours: tuple[int, int] | None, hour: int, open_: bool) -> None:
    assert is_open(hours, 86400 * 20_000 + 3600 * hour + 1800) is open_


def test_outside_of_its_hours_nothing_is_begun(small: SmallHost) -> None:
    hour = int(time.time() // 3600) % 24
    backups = small.chore(hours=[(hour + 2) % 24, (hour + 3) % 24])

    backups.turn()

    assert report(backups)["points"] == []
    assert report(backups)["last"] is None


def test_what_was_kept_for_its_time_leaves_with_the_next_backup(small: SmallHost, storage: Storage) -> None:
    backups = small.chore(keep=60)
    backups.turn()
    first = report(backups)["points"][0]["id"]
    with small.repository(keep=60) as repository:
        repository.backup()
        kept = repository.tidy(time.time() + 60 + MARGIN + 1)

    assert first not in [point.id for point in kept]
    assert storage.names("snapshots") == [point.id for point in kept]


def test_where_backups_fail_what_is_over_leaves_all_the_same(
    small: SmallHost, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.chore(keep=60, every=60).turn()
    small.chore(keep=60, every=60, jobs=[{"id": JOB, "do": "backup"}]).turn()
    backups = small.chore(keep=60, every=60)
    backups.state.set(next=time.time() + 3000)
    later = time.time() + 2500
    monkeypatch.setattr(chore.time, "time", lambda: later)

    backups.turn(later)
    assert len(report(backups)["points"]) == len(storage.names("snapshots")) == 1
    calls = len(storage.calls)
    backups.turn(later)
    assert len(storage.calls) == calls


def test_a_point_that_may_not_leave_yet_stays_without_a_complaint(small: SmallHost, storage: Storage) -> None:
    small.backup()
    small.backup()
    storage.kept_for_now |= set(storage.names("snapshots"))

    with small.repository() as repository:
        assert len(repository.tidy(time.time() + 10**6)) == 2


def test_too_many_removals_are_told_and_tried_again(
    small: SmallHost, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    backups = small.chore(keep=60)
    backups.turn()
    for path in small.places.mail.rglob("*"):
        path.unlink() if path.is_file() else None
    small.backup()
    monkeypatch.setattr(run.time, "time", lambda now=time.time: now() + 1000)
    monkeypatch.setattr(
        storage,
        "_remove",
        lambda one, honest=storage._remove: {"refused": "too_many"} if one["kind"] == "data" else honest(one),
    )
    backups.state.set(next=0.0)
    backups.turn()
    assert report(backups)["error"] == run.TOO_MANY
    assert backups.state.untidy

    monkeypatch.undo()
    backups.state.set(next=0.0)
    backups.turn()
    assert report(backups)["error"] == ""
    assert not backups.state.untidy


def test_a_job_is_done_once_and_told_until_no_order_names_it(small: SmallHost, storage: Storage) -> None:
    job = {"id": JOB, "do": "backup"}
    backups = small.chore(jobs=[job])
    backups.turn()
    (told,) = report(backups)["jobs"]
    assert (told["id"], told["state"]) == (JOB, "done")
    assert told["result"]["files"] > 30

    again = small.chore(jobs=[job])
    again.turn()
    assert report(again)["jobs"] == [told]
    assert len(storage.names("snapshots")) == 1

    later = small.chore()
    later.turn()
    assert report(later)["jobs"] == []


def test_a_job_that_nobody_knows_fails_and_stops_nothing(small: SmallHost) -> None:
    said = small.do("dance")

    assert (said["state"], said["why"]) == ("failed", "this agent does not know how")
    backups = small.chore()
    backups.turn()
    assert len(report(backups)["points"]) == 1


def test_a_job_that_is_cut_off_each_time_is_given_up(small: SmallHost) -> None:
    backups = small.chore(jobs=[{"id": JOB, "do": "drill"}])
    backups.state.set(tries={JOB: chore.TRIES})

    backups.turn()

    (told,) = report(backups)["jobs"]
    assert (told["state"], told["why"]) == ("failed", "it was cut off each time")


@pytest.mark.parametrize(
    ("refusal", "why"),
    [
        ((409, "ended"), "ended"),
        ((403, "no backups"), "no backups"),
        ((401, ""), "the storage door answered 401"),
    ],
)
def test_a_door_that_is_shut_is_said(
    small: SmallHost, storage: Storage, refusal: tuple[int, str], why: str
) -> None:
    storage.refusal = refusal
    backups = small.chore()

    backups.turn()

    assert why in report(backups)["error"]
    assert backups.state.failures == 1


def test_full_storage_is_said_in_words(
    small: SmallHost, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.backup()
    monkeypatch.setattr(storage, "_write", lambda one: {"refused": "full"})
    backups = small.chore()

    backups.turn()

    assert "larger than the plan has room for" in report(backups)["error"]


def test_while_another_holds_the_lock_nothing_is_begun(small: SmallHost) -> None:
    backups = small.chore()
    with run.alone(small.places):
        backups.turn()
        assert report(backups)["points"] == []

    backups.turn()

    assert len(report(backups)["points"]) == 1


def test_of_erased_mail_nothing_is_staged_any_more(small: SmallHost) -> None:
    small.backup()
    for path in sorted(small.home(ALICE).rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    small.home(ALICE).rmdir()

    small.chore(*PEOPLE[1:], erase=(owner(ALICE),)).turn()

    assert not (small.places.tree / small.home(ALICE).relative_to(small.places.mail.parent)).exists()


def test_no_secret_is_in_what_others_may_see_of_restic(small: SmallHost) -> None:
    small.backup()
    secret = (small.places.own / "password").read_text().strip()
    seen: list[bytes] = []
    small.fill(300, size=20_000)
    run.staging.stage(small.places)
    with small.repository() as repository:

        def look() -> None:
            process = repository.restic.process
            with contextlib.suppress(OSError):
                place = Path(f"/proc/{process.pid if process else 0}")
                seen.append((place / "cmdline").read_bytes() + (place / "environ").read_bytes())

        with meanwhile(look):
            repository.restic.run("backup", ".", cwd=small.places.tree)
        door = repository.rest.secret.encode()

    assert any(b"--password-file=/dev/fd/" in text for text in seen)
    assert not [text for text in seen if secret.encode() in text or door in text]
