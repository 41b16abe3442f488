"""The product's Celery with two things more: a task that does nothing, and a program that only hops."""

import django

django.setup()

from engine.program import Next, Program, done, hop  # noqa: E402
from mailat.celery import app  # noqa: E402


@app.task(name="bench.nothing", acks_late=True, ignore_result=True)
def nothing(number: int) -> None:
    """The yardstick."""


class Hops(Program):
    """As many steps as `args["left"]` says, each of which only says what comes next."""

    first = "step"

    def step(self) -> Next:
        self.args["left"] -= 1
        return hop(self.step) if self.args["left"] else done()
