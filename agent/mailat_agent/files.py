"""Files that are there whole or not at all, whenever the process or the power dies."""

import json
import os
from pathlib import Path
from typing import Any


def write_whole(path: Path, text: str, mode: int = 0o600) -> None:
    """Replace a file durably: what is read later is the old text or the new one, never a part."""
    fresh = path.with_name(f".{path.name}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with open(os.open(fresh, flags, mode), "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), mode)  # what the umask took, or what an older leftover had too much
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make what was renamed in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file; an empty one where there is no such file or nothing sensible in it."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
