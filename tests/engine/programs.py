"""Small programs for the engine's own tests."""

from collections.abc import Callable
from datetime import timedelta

from engine.program import Next, Program, done, hop, nap


class Walk(Program):
    """Three steps one after the other; `args["trace"]` remembers them."""

    first = "begin"

    def begin(self) -> Next:
        return self._went("begin", hop(self.middle))

    def middle(self) -> Next:
        return self._went("middle", hop(self.end))

    def end(self) -> Next:
        return self._went("end", done("walked"))

    def _went(self, step: str, outcome: Next) -> Next:
        self.args["trace"] = [*self.args.get("trace", []), step]
        return outcome


class Wait(Program):
    """Waits for a signal."""

    first = "wait"

    def wait(self) -> Next:
        during = self.args.pop("during", None)
        outcome = done("heard") if self.signalled("bell") else nap(600)
        if during:
            HOOKS[during]()
        return outcome


class Fail(Program):
    """Raises until it is told not to."""

    first = "stumble"
    error: Exception | None = None

    def stumble(self) -> Next:
        if Fail.error:
            raise Fail.error
        return done()


class Late(Program):
    """Expects to be somewhere by a time that has passed."""

    first = "promise"

    def promise(self) -> Next:
        self.expect(self.arrive, within=timedelta(seconds=-1))
        return hop(self.dawdle)

    def dawdle(self) -> Next:
        return hop(self.arrive) if self.signalled("go") else nap(600)

    def arrive(self) -> Next:
        return done()


HOOKS: dict[str, Callable[[], object]] = {}
