"""bin/lock: resolves anew, for every system and Python at once."""

import argparse
import sys

from devtools import venv
from devtools.dev import shown
from devtools.paths import LOCKS, ROOT, VENV
from devtools.run import run
from devtools.say import stage

EXTRAS = {"base": [], "sandbox": ["sandbox"], "dev": ["sandbox", "dev"]}
# No header, index address or annotation: a lock names packages, versions and hashes, and no place to get them from.
FLAGS = ["--universal", "--python-version", "3.11", "--generate-hashes"]
SILENT = ["--no-header", "--no-emit-index-url", "--no-annotate", "--quiet"]


def start() -> int:
    return shown(_start)


def _start() -> int:
    parser = argparse.ArgumentParser(prog="bin/lock", description=__doc__)
    parser.add_argument(
        "--upgrade", action="store_true", help="take the newest versions, not the locked ones"
    )
    more = ["--upgrade"] if parser.parse_args(sys.argv[1:]).upgrade else []
    venv.ensure("base")
    lock_uv(more)
    for kind, extras in EXTRAS.items():
        words = [word for extra in extras for word in ("--extra", extra)]
        resolve(kind, [ROOT / "pyproject.toml", *words, *more])
    return 0


def lock_uv(more: list[str]) -> None:
    """uv itself: the one package that pip installs."""
    wish = VENV / "uv.in"
    wish.write_text("uv\n")
    resolve("uv", [wish, *more])


def resolve(kind: str, words: list[object]) -> None:
    with stage(f"locks/{kind}.txt"):
        command = [VENV / "bin" / "uv", "pip", "compile", *FLAGS, *SILENT, "-o", LOCKS / f"{kind}.txt"]
        run([*command, *(str(word) for word in words)], what="uv pip compile", env=venv.uv_environment())
