"""When to speak next: as told within bounds, and ever more seldom while nobody answers."""

import secrets

SHORTEST = 1.0  # seconds
LONGEST = 300.0  # seconds
UNTOLD = 60.0  # seconds, until the control plane has said otherwise

_random = secrets.SystemRandom()


class Pace:
    """Seconds between reports; what the control plane says is clamped, so that no answer silences an agent."""

    def __init__(self) -> None:
        self.poll = UNTOLD
        self.longest = LONGEST
        self.failures = 0

    def told(self, poll: object) -> None:
        """Take the interval of an answer, in seconds; what is no number changes nothing."""
        if isinstance(poll, int | float) and not isinstance(poll, bool) and poll == poll:
            self.poll = clamp(poll)

    def bounded(self, poll_max: float) -> None:
        """Take the longest interval of a signed order, in seconds."""
        self.longest = clamp(poll_max)

    def after_success(self) -> float:
        """Seconds until the next report."""
        self.failures = 0
        return min(self.poll, self.longest)

    def after_failure(self, retry_after: float = 0.0) -> float:
        """Seconds until the next attempt: doubled each time, spread so that a fleet does not return at once."""
        ceiling = min(LONGEST, SHORTEST * 2 ** min(self.failures, 16))
        self.failures += 1
        return min(LONGEST, retry_after + ceiling * _random.uniform(0.5, 1.0))


def clamp(seconds: float) -> float:
    """The nearest interval that the agent agrees to."""
    return float(max(SHORTEST, min(LONGEST, seconds)))
