"""What the machine was born with: whom to report to, who it is, and whose orders count."""

import base64
import binascii
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .files import write_whole


class ConfigError(Exception):
    """The configuration cannot be used; the text says what is wrong and repeats no value of it."""


@dataclass(frozen=True, repr=False)
class Config:
    """The configuration, checked; `token` is None once the enrolment has been confirmed."""

    path: Path
    control: str
    server: str
    token: str | None
    order_keys: Mapping[str, Ed25519PublicKey]


def load(path: Path) -> Config:
    """Read the configuration or say what is wrong with it."""
    fields = _fields(path)
    return Config(
        path=path,
        control=_control(fields.get("control")),
        server=_server(fields.get("server")),
        token=_token(fields.get("token")),
        order_keys=_order_keys(fields.get("order_keys")),
    )


def without_token(config: Config) -> Config:
    """Forget the enrolment token on disk and in memory; every other field of the file stays."""
    fields = _fields(config.path)
    fields.pop("token", None)
    write_whole(config.path, json.dumps(fields, indent=2, sort_keys=True) + "\n")
    return replace(config, token=None)


def _fields(path: Path) -> dict[str, object]:
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise ConfigError(f"{path} is not JSON") from None
    if not isinstance(fields, dict):
        raise ConfigError(f"{path} is not a JSON object")
    return fields


def _control(value: object) -> str:
    wrong = ConfigError("control must be an http or https address without user, query or fragment")
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        raise wrong from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_fine:
        raise wrong
    if parts.username is not None or parts.query or parts.fragment:
        raise wrong
    return parts.geturl().rstrip("/")


def _server(value: object) -> str:
    try:
        return str(uuid.UUID(value if isinstance(value, str) else ""))
    except ValueError:
        raise ConfigError("server must be a UUID") from None


def _token(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ConfigError("token must be a text")
    return value or None


def _order_keys(value: object) -> dict[str, Ed25519PublicKey]:
    if not isinstance(value, dict) or not value:
        raise ConfigError("order_keys must name at least one key")
    return {name: _order_key(text) for name, text in value.items()}


def _order_key(text: object) -> Ed25519PublicKey:
    try:
        raw = base64.b64decode(text if isinstance(text, str) else "", validate=True)
        return Ed25519PublicKey.from_public_bytes(raw)
    except (ValueError, binascii.Error):
        raise ConfigError("order_keys must hold raw Ed25519 public keys in base64") from None
