"""Passwords of mailboxes as Dovecot checks them, and nothing else is ever kept of them.

https://doc.dovecot.org/main/core/config/auth/schemes.html
"""

import base64
import hashlib
import secrets

from argon2 import PasswordHasher
from django.views.decorators.debug import sensitive_variables

# OWASP's least for Argon2id: a sign-in costs the host 19 MiB for a moment, and a guesser the same for each guess.
# https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
SLOW = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing in it looks like something else in it
GROUPS, GROUP = 4, 5
SALT = 16  # bytes


@sensitive_variables("password")
def of_password(password: str) -> str:
    """A person's own password, by a function that makes guessing slow."""
    return "{ARGON2ID}" + SLOW.hash(password)


def new_app_password() -> str:
    """20 letters and digits at random, 99 bits, in groups; the dashes belong to it, for what is copied is what is typed."""
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))
    return "-".join(groups)


@sensitive_variables("secret")
def of_app_password(secret: str) -> str:
    """By a quick function: nobody guesses 99 bits, and Dovecot tries up to eight of a mailbox at each sign-in."""
    salt = secrets.token_bytes(SALT)
    digest = hashlib.sha512(secret.encode() + salt).digest()
    return "{SSHA512}" + base64.b64encode(digest + salt).decode()
