"""What apt and dpkg know: what is installed, what is newer, since when; asked of the programs, never of their memory."""

import contextlib
import fcntl
import json
import re
import struct
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

DPKG, LISTS = Path("/var/lib/dpkg"), Path("/var/lib/apt/lists")
LOCKS = (
    DPKG / "lock-frontend",
    DPKG / "lock",
    Path("/run/unattended-upgrades.lock"),  # held between the steps of one run, when dpkg's are not
)
SECURITY = "Debian-Security"  # the label of Debian's security archive
PATIENCE = 120.0  # seconds
# What a certificate is ordered with.
ORDERING = re.compile(
    r"nginx|(python3-)?certbot|python3-(acme|josepy|cryptography|openssl)\b|libssl3|openssl\b"
)
FORMAT = r"${Package}\t${Version}\t${source:Package}\t${Architecture}\t${db:Status-Abbrev}\n"
CHILD = (
    "import sys; sys.path.insert(0, sys.argv[1]); from mailat_agent.mail import packages; packages.answer()"
)


@dataclass(frozen=True)
class Package:
    """An installed package; `state` is dpkg's second letter, "i" where it is whole."""

    name: str
    version: str
    source: str
    arch: str
    state: str


@dataclass(frozen=True)
class Known:
    """What apt knows of a package; `released` is the Unix time of the archive's index, None where it has none.

    `candidate` is None where there is nothing newer, and then `security` and `released` are of the installed version.
    """

    package: str
    installed: str
    candidate: str | None
    security: bool
    released: float | None
    held: bool


class Unknown(Exception):
    """apt or dpkg did not answer."""


def installed() -> dict[str, Package]:
    """All packages on the disk, by name, those included that an update left half done; raises Unknown."""
    found = {}
    for line in _output("dpkg-query", "-W", "-f", FORMAT).splitlines():
        name, version, source, arch, state = line.split("\t")
        if version and state[1:2] not in ("n", "c"):
            found[name] = Package(name, version, source, arch, state[1:2])
    return found


def known(also: Iterable[str] = ()) -> list[Known]:
    """Everything that has a newer candidate, and what is asked for; raises Unknown.

    In a process of its own: python3-apt keeps 60 MB once it has looked.
    """
    place = str(Path(__file__).parents[2])
    said = _output(sys.executable, "-I", "-c", CHILD, place, *also)
    try:
        return [Known(**each) for each in json.loads(said)]
    except (ValueError, TypeError) as error:
        raise Unknown("apt's answer cannot be read") from error


def answer() -> None:
    """The child: tell about the upgradable packages and those named on the command line."""
    import apt  # type: ignore[import-not-found]  # only Debian has it

    cache, also = apt.Cache(), set(sys.argv[2:])
    told = [_tell(each) for each in cache if each.is_installed and (each.is_upgradable or each.name in also)]
    print(json.dumps([asdict(each) for each in told]))


def _tell(package: Any) -> Known:
    import apt_pkg  # type: ignore[import-not-found]

    newer = package.is_upgradable
    version = package.candidate if newer else package.installed
    indexes = [file for file, _ in version._cand.file_list if file.index_type != "Debian dpkg status file"]
    return Known(
        package=package.name,
        installed=package.installed.version,
        candidate=version.version if newer else None,
        security=any(origin.label == SECURITY for origin in version.origins),
        released=released(file.filename for file in indexes),
        held=package._pkg.selected_state == apt_pkg.SELSTATE_HOLD,
    )


def released(indexes: Iterable[str], lists: Path = LISTS) -> float | None:
    """The earliest date of the Release files that vouch for these indexes of packages."""
    dates = [date for index in indexes if (date := _release_date(Path(index).name, lists)) is not None]
    return min(dates, default=None)


def newest_release(lists: Path = LISTS) -> float | None:
    """The date of the newest Release file that apt has seen: it is no later than this, whatever the clock says."""
    dates = [_date(path) for path in _releases(lists)]
    return max((date for date in dates if date is not None), default=None)


def _release_date(index: str, lists: Path) -> float | None:
    files = {path: path.name.rpartition("_")[0] + "_" for path in _releases(lists)}
    fitting = [path for path, prefix in files.items() if index.startswith(prefix)]
    best = max(fitting, key=lambda path: len(files[path]), default=None)
    return _date(best) if best else None


def _releases(lists: Path) -> list[Path]:
    return [*lists.glob("*_InRelease"), *lists.glob("*_Release")]


def _date(release: Path) -> float | None:
    with contextlib.suppress(OSError, ValueError):
        if found := re.search(r"^Date: (.+)$", release.read_text(encoding="utf-8"), re.MULTILINE):
            return parsedate_to_datetime(found[1]).timestamp()
    return None


def applied_at(name: str, arch: str, dpkg: Path = DPKG) -> float:
    """When a package's files were last put in place: dpkg writes their list anew each time."""
    for path in (dpkg / "info" / f"{name}.list", dpkg / "info" / f"{name}:{arch}.list"):
        with contextlib.suppress(OSError):
            return path.stat().st_mtime
    return time.time()


def busy(locks: Iterable[Path] = LOCKS) -> bool:
    """Whether somebody installs something just now; asks without taking a lock, so that it never is in the way."""
    return any(_locked(path) for path in locks)


def changing(names: re.Pattern[str]) -> bool:
    """Whether an update that goes on just now has taken a package of these names apart and not put it together again."""
    if not busy(LOCKS):
        return False
    try:
        return any(each.state in "HUF" for name, each in installed().items() if names.match(name))
    except Unknown:
        return True


def _locked(path: Path) -> bool:
    flock = struct.Struct("hhqqi4x")  # struct flock on 64-bit Linux, fcntl(2)
    wanted = flock.pack(fcntl.F_WRLCK, 0, 0, 0, 0)
    try:
        with path.open("r+b") as file:
            return bool(flock.unpack(fcntl.fcntl(file, fcntl.F_GETLK, wanted))[0] != fcntl.F_UNLCK)
    except OSError:
        return False


def signs(*more: Path) -> tuple[float, ...]:
    """What changes whenever something was installed or apt's lists are new: a cheap look before a dear one."""
    return tuple(_mtime(path) for path in (DPKG / "status", LISTS, *more))


def _mtime(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _output(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise Unknown(f"{Path(command[0]).name} did not answer: {type(error).__name__}") from error
    return done.stdout
