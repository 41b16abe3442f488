"""The resting loop of a customer's account at Amazon: may it still send, and in the name of which domains?"""

from datetime import timedelta
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from clients import aws_records
from clients.aws import Aws
from clients.errors import Refused, TryLater
from domains.models import Domain
from engine import actions as engine
from engine.program import Next, Program, done, nap
from sending import feedback, identities, standing, worries
from sending.amazon import account_of
from sending.ending import end
from sending.keys import living_key
from sending.models import Credentials
from sending.refusals import Obstacle, obstacle
from sending.way import seal_anew
from servers.models import Server

BY = "program:WatchSending"
REST, WAITING = 900.0, 60.0  # seconds; the shorter while records are looked for
UNSURE = 300.0  # seconds until what one look found is looked at again
FRESH = timedelta(days=3)  # Amazon looks for records for so long


def start_watching(home: UUID) -> None:
    """Begins, or looks at once."""
    engine.start(WatchSending, subject=f"sending:{home}")


class WatchSending(Program):
    """One server's account at Amazon; ends when there is no key any more."""

    first = "look"

    def prepare(self) -> None:
        self.home = UUID(self.run.subject.removeprefix("sending:"))
        self.row = living_key(self.home)

    def look(self) -> Next:
        """Asks what the account may do and how each domain stands; what worries its owners is told in the same transaction."""
        if self.row is None:
            return self._leave()
        if Server.objects.filter(pk=self.home).exclude(gone_at=None).exists():
            end(self.row, Credentials.End.GONE, BY)
            return nap(0)
        seal_anew(home=self.home, by=BY)
        amazon = account_of(self.row, by=BY, why="how does sending stand?")
        said, trouble = self._ask(amazon)
        waiting = self._domains(self.row, amazon)
        self._note(self.row, amazon, said, trouble)
        unsure = worries.look(self.row, answered=said is not None)
        return nap(WAITING if waiting else UNSURE if unsure else REST)

    def _leave(self) -> Next:
        """A look that was under way while the key was taken away may have written once more."""
        standing.forget(self.home)
        worries.forget(self.home)
        return done("no key")

    def _ask(self, amazon: Aws) -> tuple[aws_records.Standing | None, Obstacle | None]:
        """What the account may do, or why Amazon does not tell it."""
        try:
            return amazon.ses.account(), None
        except Refused as error:
            return None, obstacle(error)

    def _domains(self, row: Credentials, amazon: Aws) -> bool:
        """Whether one of them is waited for; where Amazon wants fewer calls, the next look begins with the others."""
        waiting = False
        own = Domain.objects.filter(home=self.home)
        for domain in own.order_by(F("identity__read_at").asc(nulls_first=True), "name"):
            try:
                found = identities.ensure(domain, row.region, amazon)
            except TryLater:
                return True
            except Refused as error:
                identities.note_trouble(domain, obstacle(error))
                continue
            waiting |= not found.verified and found.asked_at > timezone.now() - FRESH
        return waiting

    def _note(
        self, row: Credentials, amazon: Aws, said: aws_records.Standing | None, trouble: Obstacle | None
    ) -> None:
        """Written after the domains, for whoever ends the sending holds the account's domains first and then these rows."""
        if said:
            standing.note(row, said)
            try:
                feedback.ensure(row, amazon)
            except Refused as error:
                trouble = obstacle(error)
        if trouble:
            standing.note_trouble(row, trouble)
        else:
            standing.note_well(row)
