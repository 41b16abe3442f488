"""What a program is: a class whose methods are steps, each of which says what comes next."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from django.utils import timezone

from engine.models import Run


@dataclass(frozen=True)
class Hop:
    """Go on with another step at once."""

    step: str


@dataclass(frozen=True)
class Nap:
    """Take the same step again after `seconds`, or when woken."""

    seconds: float


@dataclass(frozen=True)
class Done:
    """The program has ended; `outcome` is a word or two for people."""

    outcome: str = "done"


Next = Hop | Nap | Done
Step = Callable[[], Next]


def hop(step: Step) -> Hop:
    return Hop(step.__name__)


def nap(seconds: float) -> Nap:
    return Nap(seconds)


def done(outcome: str = "done") -> Done:
    return Done(outcome)


class Program:
    """Base of all programs.

    A step has one outside effect, may be repeated at any time and runs inside the transaction that settles it.
    """

    first: ClassVar[str]
    known: ClassVar[dict[str, type["Program"]]] = {}

    def __init_subclass__(cls, *, abstract: bool = False) -> None:
        """`abstract` ones are parts of others, and are never run."""
        if not abstract:
            Program.known[cls.__name__] = cls

    def __init__(self, run: Run) -> None:
        self.run = run
        self.prepare()

    def prepare(self) -> None:
        """Reads what every step needs; called anew for each step."""

    @classmethod
    def failed(cls, error: Exception) -> None:
        """Called after a step raised and its transaction is undone: a place to tell other runs of it."""

    @property
    def args(self) -> dict[str, Any]:
        return self.run.args

    def signalled(self, name: str) -> bool:
        """Whether `name` was signalled to this run since it began or since `forget`."""
        return self.run.signals.filter(name=name).exists()

    def forget(self, name: str) -> None:
        """The next `signalled` waits for the signal to be given again."""
        self.run.signals.filter(name=name).delete()

    def expect(self, step: Step, *, within: timedelta) -> None:
        """Raises an alarm unless `step` is reached in time; the alarm closes itself when it is."""
        self.run.deadline_step = step.__name__
        self.run.deadline_at = timezone.now() + within

    def waited(self) -> timedelta:
        """How long the current step has been the current one."""
        return timezone.now() - self.run.step_since
