"""Mail that keeps coming in while something is disturbed, handed in as a mail server does: what is put off is tried again."""

import smtplib
import threading
import time
from collections import Counter
from itertools import count
from uuid import uuid4

from tests.agent.mail.mail_host import MailHost, letter

SENDER = "carol@outside.test"
PAUSE = 0.2  # seconds between two mails, and between two rounds of what was put off
AGAIN = 1.0  # seconds
AT_ONCE = 40  # mails that wait at the sender at most
TIMEOUT = 30.0  # seconds for any one answer
PATIENCE = 1000.0  # seconds for all that was put off, be it until another machine has come up


class Traffic(threading.Thread):
    """From its start to `end` one mail after another; `unclear` counts the tries of each whose end nobody knows."""

    def __init__(self, mail: MailHost, to: str) -> None:
        super().__init__(daemon=True)
        self.mail, self.to, self.tag = mail, to, f"stream {uuid4().hex[:8]}"
        self.made = count()
        self.accepted: list[str] = []
        self.waiting: dict[str, bytes] = {}
        self.unclear: Counter[str] = Counter()
        self.put_off: Counter[str] = Counter()  # by answer
        self.refused: list[str] = []
        self.ending = threading.Event()
        self.start()

    def run(self) -> None:
        self.mail.laptop(self._work)

    def _work(self) -> None:
        while not self.ending.is_set():
            if len(self.waiting) < AT_ONCE:
                self._try(*self._new())
            self._try_again()
            time.sleep(PAUSE)
        until = time.monotonic() + PATIENCE
        while self.waiting and time.monotonic() < until:
            self._try_again()
            time.sleep(AGAIN)

    def _new(self) -> tuple[str, bytes]:
        subject = f"{self.tag} mail {next(self.made)}"
        return subject, letter(self.to, subject, "Hello", SENDER)

    def _try_again(self) -> None:
        for subject, mail in list(self.waiting.items())[:2]:
            self._try(subject, mail)

    def _try(self, subject: str, mail: bytes) -> None:
        """What was not refused and not accepted waits for its next try, behind the others."""
        self.waiting.pop(subject, None)
        answer = self._hand_in(subject, mail)
        if answer.startswith("2"):
            self.accepted.append(subject)
        elif answer.startswith("5"):
            self.refused.append(f"{subject}: {answer}")
        else:
            self.put_off[answer] += 1
            self.waiting[subject] = mail

    def _hand_in(self, subject: str, mail: bytes) -> str:
        """The answer that decided; words of our own where there was none."""
        sent = False
        try:
            with smtplib.SMTP(self.mail.whole.address, 25, "mx.outside.test", TIMEOUT) as door:
                door.ehlo_or_helo_if_needed()
                for code, said in (door.mail(SENDER), door.rcpt(self.to)):
                    if code != 250:
                        return f"{code} {said.decode()}"
                sent = True
                code, said = door.data(mail)
                sent = False
                return f"{code} {said.decode()}"
        except smtplib.SMTPResponseException as refused:
            return f"{refused.smtp_code} {refused.smtp_error!r}"
        except (OSError, smtplib.SMTPException) as trouble:
            self.unclear[subject] += sent
            return type(trouble).__name__

    def end(self) -> None:
        """Everything was accepted at last, and nothing was refused."""
        self.ending.set()
        self.join(PATIENCE + TIMEOUT)
        assert not self.refused, self.refused
        assert self.accepted, "no mail came in"
        assert not self.waiting, (sorted(self.waiting), self.put_off)
