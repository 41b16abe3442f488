"""What one page to look at is."""

from collections.abc import Callable
from dataclasses import dataclass

from accounts.models import Account, User

Make = Callable[[Account, User], str]  # puts something into the database and gives the path of the page


@dataclass(frozen=True)
class Sight:
    name: str
    make: Make
    signed_in: bool = True
