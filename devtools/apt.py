"""Debian packages that a stage needs: installed as root, otherwise said in one sentence."""

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping

from devtools.run import run
from devtools.say import Failed


def root_command() -> list[str] | None:
    """What puts a command in root's hands without asking; None if nothing does."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and not subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode:
        return [sudo, "-n"]
    return None


def missing(programs: Mapping[str, str]) -> list[str]:
    """The packages of those programs that are not on the PATH (nor in sbin)."""
    path = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
    return sorted({package for program, package in programs.items() if not shutil.which(program, path=path)})


def why_not() -> str | None:
    """Why packages cannot be installed here, if so."""
    if not shutil.which("apt-get"):
        return "this is not a Debian system"
    if root_command() is None:
        return "that needs root"
    return None


def install(packages: Iterable[str]) -> None:
    """Installs them, or says what to run."""
    names = sorted(packages)
    hint = f"Please run: sudo apt-get install {' '.join(names)}"
    if reason := why_not():
        raise Failed(f"{', '.join(names)} missing, and {reason}. {hint}")
    prefix = [*(root_command() or []), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
    _refresh(prefix)
    command = [*prefix, "install", "--no-install-recommends", *names]
    run(
        command, what=f"apt-get install {' '.join(names)}", tied=False
    )  # never leave the system half installed


def _refresh(prefix: list[str]) -> None:
    run([*prefix, "update"], what="apt-get update")
