"""The secrets in our letters. None is kept: a row holds hashes or nothing, and the worker that writes the letter derives them."""

import hashlib
from uuid import UUID

from django.utils.crypto import constant_time_compare, salted_hmac

ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"  # spells no word, and nothing in it looks like a digit
CODE_LENGTH = 8


def token_of(link_id: UUID) -> str:
    """What stands in the link's address: 256 bits in hexadecimal, which only a holder of SECRET_KEY can derive."""
    return _keyed("token", str(link_id)).hex()


def code_of(link_id: UUID) -> str:
    """What is typed instead, such as BCDF-GHJK: 34 bits, which a handful of tries cannot guess."""
    number = int.from_bytes(_keyed("code", str(link_id)), "big")
    letters = ""
    for _ in range(CODE_LENGTH):
        number, place = divmod(number, len(ALPHABET))
        letters += ALPHABET[place]
    return f"{letters[:4]}-{letters[4:]}"


def hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def hash_code(link_id: UUID, code: str) -> str:
    """Keyed, because a bare hash of 34 bits is soon searched through."""
    return _keyed("code hash", f"{link_id}:{tidy_code(code)}").hex()


def hash_nonce(nonce: str) -> str:
    return hashlib.sha256(nonce.encode()).hexdigest()


def is_code(link_id: UUID, code_hash: str, typed: str) -> bool:
    """Whether the code typed is the link's, in a time that does not tell how much of it is right."""
    return constant_time_compare(hash_code(link_id, typed), code_hash)


def way_of(purpose: str, about: str) -> str:
    """What stands in the address of a link that confirms or stops something, and is good for that purpose and that row alone."""
    return _keyed(f"way.{purpose}", about).hex()


def is_way(purpose: str, about: str, given: str) -> bool:
    return constant_time_compare(way_of(purpose, about), given)


def tidy_code(typed: str) -> str:
    """Case, dashes and blanks do not matter."""
    return "".join(letter for letter in typed.upper() if letter.isalnum())


def _keyed(purpose: str, text: str) -> bytes:
    return salted_hmac(f"accounts.sign_in.{purpose}", text, algorithm="sha256").digest()
