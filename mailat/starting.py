"""What a process must be given before it starts; without it, it ends with one sentence and the code for a wrong set-up."""

import os
import sys
from collections.abc import Callable
from typing import NoReturn

from django.core.exceptions import ImproperlyConfigured

EX_CONFIG = 78  # sysexits.h
SHORTEST = 50  # characters
# Words of secrets that stand in the repository or in Django's own examples.
EXAMPLES = ("django-insecure", "random-characters-that-nobody-has-seen", "only-for-tests", "changeme")
# Commands that make what others need, or only look at the program itself.
BEFORE_ANY_KEY = {"vault_keys", "collectstatic", "check", "makemigrations", "help", "version", "diffsettings"}


class Refused(Exception):
    """The sentence says what is wrong and what to do; it holds nothing that is secret."""


def web() -> None:
    """A web process seals what people type: it needs a key to seal to, and a secret for its sessions."""
    _check(secret_key, public_keys, storage_key)


def storage_key() -> None:
    """The gate signs with the storage's key; whoever faces browsers has none."""
    from django.conf import settings

    is_gate = settings.ROOT_URLCONF == "mailat.gate_urls"
    given = [settings.STORAGE_ACCESS_KEY, settings.STORAGE_SECRET_KEY]
    if is_gate and not all([settings.STORAGE_URL, settings.STORAGE_REGION, settings.STORAGE_BUCKET, *given]):
        raise Refused(
            "the gate needs STORAGE_URL, STORAGE_REGION, STORAGE_BUCKET and both halves of the storage's key"
        )


def clock() -> None:
    """Beat sends names of tasks and nothing else."""
    _check(secret_key)


def worker() -> None:
    """A worker opens what others sealed: it needs the private half of every key that some secret has."""
    _check(secret_key, public_keys, private_keys)


def command(arguments: list[str]) -> None:
    """`manage.py`: everything that works with the database starts as a web process does."""
    words = [word for word in arguments[1:] if not word.startswith("-")]
    if words and words[0] not in BEFORE_ANY_KEY and "--help" not in arguments:
        web()


def _check(*looks: Callable[[], None]) -> None:
    try:
        for look in looks:
            look()
    except (Refused, ImproperlyConfigured) as problem:
        refuse(str(problem))


def refuse(why: str) -> NoReturn:
    """Ends the process, with code 78 and this sentence on the error output."""
    sys.stderr.write(f"Mailat does not start: {why.rstrip('.')}.\n")
    sys.stderr.flush()
    raise SystemExit(EX_CONFIG)


def secret_key() -> None:
    from django.conf import settings

    given = settings.SECRET_KEY
    if len(given) < SHORTEST:
        raise Refused(
            f"SECRET_KEY has {len(given)} characters and needs {SHORTEST}; `openssl rand -base64 48` makes one"
        )
    if len(set(given)) < 10 or any(word in given for word in EXAMPLES):
        raise Refused("SECRET_KEY is an example that everybody can read; `openssl rand -base64 48` makes one")


def public_keys() -> None:
    from vault import keys
    from vault.errors import BadKeys

    try:
        keys.public_keys()
    except BadKeys as problem:
        raise Refused(str(problem)) from None


def private_keys() -> None:
    """The rows are asked which keys they need; where the database is away, the worker waits for it as it always does."""
    from vault import keys
    from vault.errors import BadKeys, NoVaultKey

    try:
        have = set(keys.private_keys())
        newest, _ = keys.sealing()
    except (BadKeys, NoVaultKey) as problem:
        raise Refused(f"{problem}; a worker needs the vault's private keys") from None
    if newest not in have:
        raise Refused(
            f"this worker lacks the private half of the vault's key {newest}, which secrets are sealed to"
        )
    if missing := sorted(_needed() - have):
        raise Refused(
            f"this worker lacks the private half of the vault's keys {', '.join(missing)}, which secrets need"
        )


def _needed() -> set[str]:
    import django
    from django.db import Error, connection

    django.setup()
    from vault import rows

    try:
        return rows.needed()
    except Error:
        return set()
    finally:
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]  # its threads would not follow into the worker's children


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mailat.settings")
    web()
