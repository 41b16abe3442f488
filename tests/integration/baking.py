"""The life of an image: a machine is made, turns itself off, and its disk is kept; and one whose installation fails."""

import time
from collections import Counter
from datetime import timedelta
from typing import Any

from django.utils import timezone

from audit.models import Event
from engine import actions as engine
from engine.models import Run
from servers import images
from servers.models import Image
from servers.programs.bake_image import BakeImage
from tests.integration.life import Life

PATIENCE = 60.0  # seconds


class Baking(Life):
    """One more image is made where there are as many as are kept, so that an old one goes."""

    passed = timedelta(minutes=1)  # with each round

    def whole(self) -> None:
        self.have_enough()
        self.sandbox.delete("/hetzner/sandbox/calls")
        self.since = Event.objects.latest("pk").pk
        self.bake()

    def have_enough(self) -> None:
        wanted, self.killed = self.killed, True
        while Image.objects.filter(version=images.version()).count() < images.MOST:
            Baking.bake(self)
        self.killed = wanted

    def bake(self) -> None:
        engine.start(BakeImage, subject=images.subject())
        self.until(lambda: not Run.objects.filter(finished_at=None).exists(), "the image", 300)

    def round(self) -> None:
        Run.objects.filter(finished_at=None).update(step_since=timezone.now() - self.passed)
        super().round()

    def agents(self) -> None:
        """There are none: a machine that becomes an image installs itself and turns itself off.

        One that is still being made is waited for: to the program an hour passes with each round, and it would give it up.
        """
        until = time.monotonic() + PATIENCE
        while any(machine["state"] == "initializing" for machine in self._machines()):
            assert time.monotonic() < until, "a machine never started"
            time.sleep(0.05)
        for machine in self._machines():
            if machine["state"] == "running":
                self.sandbox.post(f"/hetzner/sandbox/machines/{machine['id']}/power", on=False)

    def _machines(self) -> list[dict[str, Any]]:
        return [one for one in self.sandbox.machines() if one["name"].startswith("mailat-image-")]

    def events(self) -> Counter[str]:
        found = Event.objects.filter(subject=images.subject(), pk__gt=self.since)
        return Counter(found.values_list("action", flat=True))

    def letters(self) -> Counter[str]:
        return Counter()

    def images_made(self) -> int:
        """How many orders to copy a disk Hetzner has taken on in this life."""
        calls = self.sandbox.calls()
        return sum(call["operation"] == "create_image" and call["status"] == 201 for call in calls)


class Failing(Baking):
    """The first machine's installation fails, so that it stays on; the second's does not."""

    passed = timedelta(hours=1)

    def agents(self) -> None:
        if self.events()["image.machine_dropped"]:
            super().agents()

    def have_enough(self) -> None:
        Baking(self.sandbox, self.workers).have_enough()
