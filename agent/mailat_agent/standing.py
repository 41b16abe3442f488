"""The last order obeyed, kept on disk, so that no restart makes an older one new again."""

from pathlib import Path

from .files import write_whole
from .log import say
from .orders import Order, Refusal, read

FILE = "desired.json"


def load(state: Path, server: str) -> Order | None:
    """The order in force, or None before the first; it was verified before it was kept."""
    path = state / FILE
    try:
        return read(path.read_text(encoding="utf-8"), server)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, Refusal):
        # A host that waits for hands because of a bad disk block is worse than one that asks for its orders anew.
        say(f"{path} is damaged; waiting for the order to come again")
        return None


def keep(state: Path, order: Order) -> None:
    """Make an order durable; raises Refusal where the disk does not take it."""
    try:
        write_whole(state / FILE, order.body)
    except OSError as error:
        raise Refusal(order.version, f"cannot be stored: {error.strerror}") from None
