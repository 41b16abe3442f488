"""The key pairs that secrets are sealed to: every process has the public halves, workers alone the private ones.

X25519 in PEM (RFC 7748, RFC 8410), several one after the other; the last public one seals. A file that is replaced while we run
is read anew.
"""

import hashlib
import re
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from vault.errors import BadKeys, NoVaultKey
from vault.published import PUBLISHED

PUBLIC, PRIVATE = "VAULT_PUBLIC_KEYS", "VAULT_PRIVATE_KEYS"
BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
Stamp = tuple[int, int, int]


def sealing() -> tuple[str, X25519PublicKey]:
    """The key that secrets are sealed to now, and its id. Raises BadKeys if there is none."""
    return next(reversed(public_keys().items()))


def public_keys() -> dict[str, X25519PublicKey]:
    """By id, in the order of the file. Raises BadKeys if there is none that can be used."""
    if not is_given(PUBLIC):
        raise BadKeys(
            f"there is no public key of the vault: {PUBLIC}_FILE names no file. `manage.py vault_keys` makes one"
        )
    return _public(*_source(PUBLIC))


def public_keys_in(file: Path) -> dict[str, X25519PublicKey]:
    """The same from this file. Raises BadKeys."""
    return _public(f"{PUBLIC}_FILE", str(file), _stamp(f"{PUBLIC}_FILE", file))


def private_keys() -> dict[str, X25519PrivateKey]:
    """By id. Raises NoVaultKey where none were given, BadKeys if they cannot be used."""
    if not is_given(PRIVATE):
        raise NoVaultKey(f"{PRIVATE}_FILE is not set: only a worker opens secrets")
    return _private(*_source(PRIVATE))


def private_keys_in(file: Path) -> dict[str, X25519PrivateKey]:
    """The same from this file. Raises BadKeys."""
    return _private(f"{PRIVATE}_FILE", str(file), _stamp(f"{PRIVATE}_FILE", file))


def private_key(name: str) -> X25519PrivateKey:
    """The private half of this key. Raises NoVaultKey if this process does not have it."""
    have = private_keys()
    if name not in have:
        raise lacking(name)
    return have[name]


def lacking(name: str) -> NoVaultKey:
    return NoVaultKey(f"this process does not have the private half of the vault's key {name}")


def key_id(key: X25519PublicKey) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the key's 32 bytes."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def is_given(setting: str) -> bool:
    """Whether this process was told where these keys are."""
    return bool(getattr(settings, setting) or getattr(settings, f"{setting}_FILE"))


def _source(setting: str) -> tuple[str, str, Stamp | None]:
    """The setting that is in force, its value, and what tells a file from the one that was there before."""
    if text := getattr(settings, setting):
        return setting, text, None
    name, path = f"{setting}_FILE", getattr(settings, f"{setting}_FILE")
    return name, path, _stamp(name, Path(path))


def _stamp(setting: str, file: Path) -> Stamp:
    try:
        found = file.stat()
    except OSError as error:
        raise BadKeys(f"{setting} names {file}, which cannot be read: {error.strerror}") from None
    return found.st_mtime_ns, found.st_ino, found.st_size


@lru_cache(maxsize=4)
@sensitive_variables()
def _public(setting: str, value: str, stamp: Stamp | None) -> dict[str, X25519PublicKey]:
    keys = [_public_key(setting, kind, pem) for kind, pem in _blocks(setting, value, stamp)]
    return {_checked(setting, key): key for key in keys}


@lru_cache(maxsize=4)
@sensitive_variables()
def _private(setting: str, value: str, stamp: Stamp | None) -> dict[str, X25519PrivateKey]:
    keys = [_private_key(setting, pem) for _, pem in _blocks(setting, value, stamp)]
    return {_checked(setting, key.public_key()): key for key in keys}


@sensitive_variables()
def _blocks(setting: str, value: str, stamp: Stamp | None) -> list[tuple[bytes, bytes]]:
    text = value.replace("\\n", "\n").encode() if stamp is None else _read(setting, value)
    found = [(block.group(1), block.group()) for block in BLOCK.finditer(text)]
    if not found:
        raise BadKeys(f"{setting} holds no key in PEM")
    return found


@sensitive_variables()
def _read(setting: str, path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise BadKeys(f"{setting} names {path}, which cannot be read: {error.strerror}") from None


def _public_key(setting: str, kind: bytes, pem: bytes) -> X25519PublicKey:
    if b"PRIVATE" in kind:
        raise BadKeys(f"{setting} holds a private key: it is for public ones, and every process reads it")
    try:
        key = load_pem_public_key(pem)
    except Exception:  # whatever a damaged file makes the library say
        raise BadKeys(f"{setting} holds a key that is damaged or too short") from None
    if not isinstance(key, X25519PublicKey):
        raise BadKeys(f"{setting} holds another kind of key than X25519")
    return key


@sensitive_variables()
def _private_key(setting: str, pem: bytes) -> X25519PrivateKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except Exception:  # and never its words, which may quote the key
        raise BadKeys(f"{setting} holds a key that is damaged, too short or no private one") from None
    if not isinstance(key, X25519PrivateKey):
        raise BadKeys(f"{setting} holds another kind of key than X25519")
    return key


def _checked(setting: str, key: X25519PublicKey) -> str:
    """The id of a key that only we can have made."""
    name = key_id(key)
    if name in PUBLISHED or len(set(key.public_bytes_raw())) < 8:
        raise BadKeys(f"{setting} holds a key that was published as an example (id {name})")
    try:
        X25519PrivateKey.generate().exchange(key)
    except ValueError:
        raise BadKeys(f"{setting} holds a key of low order, to which anybody can open (id {name})") from None
    return name
