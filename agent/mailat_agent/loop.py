"""The life of the agent: enrol, then report, obey, wait, and again."""

import threading
import time
from pathlib import Path

from . import config as configuration
from . import metrics, report, standing
from .apply import Undone, apply
from .backup.chore import Backups
from .backup.places import Places
from .backup.run import Host
from .config import Config, ConfigError
from .enrol import enrol
from .files import write_whole
from .identity import load_or_make
from .log import place, say
from .mail.apply import Key, MailSystem
from .mail.chores import Chores
from .orders import Refusal, verify
from .pace import SHORTEST, Pace
from .sequence import Sequence
from .transport import Answered, Gone, Transport, Unheard, Unreadable

GONE = "gone"  # the file whose being there means: never again
AGAIN, AT_LAST = 20.0, 300.0  # seconds until what could not be done is tried again; doubled each time


class Agent:
    """One server's agent; everything that must outlive it is in `state`, so it may be killed at any line."""

    def __init__(self, config: Config, state: Path) -> None:
        self.config = config
        self.state = state
        self.identity = load_or_make(state)
        self.transport = Transport(config.control)
        self.sequence = Sequence(state)
        self.pace = Pace()
        self.counted = metrics.sample()
        self.enrolled = config.token is None
        self.refused: report.Refused | None = None
        self.undone: Undone = []
        self.changed = threading.Event()  # something that an order's carrying out depends on
        self.mail = MailSystem(Key(config.server, self.identity.seal), self.changed.set)
        self.chores = Chores(self.mail)
        self.backups = Backups(self._host(), lambda: self.mail.situation)
        self.tries = 0
        self.again = 0.0
        self.order = standing.load(state, config.server)
        self._apply_standing_order()

    def _host(self) -> Host:
        bearer = f"{self.config.server}.{self.identity.secret}"
        return Host(
            Places(state=self.state), self.config.server, self.config.control, bearer, self.identity.seal
        )

    def run(self, once: bool = False) -> int:
        """Report until the server is gone (0); with `once`, a single time: 0 if it was heard, else 1."""
        if not once:
            self.chores.start()
            self.backups.start()
        try:
            while True:
                wait = self.turn()
                if once:
                    return 1 if self.pace.failures else 0
                self._wait(wait)
        except Gone:
            return self._gone()

    def turn(self) -> float:
        """One exchange with the control plane; returns the seconds to wait, and raises nothing but Gone."""
        try:
            self._enrol()
            return self._obey(self._report())
        except Unheard as trouble:
            return self._unheard(trouble)
        except Gone:
            raise
        except Exception as bug:
            say(f"unexpected {type(bug).__name__} {place(bug)}")
            return self.pace.after_failure()

    def _enrol(self) -> None:
        if self.enrolled:
            return
        try:
            self.pace.told(enrol(self.config, self.identity, self.transport).get("poll"))
            self.enrolled = True
            say("enrolled")
        except Answered as answer:
            if answer.status not in (401, 403):
                raise
            # An enrolment that was forgotten, or one of somebody else: a report tells which.
            say(f"enrolment refused: {answer.why}")

    def _report(self) -> dict[str, object]:
        now = metrics.sample()
        canary = self.chores.canary_seconds
        numbers = (now, self.counted, self.chores.report(), canary, self.backups.report())
        said = report.body(self.sequence.next(), self.order, self.refused, self.undone, *numbers)
        answer = report.send(said, self.config.server, self.identity, self.transport)
        self.counted = now  # only what was heard, so that the next rates cover a silence
        self.chores.heard(canary)
        self.refused = None
        self._forget_token()
        return answer

    def _forget_token(self) -> None:
        # Not before a report was accepted: that alone proves that the other side knows our secret for good.
        if self.config.token is None:
            return
        try:
            self.config = configuration.without_token(self.config)
        except (OSError, ConfigError):
            say(f"cannot remove the enrolment token from {self.config.path}")
        self.enrolled = True

    def _obey(self, answer: dict[str, object]) -> float:
        self.pace.told(answer.get("poll"))
        wait = self.pace.after_success()
        if answer.get("desired") is None:
            return wait
        try:
            self._take_order(answer["desired"])
        except Refusal as refusal:
            say(f"order refused: {refusal.why}")
            self.refused = {"version": refusal.version, "why": refusal.why}
            return wait
        return SHORTEST  # somebody waits to hear that it is done

    def _take_order(self, desired: object) -> None:
        applied = self.order.version if self.order else 0
        order = verify(desired, self.config.order_keys, self.config.server, applied)
        # Kept before it is carried out: a restart does that again, but never takes an older one.
        standing.keep(self.state, order)
        self.order = order
        self.tries = 0
        self._apply_standing_order()
        say(f"order {order.version} obeyed")

    def _apply_standing_order(self) -> None:
        if self.order is None:
            return
        self.changed.clear()
        self.pace.bounded(self.order.poll_max)
        undone = apply(self.order, self.mail)
        for each in undone:
            if each not in self.undone:
                say(f"order {self.order.version}: {each['what']} not done: {each['why']}")
        self.undone = undone
        # Only where the mail system is the agent's: on somebody's machine there is nothing to back up.
        self.backups.want(self.order.backup if self.mail.situation else None)
        self.tries = self.tries + 1 if undone else 0
        self.again = time.monotonic() + min(AT_LAST, AGAIN * 2 ** min(self.tries, 16) / 2)

    def _wait(self, seconds: float) -> None:
        # By the monotonic clock: a jump of the time of day neither hastens nor stops it.
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            until = min(end, self.again) if self.undone else end
            if self.changed.wait(max(0.0, until - now)) or (self.undone and time.monotonic() >= self.again):
                self._apply_standing_order()

    def _unheard(self, trouble: Unheard) -> float:
        say(trouble.why)
        if isinstance(trouble, Unreadable):
            self.refused = {"version": 0, "why": trouble.why}
        if isinstance(trouble, Answered) and trouble.status == 401:
            self.enrolled = self.config.token is None
        return self.pace.after_failure(trouble.retry_after)

    def _gone(self) -> int:
        say("the server was deleted; this agent has nothing left to do")
        try:
            write_whole(self.state / GONE, "")
        except OSError as error:
            say(f"cannot write {self.state / GONE}: {error.strerror}")
        return 0
