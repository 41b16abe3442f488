"""The one program of this room: a letter that has been written is sent."""

from datetime import timedelta

from django.utils import timezone

from accounts import mail
from accounts.models import Letter, User
from clients.errors import TryLater
from engine.alarms import close_alarm, open_alarm
from engine.models import Run
from engine.program import Next, Program, done

LATE_AFTER = timedelta(minutes=10)
GIVEN_UP_AFTER = timedelta(days=5)  # as mail servers do among themselves (RFC 5321, 4.5.4.1)
LONGEST_WAIT = 900.0  # seconds
LATE = "letters:late"


class SendLetter(Program):
    """Sends one letter.

    If a worker dies between the mail server's yes and our commit, the letter goes out again, but under the same
    Message-ID and date, so that a mailbox shows it as one message.
    """

    first = "send"

    def prepare(self) -> None:
        pk = self.run.subject.removeprefix("letter:")
        self.letter = Letter.objects.select_for_update().filter(pk=pk).first()

    def send(self) -> Next:
        letter = self.letter
        if letter is None or letter.sent_at or letter.dropped:
            return done("nothing to send")
        if reason := mail.useless(letter):
            return self._drop(letter, reason)
        return self._send(letter)

    def _send(self, letter: Letter) -> Next:
        try:
            mail.deliver(mail.compose(letter))
        except TryLater as error:
            return self._later(letter, error)
        except mail.LetterRefused as error:
            return self._lost(letter, str(error))
        letter.sent_at = timezone.now()
        letter.save(update_fields=["sent_at"])
        return done("sent")

    def _later(self, letter: Letter, error: TryLater) -> Next:
        if timezone.now() - letter.written_at > GIVEN_UP_AFTER:
            return self._lost(letter, str(error))
        error.retry_after = patience(self.run.tries)
        raise error

    def _lost(self, letter: Letter, reason: str) -> Next:
        """Staff hear of it unless a stranger mistyped an address; a refused alarm must not raise one alarm after another."""
        stranger = letter.kind == "sign_in" and not User.objects.filter(email=letter.to).exists()
        if not stranger:
            open_alarm(
                key="letters:staff_refused" if letter.kind == "alarm" else f"letter:{letter.pk}:refused",
                subject=f"letter:{letter.pk}",
                says=f"The letter “{letter.kind}” to {letter.to} will not arrive: {reason}.",
                advice="Ask the customer for another address, or look at the mail server's own log.",
            )
        return self._drop(letter, reason)

    def _drop(self, letter: Letter, reason: str) -> Next:
        letter.dropped = reason
        letter.save(update_fields=["dropped"])
        return done("dropped")


def patience(tries: int) -> float:
    """Seconds until the next try: short at first, because somebody may be waiting for a link."""
    return min(LONGEST_WAIT, 5.0 * float(3 ** min(max(tries, 1) - 1, 6)))


def look_for_late_letters() -> int:
    """One alarm however many letters are late, because their cause is one; returns how many are."""
    waiting = Run.objects.filter(program=SendLetter.__name__, finished_at=None)
    late = waiting.filter(began_at__lt=timezone.now() - LATE_AFTER).order_by("began_at")
    oldest = late.first()
    if oldest is None:
        close_alarm(LATE)
        return 0
    open_alarm(
        key=LATE,
        subject=f"run:{oldest.pk}",
        says=f"Letters do not get away: {oldest.error or 'no worker has taken them'}",
        advice="Look at the mail server of EMAIL_URL and at the workers; the letters are kept and tried again.",
    )
    return late.count()
