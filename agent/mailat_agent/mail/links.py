"""The system's own places, made links into the generation in force; what Debian had there is kept beside them."""

import contextlib
import errno
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

ORIGINAL = ".debian"  # ends the name of what a link took the place of


def ensure(links: Mapping[str, str], current: Path) -> None:
    """Make each path a link to its file of `current`; one whose file is not part of the generation is taken away."""
    for path, inside in links.items():
        if os.path.lexists(current / inside):
            _point(Path(path), current / inside)
        else:
            _forget(Path(path), current / inside)


def lay_out(links: Mapping[str, str], current: Path, staged: Path, root: Path) -> None:
    """`current` and the same links below another root, for an overlay, as they will be when `staged` is in force."""
    _lay_link(root, str(current), staged)
    for path, inside in links.items():
        if os.path.lexists(staged / inside):
            _lay_link(root, path, current / inside)


def _lay_link(root: Path, path: str, target: Path) -> None:
    twin = root / path.lstrip("/")
    _like(twin.parent, root)
    twin.symlink_to(target)


def _point(path: Path, target: Path) -> None:
    if path.is_symlink() and os.readlink(path) == str(target):
        return
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    _keep_original(path)
    fresh = path.with_name(f".{path.name}.mailat")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    os.replace(fresh, path)


def _keep_original(path: Path) -> None:
    if path.is_symlink() or not path.exists():
        return
    aside = path.with_name(path.name + ORIGINAL)
    if path.is_dir():
        _move(path, aside if not os.path.lexists(aside) else Path(f"{aside}.{time.time_ns()}"))
    else:
        with contextlib.suppress(FileExistsError):
            os.link(path, aside)  # not moved: until the link takes its place, the file stays


def _move(folder: Path, aside: Path) -> None:
    try:
        os.rename(folder, aside)
    except OSError as error:
        if error.errno != errno.EXDEV:  # what overlayfs says of a directory of its lower layer
            raise
        unfinished = aside.with_name(f"{aside.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(folder, unfinished, symlinks=True)
        os.rename(unfinished, aside)
        shutil.rmtree(folder)


def _forget(path: Path, target: Path) -> None:
    if not path.is_symlink() or os.readlink(path) != str(target):
        return
    aside = path.with_name(path.name + ORIGINAL)
    if os.path.lexists(aside):
        os.replace(aside, path)
    else:
        path.unlink()


def _like(folder: Path, root: Path) -> None:
    # What an overlay has on top decides also about owner and mode of a directory.
    if folder == root or folder.is_dir():
        return
    _like(folder.parent, root)
    folder.mkdir(mode=0o755)
    with contextlib.suppress(OSError):
        there = Path("/" + folder.relative_to(root).as_posix()).stat()
        folder.chmod(there.st_mode & 0o7777)
        os.chown(folder, there.st_uid, there.st_gid)
