"""What a program does not understand is never guessed: a person is told, and the way on is written down for them."""

from engine.alarms import close_alarm, open_alarm


class Puzzle(Exception):
    """`about` names the cause, so that one cause opens one alarm however often it is met."""

    def __init__(self, says: str, *, advice: str, about: str) -> None:
        super().__init__(says)
        self.says, self.advice, self.about = says, advice, about

    def tell(self, subject: str) -> None:
        """Opens the alarm, unless it is open."""
        open_alarm(key=_key(self.about), subject=subject, says=self.says, advice=self.advice)


def solved(*about: str) -> None:
    """Closes the alarms of these causes, if there are any."""
    for cause in about:
        close_alarm(_key(cause))


def _key(about: str) -> str:
    return f"billing:{about}"[:160]
