"""The virtual environment: made once, brought in step with a hash-pinned lock whenever that changed."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devtools import apt
from devtools.paths import LOCKS, ROOT, VENV, VENV_PYTHON
from devtools.run import run
from devtools.say import Failed, stage

STAMP = VENV / ".mailat-lock"
RANK = {"base": 0, "sandbox": 1, "dev": 2}


def ensure(kind: str, *, title: str = "Python packages") -> None:
    """Makes the environment hold what locks/<kind>.txt names, or more if it already holds more."""
    kind = max(kind, held(), key=RANK.__getitem__)
    if STAMP.exists() and STAMP.read_text() == stamp(kind) and works():
        return
    with _alone(), stage(title) as line:
        line.note = f"locks/{kind}.txt"
        if moved() or not works():
            make()
        ensure_uv()
        sync(kind)
        STAMP.write_text(stamp(kind))


def held() -> str:
    """Which lock the environment was last brought in step with."""
    if STAMP.exists():
        word = STAMP.read_text().split(":")[0]
        return word if word in RANK else "base"
    return "dev" if list(VENV.glob("lib/python3*/site-packages/pytest")) else "base"


def stamp(kind: str) -> str:
    digest = hashlib.sha256()
    for part in (LOCKS / f"{kind}.txt", LOCKS / "uv.txt"):
        digest.update(part.read_bytes())
    return f"{kind}:{sys.version_info.major}.{sys.version_info.minor}:{VENV}:{digest.hexdigest()}"


def moved() -> bool:
    """Its programs name the place where they were installed, so an environment that was carried along is no use."""
    return STAMP.exists() and f":{VENV}:" not in STAMP.read_text()


def works() -> bool:
    """Whether its Python runs and has pip; one that was half made, or whose Python is gone, does not."""
    command = [str(VENV_PYTHON), "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def make() -> None:
    """A fresh environment, from the Python that runs us."""
    shutil.rmtree(VENV, ignore_errors=True)
    if not has_ensurepip():
        apt.install(["python3-venv"])
    run([base_python(), "-m", "venv", VENV], what="python3 -m venv")


def has_ensurepip() -> bool:
    check = [base_python(), "-c", "import ensurepip"]
    return subprocess.run(check, capture_output=True, check=False).returncode == 0


def base_python() -> str:
    """The interpreter itself, also when we run from an environment."""
    return getattr(sys, "_base_executable", None) or sys.executable


def ensure_uv() -> None:
    """uv by pip, held to its hashes; it then installs the rest ten times faster than pip would."""
    version = (LOCKS / "uv.txt").read_text().split()[0].partition("==")[2]
    try:
        have = subprocess.run(
            [VENV / "bin" / "uv", "--version"], capture_output=True, text=True, check=False
        ).stdout
    except OSError:
        have = ""
    if version in have.split():
        return
    lock = LOCKS / "uv.txt"
    command = [VENV_PYTHON, "-m", "pip", "install", "-q", "--require-hashes", "--no-deps", "-r", lock]
    run([*command, "--disable-pip-version-check"], what="Installing uv")


def sync(kind: str) -> None:
    command = [VENV / "bin" / "uv", "pip", "sync", "-q", "--require-hashes", "--compile-bytecode"]
    run(
        [*command, "--python", VENV_PYTHON, LOCKS / f"{kind}.txt"],
        what="Installing the packages",
        env=uv_environment(),
    )


def uv_environment() -> dict[str, str]:
    """No Python from elsewhere: what is installed must be for the interpreter at hand."""
    return os.environ | {"UV_PYTHON_DOWNLOADS": "never"}


def enter(script: Path) -> None:
    """Goes on as the same script under the environment's Python, unless that is where we are."""
    if Path(sys.prefix) == VENV:
        return
    os.execv(VENV_PYTHON, [str(VENV_PYTHON), str(script), *sys.argv[1:]])  # noqa: S606 - no shell is the point


@contextmanager
def _alone() -> Iterator[None]:
    """Two scripts started together must not fill one environment at once."""
    (ROOT / "var").mkdir(exist_ok=True)
    try:
        lock = (ROOT / "var" / "venv.lock").open("w")
    except OSError as error:
        raise Failed(f"{ROOT / 'var'} cannot be written to ({error.strerror}).") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
