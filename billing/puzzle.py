"""What a program does not understand is never guessed: a person is told, and the way on is written down for them."""

from django.utils import timezone

from billing.policy import PUZZLES
from engine.alarms import open_alarm
from engine.models import Alarm


class Puzzle(Exception):
    """`about` names the cause, so that one cause opens one alarm however often it is met."""

    def __init__(self, says: str, *, advice: str, about: str) -> None:
        super().__init__(says)
        self.says, self.advice, self.about = says, advice, about

    @classmethod
    def of(cls, kind: str, *, about: str, **facts: object) -> "Puzzle":
        """One of policy.PUZZLES, its words filled in with what is known."""
        ask = PUZZLES[kind]
        told = {name: str(fact)[:160] for name, fact in facts.items()}
        return cls(ask.says.format(**told), advice=ask.advice.format(**told), about=about)

    def tell(self, subject: str) -> None:
        """Opens the alarm, unless it is open."""
        open_alarm(key=_key(self.about), subject=subject, says=self.says, advice=self.advice)


def solved(*about: str) -> None:
    """Closes the alarms of these causes, if there are any."""
    keys = [_key(cause) for cause in about]
    Alarm.objects.filter(key__in=keys, closed_at=None).update(closed_at=timezone.now())


def _key(about: str) -> str:
    return f"billing:{about}"[:160]
