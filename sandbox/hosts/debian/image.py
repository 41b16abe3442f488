"""The disk that every Debian host starts from, made once from the packages that this computer's own apt can reach."""

from __future__ import annotations

import collections
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
from collections.abc import Iterator

from sandbox.hosts.base import HostsUnavailable, Log
from sandbox.hosts.leashed import on_a_leash

SUITE = "trixie"
PACKAGES = [
    "systemd-sysv",
    "dbus",
    "libpam-systemd",
    "iproute2",
    "netbase",
    "ca-certificates",
    "curl",
    "gnupg",
    "python3",
    "python3-cryptography",
    "sudo",
    "openssh-server",
    "cloud-init",
    "procps",
    "less",
    "locales",
    "nftables",
]
APART = ["unshare", "--mount", "--propagation", "private"]  # whatever is mounted for it goes when it ends
LEFT_OUT = 50  # lines of mmdebstrap kept to explain a failure


def cache(home: pathlib.Path) -> pathlib.Path:
    """Where images are kept: MAILAT_CACHE, which several sandboxes may share, else below home."""
    return pathlib.Path(os.environ.get("MAILAT_CACHE") or home / "cache") / "hosts"


def ensure(home: pathlib.Path, on_log: Log) -> pathlib.Path:
    """The directory with the image, made now if it is not there; raises HostsUnavailable where that fails."""
    place = cache(home)
    place.mkdir(parents=True, exist_ok=True)
    image = place / f"{SUITE}-{recipe()}"
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another sandbox may be making the same one
        if not image.is_dir():
            _bake(image, on_log)
    return image


def recipe() -> str:
    """A short name of what the plain image is made of."""
    return hashlib.sha256(" ".join([SUITE, *PACKAGES]).encode()).hexdigest()[:12]


def _bake(image: pathlib.Path, on_log: Log) -> None:
    unfinished = image.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    on_log(f"Making the image of Debian {SUITE} for the sandbox's servers: once, about half a minute")
    listed = "\n".join(sources())
    if not listed:
        raise HostsUnavailable(
            "apt on this computer has no Debian source with an index; apt-get update may help"
        )
    _run_mmdebstrap(unfinished, listed, on_log)
    _finish(unfinished)
    for made_upon_another in (image.parent / "images").glob(f"{recipe()}-*"):
        shutil.rmtree(made_upon_another, ignore_errors=True)
    unfinished.rename(image)
    on_log(f"The image of Debian {SUITE} is ready")


def sources() -> Iterator[str]:
    """Lines for apt in the new image, from the mirrors that this computer's own apt is set up with."""
    listing = [
        "apt-get",
        "indextargets",
        "--format",
        "$(ORIGIN)|$(RELEASE)|$(REPO_URI)",
        "Identifier: Packages",
    ]
    run = subprocess.run(listing, capture_output=True, text=True)
    for line in dict.fromkeys(run.stdout.splitlines()):
        origin, release, uri = line.split("|", 2)
        if origin == "Debian" and not release.endswith("-backports"):
            yield f"deb {uri} {_same_part(release)} main"


def _same_part(release: str) -> str:
    _, dash, part = release.partition("-")
    return SUITE + dash + part


def _run_mmdebstrap(target: pathlib.Path, sources: str, on_log: Log) -> None:
    listed = target.with_suffix(".list")
    listed.write_text(sources + "\n")
    options = ["--mode=root", "--variant=minbase", f"--include={','.join(PACKAGES)}"]
    command = [*APART, "mmdebstrap", *options, SUITE, str(target), str(listed)]
    process = subprocess.Popen(
        on_a_leash(command),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # whoever kills our whole session must not kill the leash, which tidies up
        text=True,
    )
    last = collections.deque(_progress(process, on_log), maxlen=LEFT_OUT)
    listed.unlink()
    if process.wait() != 0:
        shutil.rmtree(target, ignore_errors=True)
        raise HostsUnavailable(f"the image could not be made: {' / '.join(list(last)[-3:])}")


def _progress(process: subprocess.Popen[str], on_log: Log) -> Iterator[str]:
    for line in process.stdout or ():
        text = line.strip()
        if text.startswith("I: "):
            on_log(f"  {text[3:]}")
        if text:
            yield text


def _finish(root: pathlib.Path) -> None:
    """What a cloud image has and a bare installation lacks: no identity of its own, and no waiting for the cloud."""
    (root / "etc/machine-id").write_text("")
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()  # cloud-init makes new ones at first boot
    settings = root / "etc/cloud/cloud.cfg.d"
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "99-sandbox.cfg").write_text("datasource_list: [NoCloud]\nnetwork: {config: disabled}\n")
    (root / "etc/apt/sources.list").write_text("")  # hosts have no way out of their network


if __name__ == "__main__":  # for what else wants a package as the servers have it
    print("\n".join(sources()))
