"""The writable layer of a host's disk: what makes it this host, and the seed from which cloud-init reads its user data."""

from __future__ import annotations

import os
import pathlib


def lay_out(folder: pathlib.Path, gateway: str, name: str, ipv4: str, user_data: str) -> None:
    """Prepares the layer; at a later start of the same machine it changes nothing."""
    for part in ("upper", "work", "root"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    folder.chmod(
        0o700
    )  # the layers hold the machine's secrets; overlayfs takes the mode of / from upper, not from here
    upper = folder / "upper"
    if not (upper / "etc/resolv.conf").exists():
        _write_identity(upper, gateway, name, ipv4)
        _write_seed(upper / "var/lib/cloud/seed/nocloud", folder.name, name, user_data)


def _write_seed(seed: pathlib.Path, instance: str, name: str, user_data: str) -> None:
    _write(seed / "meta-data", f"instance-id: {instance}\nlocal-hostname: {name}\n")
    _write(seed / "user-data", user_data, mode=0o600)


def _write_identity(upper: pathlib.Path, gateway: str, name: str, ipv4: str) -> None:
    _write(upper / "etc/hostname", f"{name}\n")
    _write(upper / "etc/hosts", f"127.0.0.1 localhost\n{ipv4} {name}\n")
    _write(upper / "etc/resolv.conf", f"nameserver {gateway}\n")


def _write(path: pathlib.Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
    os.chmod(path, mode)
