"""An address from asked to proven: Amazon writes a letter with a link there, and we look whether somebody has followed it.

The link works for a day: https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html.
"""

from datetime import timedelta
from typing import cast

from django.utils import timezone

from audit.actions import record
from clients.aws import Aws
from clients.errors import Gone, Refused
from domains import actions as domains
from domains.models import Domain, WayOut
from domains.refusals import Refusal
from engine.program import Next, Program, done, hop, nap
from sending.amazon import account_of
from sending.keys import living_key
from sending.models import Credentials, Tester
from sending.refusals import Obstacle, obstacle

BY = "program:AskTester"
SOON, LATER = 30.0, 300.0  # seconds between looks, for a while and after it
A_WHILE = timedelta(minutes=15)
LINK_WORKS = timedelta(hours=24)


class AskTester(Program):
    """One address; ends when it is proven, or when its letter is too old."""

    first = "begin"

    def prepare(self) -> None:
        pk = int(self.run.subject.removeprefix("tester:"))
        self.row = Tester.objects.select_related("account").filter(pk=pk).first()
        self.key = living_key(self.row.home) if self.row else None

    def begin(self) -> Next:
        """A letter that was lost is written again only if the address is taken away from Amazon first."""
        return hop(self.renew) if self.args.get("anew") else hop(self.ask)

    def renew(self) -> Next:
        """Whoever has followed the link in the meantime needs no other."""
        if over := self._is_over():
            return over
        address, amazon = self._row.address, self._amazon("have Amazon write to an address once more")
        try:
            if not amazon.ses.identity(address).verified:
                amazon.ses.delete_identity(address)
        except Gone:
            return hop(self.ask)
        except Refused as error:
            return self._refused(obstacle(error))
        return hop(self.ask)

    def ask(self) -> Next:
        """Amazon writes when the address becomes an identity; one that was made at Amazon's own pages is as good."""
        if over := self._is_over():
            return over
        try:
            self._amazon("have Amazon write to an address").ses.ensure_identity(self._row.address)
        except Refused as error:
            return self._refused(obstacle(error))
        return hop(self.wait_click)

    def wait_click(self) -> Next:
        """Till Amazon says that the link was followed."""
        if over := self._is_over():
            return over
        row = self._row
        try:
            said = self._amazon("has an address proven itself?").ses.identity(row.address)
        except Gone:
            return self._give_up("tester_gone")
        except Refused as error:
            return self._refused(obstacle(error))
        row.read_at, row.trouble = timezone.now(), None
        row.verified_at = timezone.now() if said.verified else None
        row.save(update_fields=["read_at", "trouble", "verified_at"])
        if said.verified:
            record("tester.proven", by=BY, account=row.account_id, subject=f"server:{row.home}", address=row.address)  # fmt: skip
            return hop(self.send)
        late = said.status == "FAILED" or row.asked_at < timezone.now() - LINK_WORKS
        return self._give_up("tester_late") if late else nap(self._pause())

    def send(self) -> Next:
        """The test mail for which all this was; a person can still send one where it may not go by itself."""
        wanted = str(self.args.get("sender") or "")
        sender = Domain.objects.filter(pk=wanted).first() if wanted else None
        if self.row is None or sender is None or not WayOut.objects.filter(home=self.row.home).exists():
            return done("proven")
        try:
            domains.ask_letter(
                account=self.row.account,
                home=self.row.home,
                to=self.row.address,
                sender=f"postmaster@{sender.name}",
                by=self.row.by,
            )
        except Refusal:
            return done("proven, and not written to")
        return done("written to")

    @property
    def _row(self) -> Tester:
        """Not for steps that have not asked whether it is over."""
        return cast(Tester, self.row)

    def _is_over(self) -> Next | None:
        if self.row is None:
            return done("forgotten")
        if self.key is None or self.key.region != self.row.region:
            return self._give_up("no_key")
        if self.row.trouble and self.row.asked_at < timezone.now() - LINK_WORKS:
            return done("given up")
        return None

    def _amazon(self, why: str) -> Aws:
        return account_of(cast(Credentials, self.key), by=BY, why=why)

    def _refused(self, found: Obstacle) -> Next:
        """A person mends it at Amazon, and the same step is tried again by itself."""
        row = self._row
        if row.trouble != found.plain():
            record("tester.refused", by=BY, account=row.account_id, subject=f"server:{row.home}", address=row.address, code=found.code)  # fmt: skip
        row.read_at, row.trouble = timezone.now(), found.plain()
        row.save(update_fields=["read_at", "trouble"])
        return nap(self._pause())

    def _give_up(self, code: str) -> Next:
        self._row.trouble = Obstacle(code).plain()
        self._row.save(update_fields=["trouble"])
        return done(code)

    def _pause(self) -> float:
        return SOON if self._row.asked_at > timezone.now() - A_WHILE else LATER
