"""The writable layer of a host's disk: what makes it this host, and the seed from which cloud-init reads its user data."""

from __future__ import annotations

import pathlib
import subprocess

from sandbox.internet import aptproxy, mirrors
from sandbox.internet.files import write_whole
from sandbox.internet.trust import Trust, subject_hash

SUITE = "trixie"
LOCAL = pathlib.Path("usr/local/share/ca-certificates")
CERTIFICATES = pathlib.Path("etc/ssl/certs")
BUNDLE = CERTIFICATES / "ca-certificates.crt"
FILE = "disk.img"  # in the machine's folder, where its disk has a size of its own
MIB = 1024**2


def lay_out(
    folder: pathlib.Path, gateway: str, name: str, ipv4: str, user_data: str, image: str | pathlib.Path = ""
) -> None:
    """Prepares the layer; at a later start of the same machine only whom it trusts may change.

    `folder` lies two below the sandbox's home; `image` is the layer below this one, or several with colons between.
    """
    for part in ("upper", "work", "root"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    folder.chmod(
        0o700
    )  # the layers hold the machine's secrets; overlayfs takes the mode of / from upper, not from here
    upper = folder / "upper"
    if not (upper / "etc/resolv.conf").exists():
        _write_apt(upper / "etc/apt", gateway)
        _write_seed(upper / "var/lib/cloud/seed/nocloud", folder.name, name, user_data)
        _write_identity(upper, gateway, name, ipv4)
    _write_trust(upper, Trust(folder.parent.parent).certificates(), str(image).split(":"))


def ensure_file(folder: pathlib.Path, mib: int) -> pathlib.Path:
    """A file system in a sparse file, with the share kept for root that Debian's has; made once."""
    path = folder / FILE
    if not path.exists():
        fresh = path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.truncate(mib * MIB)
        subprocess.run(["mkfs.ext4", "-q", "-F", str(fresh)], check=True, capture_output=True)
        fresh.rename(path)
    return path


def _write_apt(place: pathlib.Path, gateway: str) -> None:
    """Packages come by the gateway's proxy, which reaches this computer's own mirrors and nothing else."""
    _write(place / "apt.conf.d/90sandbox", f'Acquire::http::Proxy "http://{gateway}:{aptproxy.PORT}";\n')
    _write(place / "sources.list", "".join(f"{line}\n" for line in mirrors.sources(SUITE)))


def _write_seed(seed: pathlib.Path, instance: str, name: str, user_data: str) -> None:
    _write(seed / "meta-data", f"instance-id: {instance}\nlocal-hostname: {name}\n")
    _write(seed / "user-data", user_data, mode=0o600)


def _write_identity(upper: pathlib.Path, gateway: str, name: str, ipv4: str) -> None:
    _write(upper / "etc/hostname", f"{name}\n")
    _write(upper / "etc/hosts", f"127.0.0.1 localhost\n{ipv4} {name}\n")
    _write(upper / "etc/resolv.conf", f"nameserver {gateway}\n")


def _write_trust(upper: pathlib.Path, roots: list[bytes], layers: list[str]) -> None:
    """In the places where `update-ca-certificates` would put them, and where it would find them when it runs there."""
    if any((upper / place).resolve() != upper.resolve() / place for place in (CERTIFICATES, LOCAL)):
        return  # the host made them links, which could lead out of its layer
    for pem in roots:
        name = subject_hash(pem)
        _write(upper / LOCAL / f"sandbox-{name}.crt", pem.decode())
        _link(upper / CERTIFICATES / f"{name}.0", f"/{LOCAL}/sandbox-{name}.crt")
    places = [pathlib.Path(at) / BUNDLE for at in (str(upper), *layers)]
    known = next((place.read_text() for place in places if place.is_file() and not place.is_symlink()), "")
    if new := [pem.decode() for pem in roots if pem.decode() not in known]:
        _write(upper / BUNDLE, known + "".join(new))


def _link(path: pathlib.Path, target: str) -> None:
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def _write(path: pathlib.Path, text: str, mode: int = 0o644) -> None:
    """Never through a link at that place: what the host laid there must not lead out of its own layer."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    write_whole(path, text.encode(), mode)
