"""Leads one life through a running product, whatever happens to the database and the broker meanwhile.

Started with the product's environment and SANDBOX_URL; prints one JSON line with what the life left behind.
"""

import json
import os
import sys
import time
from typing import Any

import django

django.setup()

from django.db import Error, connection  # noqa: E402

from billing.models import Subscription  # noqa: E402
from engine.models import Run  # noqa: E402
from tests.integration.life import Life  # noqa: E402
from tests.integration.world import Sandbox, let_days_pass, pretend_agents  # noqa: E402

PATIENCE = 180.0  # seconds


class Nobody:
    """The workers are the product's own processes; this one only waits for them."""

    def work(self, step: str | None = None, point: str = "begin") -> bool:
        time.sleep(0.05)
        return False


class Driven(Life):
    """The same life, except that the real clock and the real workers do their part, and that the database may be away."""

    def until(self, there: Any, what: str, rounds: int = 0) -> None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if insist(lambda: pretend_agents(self.sandbox) or there()):
                return
            hurry()
            time.sleep(0.05)
        runs = list(Run.objects.filter(finished_at=None).values_list("program", "step", "error", "tries"))
        raise AssertionError(f"{what} never came: {runs}")

    def choose(self) -> None:
        """What was committed and not answered is not wished once more: a subscription pays for one server."""
        make = super().choose
        insist(lambda: self.server_is_wanted() or make())

    def server_is_wanted(self) -> bool:
        return self.subscription.server_id is not None

    def leave(self) -> None:
        """Each is heard of before the next: whoever asks only after both finds one event fewer, and that would be chance."""
        heard = Run.objects.filter(program="Listen", finished_at__isnull=False)
        self.until(heard.exists, "that Gumroad was asked to tell")
        self.act("cancel")
        self.until(lambda: self.subscription.status == Subscription.Status.ENDING, "the cancellation")
        self.act("end")


def insist(what: Any) -> Any:
    """Does it until the database lets it; what is done here may be done twice."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return what()
        except Error as error:
            print(f"the database is away: {type(error).__name__}", file=sys.stderr)
            connection.close()
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def hurry() -> None:
    """Naps of minutes are shortened; leases of workers are left alone."""
    from django.utils import timezone

    insist(
        lambda: (
            Run.objects.filter(finished_at=None, held=False)
            .exclude(program="Keep")
            .update(due_at=timezone.now())
        )
    )


def main() -> None:
    life = Driven(Sandbox.at(os.environ["SANDBOX_URL"], os.environ["BASE_URL"]), Nobody())  # type: ignore[arg-type]
    life.buy()
    life.choose()
    life.come_up()
    life.end()
    insist(lambda: let_days_pass(7.01))
    life.until(lambda: not Run.objects.filter(finished_at=None).exists(), "the last letter")
    left = {"events": insist(life.events), "letters": life.letters(), "machines": life.sandbox.machines()}
    print(json.dumps({**left, "machines_made": life.sandbox.machines_made()}), flush=True)


if __name__ == "__main__":
    main()
