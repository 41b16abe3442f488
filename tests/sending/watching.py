"""A server that sends by a key which Amazon's stand-in knows, and looks at that account, one after the other."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import Letter
from domains.models import Domain
from domains.models import Letter as TestLetter
from engine import worker
from engine.models import Run
from sending.models import Credentials, Feedback, Identity, Notice, Worry
from sending.programs.watch import start_watching
from tests.sandbox.aws.place import Place
from tests.sending.conftest import answer, due_now, fresh, paste

PATIENCE = 20  # tries
TOLD = ("sending_trouble", "sending_well")


class Watched:
    """`look` is what the resting loop does; `later` lets time pass for what has been found."""

    def __init__(self, amazon: Place, firm: Domain) -> None:
        self.amazon, self.firm = amazon, firm
        self.key = amazon.key()
        row = paste(firm, self.key)
        self.is_now("production")
        self.enter_records()
        self._until(lambda: TestLetter.objects.filter(home=firm.home).exists())
        answer(firm.home)
        self._until(lambda: fresh(row).state == Credentials.State.IN_USE)
        self.row = fresh(row)
        self.look()

    def _until(self, there: Callable[[], bool]) -> None:
        """A worker stops after a while, and comes again where Amazon's stand-in did not answer in time."""
        for _ in range(PATIENCE):
            if there():
                return
            due_now()
        raise AssertionError(list(Run.objects.values("subject", "step", "error")))

    def is_now(self, state: str, **limits: float) -> None:
        self.amazon.choose(self.key, state, **limits)

    def enter_records(self) -> None:
        self.amazon.enter_dkim(self.firm.name, Identity.objects.get(domain=self.firm).tokens)

    def lose_records(self) -> None:
        for token in Identity.objects.get(domain=self.firm).tokens:
            self.amazon.forget(f"{token}._domainkey.{self.firm.name}")

    def switch_key(self, *, active: bool) -> None:
        self.amazon.post("keys/switch", access_key=self.key["access_key"], active=active)

    def look(self, times: int = 1) -> "Watched":
        """So many looks that Amazon answered or refused."""
        for _ in range(times):
            for _again in range(PATIENCE):
                if not self.try_to_look():
                    break
        return self

    def try_to_look(self) -> str:
        """One look; why it could not be taken to its end, or nothing."""
        start_watching(self.firm.home)
        run = Run.objects.get(subject=f"sending:{self.firm.home}", finished_at=None)
        worker.work(run.pk)
        run.refresh_from_db()
        return str(run.error)

    def later(self, by: timedelta = timedelta(minutes=15)) -> "Watched":
        for worry in Worry.objects.all():
            worry.began_at -= by
            worry.told_at = worry.told_at and worry.told_at - by
            worry.save()
        return self

    def hears(self, kind: str, count: int, sender: str = "anna@firm.test", **fields: Any) -> None:
        """So many recipients of one message of Amazon's."""
        home = fields.pop("home", self.firm.home)
        notice = Notice.objects.create(home=home, message=str(Notice.objects.count()))
        given = {"kind": kind, "permanent": True, "at": timezone.now(), **fields}
        Feedback.objects.bulk_create(
            Feedback(notice=notice, number=n, home=home, sender=sender, **given) for n in range(count)
        )

    @property
    def open(self) -> list[str]:
        """The kinds of what was told and is not over."""
        rows = Worry.objects.filter(home=self.firm.home, over_at=None).exclude(told_at=None)
        return sorted(one.code.partition(":")[0] for one in rows)

    @property
    def letters(self) -> list[str]:
        """The kinds of the letters written until now."""
        return list(
            Letter.objects.filter(kind__in=TOLD).order_by("written_at").values_list("kind", flat=True)
        )

    @property
    def last(self) -> Letter:
        return Letter.objects.filter(kind__in=TOLD).latest("written_at")
