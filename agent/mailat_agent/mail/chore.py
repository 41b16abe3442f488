"""What the host does by itself, now and then, beside reports and orders: certificates, the canary, updates, a look around."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .part import Host
from .state import Mail


@dataclass
class Situation:
    """What a chore may know; read anew at each turn. `changed` is called when the mail system must be rendered again.

    Whoever starts or stops daemons holds `busy` meanwhile, as the change of a generation does.
    """

    mail: Mail
    host: Host
    changed: Callable[[], None] = lambda: None
    busy: threading.Lock = field(default_factory=threading.Lock)


@dataclass
class Chore:
    """One thing done every `every` seconds by a thread beside the agent's loop; `run` returns what is to be reported.

    It raises nothing that matters: an exception is reported as `{"error": text}` and the chore comes again.
    `every` may be a function of the situation. `knock` makes it due now. What it must remember it keeps in Host.home.
    """

    name: str
    every: float | Callable[[Situation], float]
    run: Callable[[Situation], dict[str, Any]]
    due: threading.Event = field(default_factory=threading.Event)

    def knock(self) -> None:
        self.due.set()
