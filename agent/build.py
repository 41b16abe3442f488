"""Packs the agent into one file, byte for byte the same wherever and whenever it is built.

`python -m agent.build DIR` writes DIR/agent.pyz and DIR/agent.pyz.sha256.
"""

import argparse
import hashlib
import io
import os
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from agent.mailat_agent import __version__

PACKAGE = Path(__file__).parent / "mailat_agent"
NAME = "agent.pyz"
SHEBANG = b"#!/usr/bin/python3\n"
MAIN = b"import sys\n\nfrom mailat_agent.__main__ import main\n\nsys.exit(main())\n"
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip file can say


def version() -> str:
    """The version that the built agent reports."""
    return __version__


@cache
def built() -> tuple[bytes, str]:
    """The zipapp and its SHA-256 in hex, packed once per process."""
    data = build()
    return data, hashlib.sha256(data).hexdigest()


def sha256() -> str:
    """The SHA-256 of the zipapp in hex: what user data tells a new machine to check."""
    return built()[1]


def build() -> bytes:
    """Pack the agent as the source lies there now."""
    file = io.BytesIO()
    file.write(SHEBANG)
    with zipfile.ZipFile(
        file, "w", zipfile.ZIP_STORED
    ) as archive:  # deflated bytes would depend on zlib's version
        for name, data in sorted(_members()):
            archive.writestr(_entry(name), data)
    return file.getvalue()


def write(directory: Path) -> tuple[Path, str]:
    """Build into a directory; each of the two files is replaced as a whole. Returns the zipapp's path and SHA-256."""
    data = build()
    checksum = hashlib.sha256(data).hexdigest()
    directory.mkdir(parents=True, exist_ok=True)
    _replace(directory / NAME, data)
    _replace(directory / f"{NAME}.sha256", f"{checksum}  {NAME}\n".encode("ascii"))
    return directory / NAME, checksum


def _members() -> Iterable[tuple[str, bytes]]:
    yield "__main__.py", MAIN
    for path in {*PACKAGE.rglob("*.py"), *filter(_is_template, PACKAGE.rglob("templates/**/*"))}:
        yield path.relative_to(PACKAGE.parent).as_posix(), path.read_bytes()


def _is_template(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".") and path.suffix != ".pyc"


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, LONG_AGO)
    entry.create_system = 3  # Unix, also where it is built elsewhere
    entry.external_attr = 0o100644 << 16
    return entry


def _replace(path: Path, data: bytes) -> None:
    descriptor, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(descriptor, "wb") as file:
            os.fchmod(file.fileno(), 0o644)  # anybody may read it: it holds no secret
            file.write(data)
        os.replace(fresh, path)
    except BaseException:
        Path(fresh).unlink(missing_ok=True)
        raise


def main(arguments: list[str] | None = None) -> int:
    """Build as told on the command line."""
    parser = argparse.ArgumentParser(prog="python -m agent.build", description=__doc__)
    parser.add_argument("directory", type=Path, help=f"where {NAME} and {NAME}.sha256 go")
    path, checksum = write(parser.parse_args(arguments).directory)
    print(f"{checksum}  {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
