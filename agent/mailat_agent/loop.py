"""The life of the agent: enrol, then report, obey, wait, and again."""

import time
import traceback
from pathlib import Path

from . import config as configuration
from . import metrics, report, standing
from .apply import Undone, apply
from .config import Config, ConfigError
from .enrol import enrol
from .files import write_whole
from .identity import load_or_make
from .log import say
from .orders import Refusal, verify
from .pace import SHORTEST, Pace
from .sequence import Sequence
from .transport import Answered, Gone, Transport, Unheard, Unreadable

GONE = "gone"  # the file whose being there means: never again


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
        self.order = standing.load(state, config.server)
        self._apply_standing_order()

    def run(self, once: bool = False) -> int:
        """Report until the server is gone (0); with `once`, a single time: 0 if it was heard, else 1."""
        try:
            while True:
                wait = self.turn()
                if once:
                    return 1 if self.pace.failures else 0
                # By the monotonic clock: a jump of the time of day neither hastens nor stops it.
                time.sleep(wait)
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
            say(f"unexpected {type(bug).__name__} {_place(bug)}")
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
        said = report.body(self.sequence.next(), self.order, self.refused, self.undone, now, self.counted)
        answer = report.send(said, self.config.server, self.identity, self.transport)
        self.counted = now  # only what was heard, so that the next rates cover a silence
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
        self._apply_standing_order()
        say(f"order {order.version} obeyed")

    def _apply_standing_order(self) -> None:
        if self.order:
            self.pace.bounded(self.order.poll_max)
            self.undone = apply(self.order)

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


def _place(bug: Exception) -> str:
    # Where, but not what it says: the text of an unforeseen exception may hold anything.
    frame = traceback.extract_tb(bug.__traceback__)[-1]
    return f"in {Path(frame.filename).name}:{frame.lineno}"
