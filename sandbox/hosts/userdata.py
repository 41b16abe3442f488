"""Reads the cloud-config that a server was created with, as far as a process can follow it: its files."""

from __future__ import annotations

import base64
import binascii
import gzip
import os
import pathlib
from typing import Any

import yaml


class UserDataError(ValueError):
    """The user data cannot be followed; the text says what is wrong with it."""


def write_files(user_data: str, root: pathlib.Path, moved: dict[str, str] | None = None) -> None:
    """Writes the files of `write_files` below `root`, as cloud-init would below /; source: cloud-init's module reference."""
    for entry in _entries(user_data):
        path = _below(root, str(entry.get("path", "")))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(_readdressed(_content(entry), moved or {}))
        os.chmod(path, int(str(entry.get("permissions", "0644")), 8))


def _entries(user_data: str) -> list[dict[str, Any]]:
    if not user_data.startswith("#cloud-config"):
        raise UserDataError("it does not begin with #cloud-config")
    try:
        config = yaml.safe_load(user_data)
    except yaml.YAMLError as problem:
        raise UserDataError("it is not YAML") from problem
    entries = config.get("write_files", []) if isinstance(config, dict) else []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UserDataError("write_files is not a list of files")
    return entries


def _below(root: pathlib.Path, path: str) -> pathlib.Path:
    place = (root / path.lstrip("/")).resolve()
    if not path.startswith("/") or not place.is_relative_to(root.resolve()) or place == root.resolve():
        raise UserDataError(f"{path!r} is no absolute path of a file")
    return place


def _readdressed(content: bytes, moved: dict[str, str]) -> bytes:
    """The content with the hosts of its URLs changed that `moved` names."""
    for old, new in moved.items():
        for end in (b":", b"/"):
            content = content.replace(b"//" + old.encode() + end, b"//" + new.encode() + end)
    return content


def _content(entry: dict[str, Any]) -> bytes:
    content, encoding = entry.get("content", ""), str(entry.get("encoding", "text/plain")).lower()
    raw = content if isinstance(content, bytes) else str(content).encode()
    try:
        if encoding in ("b64", "base64", "gz+b64", "gz+base64", "gzip+b64", "gzip+base64"):
            raw = base64.b64decode(raw)
        return gzip.decompress(raw) if encoding.startswith("gz") else raw
    except (binascii.Error, OSError) as problem:
        raise UserDataError(f"the content of a file is not {encoding}") from problem
