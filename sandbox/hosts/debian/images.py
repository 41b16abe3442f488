"""Images made of machines' disks: layers above the plain image, below this sandbox's home and, for others, in the cache.

An image of the cache is linked into a home, file by file, so a home never depends on what others do there afterwards.
Layers are only ever read, which is why a link is as good as a copy.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
from collections.abc import Iterable, Iterator

from sandbox.hosts.base import About

MOST_REMEMBERED = 4
COPY = ["cp", "--archive", "--sparse=always", "--reflink=auto"]
OURS = (  # what lay_out gives a machine of this sandbox, and what must not go on to those of another
    "etc/hostname",
    "etc/hosts",
    "etc/resolv.conf",
    "etc/apt/apt.conf.d/90sandbox",
    "etc/apt/sources.list",
    "etc/ssl/certs/ca-certificates.crt",
    "var/lib/cloud/seed",
)


class Images:
    """One folder for each image: `layers/0` is the uppermost, `about.json` says what it is."""

    def __init__(self, place: pathlib.Path) -> None:
        self._place = place

    def layers(self, image: int) -> list[pathlib.Path]:
        """The image's layers, uppermost first; raises FileNotFoundError if there is no such image."""
        found = (self._folder(image) / "layers").iterdir()
        return sorted(found, key=lambda layer: int(layer.name))

    def keep(self, image: int, upper: pathlib.Path, below: list[pathlib.Path], about: About) -> int:
        """Makes an image of a machine's own layer and those that it began with; bytes that the copy took."""
        with _whole(self._folder(image)) as folder:
            (folder / "layers").mkdir(parents=True)
            _run([*COPY, str(upper), str(folder / "layers/0")])
            _without_what_is_ours(folder / "layers/0")
            for number, layer in enumerate(below, start=1):
                link(layer, folder / "layers" / str(number))
            (folder / "about.json").write_text(json.dumps(about))
        return size(self._folder(image) / "layers/0")

    def take(self, image: int, found: pathlib.Path) -> None:
        """Links an image of the cache here."""
        with _whole(self._folder(image)) as folder:
            link(found, folder)

    def forget(self, image: int, used: Iterable[int]) -> None:
        """Removes the image, or marks it to be removed when no machine uses it any more."""
        if self._folder(image).is_dir():
            (self._folder(image) / "forgotten").touch()
        self.sweep(used)

    def sweep(self, used: Iterable[int]) -> None:
        """Removes what was forgotten and is not used."""
        for mark in self._place.glob("*/forgotten"):
            if int(mark.parent.name) not in set(used):
                shutil.rmtree(mark.parent, ignore_errors=True)

    def folder(self, image: int) -> pathlib.Path:
        return self._folder(image)

    def _folder(self, image: int) -> pathlib.Path:
        return self._place / str(image)


class Memory:
    """Images in the cache that sandboxes share, the latest of each plain image and set of labels."""

    def __init__(self, place: pathlib.Path, recipe: str) -> None:
        self._place, self._recipe = place, recipe

    def all(self) -> dict[str, About]:
        """What is remembered upon this plain image, by key."""
        if not self._place.is_dir():
            return {}
        with self._held(fcntl.LOCK_SH):
            files = sorted(self._place.glob(f"{self._recipe}-*/about.json"))
            return {file.parent.name: json.loads(file.read_text()) for file in files}

    def add(self, folder: pathlib.Path) -> None:
        """Remembers the image in that folder; of the same labels only the latest stays, and of all but a few."""
        about = json.loads((folder / "about.json").read_text())
        labels = json.dumps(about["labels"], sort_keys=True)
        self._place.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._held(fcntl.LOCK_EX):
            target = self._place / f"{self._recipe}-{hashlib.sha256(labels.encode()).hexdigest()[:12]}"
            shutil.rmtree(target, ignore_errors=True)
            with _whole(target) as unfinished:
                link(folder, unfinished)
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        for broken_off in self._place.glob(".*.unfinished"):
            shutil.rmtree(broken_off, ignore_errors=True)
        files = self._place.glob("*/about.json")
        latest = sorted(files, key=lambda file: json.loads(file.read_text())["created"], reverse=True)
        for file in latest[MOST_REMEMBERED:]:
            shutil.rmtree(file.parent, ignore_errors=True)

    def hand(self, key: str, images: Images, image: int) -> bool:
        """Links the remembered image into a home; false if it is gone."""
        if not self._place.is_dir():
            return False
        with self._held(fcntl.LOCK_SH):
            if not (self._place / key / "about.json").is_file():
                return False
            images.take(image, self._place / key)
            return True

    @contextlib.contextmanager
    def _held(self, how: int) -> Iterator[None]:
        with (self._place / "lock").open("w") as lock:
            fcntl.flock(lock, how)
            yield


def link(source: pathlib.Path, target: pathlib.Path) -> None:
    """The same tree at another place, without a copy of its files where both are on one file system."""
    try:
        _run(["cp", "--archive", "--link", str(source), str(target)])
    except OSError:
        shutil.rmtree(target, ignore_errors=True)
        _run([*COPY, str(source), str(target)])


def size(tree: pathlib.Path) -> int:
    """Bytes on the disk below that place."""
    return sum(
        os.lstat(os.path.join(folder, name)).st_blocks * 512
        for folder, _, names in os.walk(tree)
        for name in names
    )


@contextlib.contextmanager
def _whole(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    """A folder to fill, which takes its name only when that has succeeded."""
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    yield unfinished
    unfinished.rename(folder)


def _run(command: list[str]) -> None:
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode != 0:
        raise OSError(f"a disk could not be copied: {run.stderr.strip()[-300:]}")


def _without_what_is_ours(layer: pathlib.Path) -> None:
    local = layer / "usr/local/share/ca-certificates"
    for place in [layer / name for name in OURS] + list(local.glob("sandbox-*.crt")):
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)
    for one in (layer / "etc/ssl/certs").glob("*"):
        if one.is_symlink() and "sandbox-" in os.readlink(one):
            one.unlink()
