"""bin/dev in a fresh clone with an empty home: installs, runs, is found, and leaves nothing running."""

import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devtools.paths import ROOT
from devtools.services import scratch
from devtools.tree import files

pytestmark = pytest.mark.integration
PATIENCE = 300
INSTALLING = 900  # seconds for a run that may have to install everything, on a busy machine


@pytest.fixture(scope="module")
def clone() -> Iterator[Path]:
    """The project's files and nothing else."""
    with scratch("mailat-clone-") as folder:
        for path in files():
            (folder / "clone" / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, folder / "clone" / path)
        (folder / "home").mkdir()
        yield folder / "clone"


def environment(clone: Path) -> dict[str, str]:
    """A newcomer's: none of the test's own settings, and an empty home; only the way to the network is kept."""
    kept = (
        "PATH",
        "LANG",
        "SSL_",
        "PIP_",
        "UV_",
        "REQUESTS_",
        "HTTP",
        "http",
        "ALL_PROXY",
        "NO_PROXY",
        "no_proxy",
        "MAILAT_CACHE",
    )
    env = {name: value for name, value in os.environ.items() if name.startswith(kept)}
    return env | {"HOME": str(clone.parent / "home")}


def dev(clone: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [clone / "bin" / "dev", *words],
        env=environment(clone),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=INSTALLING,
        check=False,
    )


def running(clone: Path) -> list[str]:
    """Command lines of processes that have to do with this clone."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            state = (folder / "stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        if str(clone) in words and state != "Z":
            found.append(words)
    return found


def wait_for(true: Callable[[], object], what: str) -> None:
    until = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < until, what
        time.sleep(0.1)


@pytest.fixture
def started(clone: Path) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, object]]]:
    """bin/dev as somebody runs it, and what it noted of itself."""
    with (clone.parent / "out").open("wb") as out:
        process = subprocess.Popen(
            [clone / "bin" / "dev", "--hosts", "none"],
            env=environment(clone),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
    note = clone / "var" / "dev" / "running.json"
    wait_for(lambda: note.exists() or process.poll() is not None, "bin/dev did not come up")
    assert process.poll() is None, (clone.parent / "out").read_text()
    yield process, json.loads(note.read_text())
    if process.poll() is None:
        process.terminate()
        process.wait(PATIENCE)


def test_a_fresh_clone_comes_up_and_a_second_run_installs_nothing(clone: Path) -> None:
    first = dev(clone, "--check", "--hosts", "none")
    assert first.returncode == 0, first.stdout
    assert "Python packages" in first.stdout
    second = dev(clone, "--check", "--hosts", "none")
    assert second.returncode == 0, second.stdout
    assert "Python packages" not in second.stdout
    wait_for(lambda: not running(clone), "something was left running")


def test_it_serves_until_ctrl_c_and_a_second_one_is_told_where(
    clone: Path, started: tuple[subprocess.Popen[bytes], dict[str, object]]
) -> None:
    process, note = started
    with urllib.request.urlopen(f"{note['site']}/") as page:  # noqa: S310 - our own site
        assert page.status == 200
    second = dev(clone, "--hosts", "none")
    assert second.returncode == 1
    assert str(note["site"]) in second.stdout
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 0
    wait_for(lambda: not running(clone), "something was left running")


def test_the_web_process_is_not_told_where_the_signing_key_is(
    clone: Path, started: tuple[subprocess.Popen[bytes], dict[str, object]]
) -> None:
    told = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode(errors="replace")
            if str(clone) in words and ("gunicorn" in words or "worker" in words):
                told["web" if "gunicorn" in words else "worker"] = (folder / "environ").read_bytes()
        except OSError:
            continue
    assert b"SIGNING_KEY_FILE=" in told["worker"]
    assert b"SIGNING_KEY_FILE=" not in told["web"]


def test_nothing_outlives_a_kill_and_the_next_run_comes_up(
    clone: Path, started: tuple[subprocess.Popen[bytes], dict[str, object]]
) -> None:
    process, _ = started
    process.kill()
    process.wait()
    wait_for(lambda: not running(clone), "something outlived bin/dev")
    again = dev(clone, "--check", "--hosts", "none")
    assert again.returncode == 0, again.stdout


def test_reset_asks_and_then_leaves_no_state(clone: Path) -> None:
    dev(clone, "--check", "--hosts", "none")
    assert dev(clone, "--reset").returncode == 1
    assert (clone / "var" / "dev" / "secrets").exists()
    assert dev(clone, "--reset", "--yes").returncode == 0
    assert not (clone / "var" / "dev").exists()
