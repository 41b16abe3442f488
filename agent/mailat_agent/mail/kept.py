"""The mail system's packages as they are installed now, kept so that an update can be taken back without a network."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from hashlib import md5
from pathlib import Path

from .packages import DPKG, Package

FOLDER = "packages"  # in Host.home
APT_CACHE = Path("/var/cache/apt/archives")
PATIENCE = 600.0  # seconds
# Debian's source packages whose binaries make the mail system; those of one source go together.
SOURCES = frozenset(
    (
        *("postfix", "postsrsd", "dovecot", "rspamd", "redis", "openssl"),
        *("nginx", "php8.4", "php-defaults", "roundcube", "fail2ban", "nftables", "python-certbot"),
    )
)
NOT_OF_THE_PACKAGE = (
    "Status:",
    "Conffiles:",
    "Config-Version:",
    "Triggers-Pending:",
    "Triggers-Awaited:",
)
SCRIPTS = ("preinst", "postinst", "prerm", "postrm", "config", "templates", "triggers", "shlibs", "symbols")


def ours(packages: dict[str, Package]) -> list[Package]:
    """The installed packages that are taken back when an update of them fails."""
    return [package for package in packages.values() if package.source in SOURCES]


def name(package: str, version: str, arch: str) -> str:
    """The file's name, as apt calls it."""
    return f"{package}_{version.replace(':', '%3a')}_{arch}.deb"


def find(home: Path, package: str, version: str) -> Path | None:
    """The kept file of one version."""
    found = list((home / FOLDER).glob(name(package, version, "*")))
    return found[0] if found else None


def keep(home: Path, packages: dict[str, Package]) -> None:
    """See that each of ours that is whole is there as it is installed, and nothing else."""
    folder = home / FOLDER
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    wanted = {name(each.name, each.version, each.arch): each for each in ours(packages) if each.state == "i"}
    for way in (_from_cache, _download, _repack_all):
        if missing := [each for file, each in wanted.items() if not (folder / file).exists()]:
            way(missing, folder)
    for path in folder.iterdir():
        if path.name not in wanted:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()


def _from_cache(packages: Iterable[Package], folder: Path) -> None:
    for package in packages:
        file = name(package.name, package.version, package.arch)
        with contextlib.suppress(OSError):
            _place(APT_CACHE / file, folder / file)


def _place(source: Path, target: Path) -> None:
    fresh = target.with_name(f".{target.name}.new")
    fresh.unlink(missing_ok=True)
    try:
        os.link(source, fresh)
    except OSError:  # another file system
        shutil.copyfile(source, fresh)
    os.replace(fresh, target)


def _download(packages: list[Package], folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as place:
        wanted = [f"{each.name}={each.version}" for each in packages]
        if _run("apt-get", "-q", "download", *wanted, cwd=place):
            for path in Path(place).glob("*.deb"):
                os.replace(path, folder / path.name)


def _repack_all(packages: Iterable[Package], folder: Path) -> None:
    for package in packages:
        with contextlib.suppress(OSError), tempfile.TemporaryDirectory(dir=folder) as place:
            repack(package, Path(place), folder)


def repack(package: Package, place: Path, folder: Path) -> None:
    """Make the package anew from what is installed, for versions that no archive has any more.

    Configuration that was changed is left out: dpkg then keeps it, and still knows that it was changed.
    """
    root, control = place / "root", place / "root/DEBIAN"
    control.mkdir(parents=True)
    root.chmod(0o755)
    control.chmod(0o755)
    conffiles, changed = _conffiles(package)
    listed = _info(package, "list").read_text(encoding="utf-8").splitlines()
    names = place / "names"
    names.write_text("".join(f".{path}\n" for path in listed if path != "/." and path not in changed))
    _write_control(package, control, conffiles)
    fresh = place / name(package.name, package.version, package.arch)
    packed, unpacked = place / "data.tar", ("tar", "-C", str(root), "-xpf")
    collect = ("tar", "-C", "/", "--no-recursion", "--ignore-failed-read", "-T", str(names), "-cf")
    build = ("dpkg-deb", "-Zzstd", "-z1", "--build", str(root), str(fresh))
    if _run(*collect, str(packed)) and _run(*unpacked, str(packed)) and _run(*build):
        _place(fresh, folder / fresh.name)


def _write_control(package: Package, control: Path, conffiles: list[str]) -> None:
    fields = _fields(_said("dpkg-query", "-s", f"{package.name}:{package.arch}"))
    (control / "control").write_text("\n".join(fields) + "\n", encoding="utf-8")
    if conffiles:
        (control / "conffiles").write_text("".join(f"{path}\n" for path in conffiles), encoding="utf-8")
    for script in SCRIPTS:
        with contextlib.suppress(FileNotFoundError):
            shutil.copy(_info(package, script), control / script)


def _fields(paragraph: str) -> list[str]:
    """The lines of a status paragraph that are the package's own."""
    lines, inside = [], True
    for line in paragraph.splitlines():
        if not line.startswith(" "):
            inside = not line.startswith(NOT_OF_THE_PACKAGE)
        if inside and line:
            lines.append(line)
    return lines


def _conffiles(package: Package) -> tuple[list[str], set[str]]:
    """The configuration files that are as the package brought them, and those that are not."""
    same, changed = [], set()
    for line in _said(
        "dpkg-query", "-W", "-f", "${Conffiles}\n", f"{package.name}:{package.arch}"
    ).splitlines():
        path, digest, *_ = [*line.split(), "", ""]
        if path and digest == _digest(Path(path)):
            same.append(path)
        elif path:
            changed.add(path)
    return same, changed


def _digest(path: Path) -> str:
    try:
        return md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    except OSError:
        return "absent"


def _info(package: Package, kind: str) -> Path:
    plain = DPKG / "info" / f"{package.name}.{kind}"
    return plain if plain.exists() else DPKG / "info" / f"{package.name}:{package.arch}.{kind}"


def _said(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def _run(*command: str, cwd: str = "/") -> bool:
    try:
        subprocess.run(command, capture_output=True, timeout=PATIENCE, check=True, cwd=cwd)
    except (OSError, subprocess.SubprocessError):
        return False
    return True
