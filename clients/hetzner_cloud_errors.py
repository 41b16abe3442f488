"""What Hetzner's library raises, sorted into our three kinds; no text of ours holds a token."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import requests
from hcloud import APIException

from clients.errors import Gone, Refused, TryLater

LATER = {
    "conflict": 5, "locked": 10, "rate_limit_exceeded": 30, "timeout": 5, "bad_gateway": 5, "server_error": 15,
    "service_error": 15, "server_not_stopped": 5, "maintenance": 60, "unavailable": 30,
}  # fmt: skip
SOLD_OUT = {"resource_unavailable", "placement_error"}


class SoldOut(Refused):
    """No such machine at this place now; another type or place may do."""


class NameTaken(Refused):
    """A machine of this name exists: very likely ours, from a create whose answer was lost."""


class AccountFull(Refused):
    """The project's limit of machines is reached: only Hetzner can raise it, and only a person can ask."""


@contextmanager
def sorted_errors() -> Iterator[None]:
    """Turns what the library raises into our three kinds; no text of ours holds a token."""
    try:
        yield
    except APIException as error:
        raise _sorted(error) from None
    except requests.Timeout as error:
        raise TryLater("Hetzner did not answer in time", code="timeout", retry_after=5) from error
    except (requests.RequestException, ValueError) as error:
        raise TryLater(f"Hetzner could not be reached ({type(error).__name__})", retry_after=10) from None


def _sorted(error: APIException) -> Exception:
    code, says = str(error.code), str(error)
    if isinstance(error.code, int) and error.code >= 500:
        return TryLater(says, code=code, retry_after=15)
    if code in LATER:
        return TryLater(says, code=code, retry_after=LATER[code])
    for kind, codes in KINDS:
        if code in codes:
            return kind(says, code=code)
    return Refused(says, code=code)


KINDS: list[tuple[Callable[..., Exception], set[str]]] = [
    (Gone, {"not_found"}),
    (SoldOut, SOLD_OUT),
    (NameTaken, {"uniqueness_error"}),
    (AccountFull, {"resource_limit_exceeded"}),
]
