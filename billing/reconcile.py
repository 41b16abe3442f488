"""What we hold is compared with what Gumroad's API tells, and what pings missed is repaired through the door of the pings.

First the list of sales, page by page, where what is new or returned shows; then each subscription that lives or whose server
still does, or at once where the list does not come. A step asks about one page or one subscription, and the run remembers where
it is, so it may be killed anywhere.
"""

from collections.abc import Callable
from datetime import date, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from billing import listening
from billing.looking import is_news, look, vanished
from billing.models import Reconciliation, Subscription
from billing.offer import check_sale, is_something_else
from billing.puzzle import Puzzle, solved
from clients.errors import Gone, Refused, TryLater
from clients.gumroad import Gumroad, Sale, SalesPage
from engine import actions as engine
from engine.program import Next, Program, done, hop, nap

SUBJECT, BY, CLOCK = "gumroad", "reconciliation", "clock"
MAY_COME_BACK = timedelta(
    days=240
)  # banks take a dispute for 120 days after a charge, and decide within 90 more
OVERLAP = timedelta(days=7)  # read once more before the last success
WITHIN = timedelta(hours=12)
LATE_AFTER = timedelta(hours=36)
AT_ONCE = 0.0  # seconds; a nap instead of a hop lets others have their turn
TURN_SECONDS = 1.0
EARLIEST = date(2011, 1, 1)  # Gumroad sold nothing before
LATE, REFUSED = "reconciliation", "reconciliation:refused"
Ended = Subscription.Status.ENDED


class Reconcile(Program):
    """One comparison, from the newest sale to the last subscription, with its receipt."""

    first = "begin"

    def prepare(self) -> None:
        self.row = Reconciliation.objects.filter(pk=self.args.get("row", 0)).first() or Reconciliation()

    def begin(self) -> Next:
        self.expect(self.conclude, within=WITHIN)
        engine.start(listening.Listen, subject=listening.SUBJECT)
        self.row = Reconciliation.objects.create(
            by=self.args.get("by", CLOCK), since=since(), began_at=timezone.now()
        )
        self.args.update(row=self.row.pk, key="", found=[], is_last=False, known="")
        return hop(self.read_sales)

    def read_sales(self) -> Next:
        """One page of the list; which of its sales say something new is kept for the next step."""
        return self._asking(self._read_page)

    def _read_page(self, gumroad: Gumroad) -> Next:
        page = self._page(gumroad)
        for one in page.strange:
            self._puzzled(Puzzle.of("strange", about=f"strange:{one.why}", why=one.why))
            self._keep_reading_from(one.day)
        self.row.sales += len(page.sales) + len(page.strange)
        self.args.update(found=self._news(page), key=page.key, is_last=not page.key)
        return self._after_page()

    def _news(self, page: SalesPage) -> list[list[str]]:
        """Of each subscription on the page the newest sale that says something new: its id, and the subscription's."""
        found: dict[str, list[str]] = {}
        for sale in page.sales:
            if is_something_else(sale.product_id):
                solved(f"product:{sale.product_id}")
                continue
            try:
                check_sale(sale)
            except Puzzle as puzzle:
                self._puzzled(puzzle)
                self._keep_reading_from(day_of(sale))
                continue
            if is_news(sale):
                found.setdefault(
                    sale.subscription_id, [sale.id, sale.subscription_id, str(day_of(sale) or "")]
                )
        return list(found.values())

    def _page(self, gumroad: Gumroad) -> SalesPage:
        """A key that is too old is refused, and then the list is read from its beginning, once."""
        try:
            return gumroad.sales_page(after=self.row.since, key=self.args["key"])
        except Refused:
            if not self.args["key"] or self.args.get("anew"):
                raise
        self.args["anew"] = True
        return gumroad.sales_page(after=self.row.since)

    def _after_page(self) -> Next:
        if self.args["found"]:
            return hop(self.repair_sold)
        return self._after_list() if self.args["is_last"] else nap(AT_ONCE)

    def repair_sold(self) -> Next:
        """One sale that said something new, read again with its subscription."""
        return self._asking(self._repair_next)

    def _repair_next(self, gumroad: Gumroad) -> Next:
        sale_id, gumroad_id, day = self.args["found"][0]
        puzzling = self.row.puzzling
        if not self._look(gumroad, gumroad_id, sale_id=sale_id):
            return nap(TURN_SECONDS)
        if self.row.puzzling > puzzling:
            self._keep_reading_from(date.fromisoformat(day) if day else None)
        self.args["found"] = self.args["found"][1:]
        if self.args["found"]:
            return nap(AT_ONCE)
        return self._after_list() if self.args["is_last"] else hop(self.read_sales)

    def _after_list(self) -> Next:
        return hop(self.conclude) if self.args.get("looked") else hop(self.look_at_known)

    def look_at_known(self) -> Next:
        """One of those that we hold: what ended, was cancelled or came back shows in no list."""
        row = self._next_known()
        if row is None:
            return self._after_known()
        return self._asking(lambda gumroad: self._look_at(gumroad, row))

    def _after_known(self) -> Next:
        """Back to the list where it was left, if it was."""
        self.args["looked"] = True
        if self.args["found"]:
            return hop(self.repair_sold)
        return hop(self.conclude) if self.args["is_last"] else hop(self.read_sales)

    def _next_known(self) -> Subscription | None:
        rows = to_look_at().filter(checked_at__lt=self.row.began_at)
        if self.args["known"]:
            rows = rows.filter(pk__gt=self.args["known"])
        return rows.order_by("pk").first()

    def _look_at(self, gumroad: Gumroad, row: Subscription) -> Next:
        if not self._look(gumroad, row.gumroad_id):
            return nap(TURN_SECONDS)
        self.row.subscriptions += 1
        self.args["known"] = str(row.pk)
        return nap(AT_ONCE)

    def _look(self, gumroad: Gumroad, gumroad_id: str, *, sale_id: str = "") -> bool:
        """False if somebody else is at it just now."""
        try:
            found = look(gumroad, gumroad_id, sale_id=sale_id, by=BY)
        except Gone:
            self._puzzled(vanished(gumroad_id))
            return True
        except Puzzle as puzzle:
            self._puzzled(puzzle)
            return True
        if found is None:
            return False
        self.row.repaired += not found.was_right
        return True

    def conclude(self) -> Next:
        self.row.ended_at = timezone.now()
        self.row.save(update_fields=["ended_at"])
        if self.row.error:
            return done("the list did not come")
        solved(LATE, REFUSED)
        return done(f"{self.row.repaired} repaired, {self.row.puzzling} for a person")

    def _puzzled(self, puzzle: Puzzle) -> None:
        puzzle.tell(self.row.subject)
        self.row.puzzling += 1

    def _keep_reading_from(self, day: date | None) -> None:
        """What needed a person is read again next time; where its day is not told, all that was read now."""
        day = day or self.row.since or EARLIEST
        self.row.puzzled_since = min(self.row.puzzled_since or day, day)

    def _asking(self, work: Callable[[Gumroad], Next]) -> Next:
        """Whatever comes of it stands in the receipt; Gumroad is always asked before anything is written."""
        self.row.error = ""
        try:
            with Gumroad(settings.GUMROAD_TOKEN, settings.GUMROAD_API_URL) as gumroad:
                outcome = work(gumroad)
        except TryLater as error:
            self.row.error, outcome = f"waits: {error}"[:500], self._wait(error.retry_after)
        except Refused as error:
            outcome = self._give_up(error)
        self.row.save()
        return outcome

    def _wait(self, seconds: float) -> Next:
        """While the list does not come, what we hold is looked at; if it never comes, the next run begins anew with both."""
        if self.run.step == self.look_at_known.__name__:
            return nap(seconds)
        if not self.args.get("looked"):
            return hop(self.look_at_known)
        is_late = timezone.now() > self.row.began_at + WITHIN
        return hop(self.conclude) if is_late else nap(seconds)

    def _give_up(self, error: Refused) -> Next:
        self.row.error, self.row.ended_at = str(error)[:500], timezone.now()
        says = f"Gumroad does not let us reconcile: {error}"
        advice = (
            "Look whether GUMROAD_TOKEN is the seller's own and has the scope view_sales; then reconcile."
        )
        Puzzle(says, advice=advice, about=REFUSED).tell(self.row.subject)
        return done("refused")


def to_look_at() -> QuerySet[Subscription]:
    """Subscriptions that live, those whose server does, and those that may begin again without a charge.

    That is where a dispute is won, be it of a charge long before the newest, of which nobody may have heard. Whoever else
    comes back is charged, which stands in the list of sales.
    """
    lives = ~Q(status=Ended) | Q(server__isnull=False, server__gone_at=None)
    may_be_won = Q(returned=Subscription.Returned.DISPUTED) | Q(ended_at__gt=timezone.now() - MAY_COME_BACK)
    return Subscription.objects.filter(lives | may_be_won)


def succeeded() -> QuerySet[Reconciliation]:
    return Reconciliation.objects.filter(ended_at__isnull=False, error="")


def since() -> date | None:
    """The first time all sales are read; later on those since shortly before the last success, or what puzzled it."""
    last = succeeded().order_by("-began_at").first()
    if last is None:
        return None
    return min((last.began_at - OVERLAP).date(), last.puzzled_since or date.max)


def day_of(sale: Sale) -> date | None:
    """In UTC, as Gumroad's list counts; none if it is not told."""
    return sale.created_at.date() if sale.created_at else None


def watch() -> None:
    """Has one begin where none did for a day, and tells staff if none succeeded for LATE_AFTER."""
    now = timezone.now()
    newest = Reconciliation.objects.order_by("-began_at", "-pk").first()
    if newest is None or newest.began_at < now - timedelta(hours=25):
        engine.start(Reconcile, subject=SUBJECT)
    is_young = not Reconciliation.objects.filter(began_at__lt=now - LATE_AFTER).exists()
    if is_young or succeeded().filter(ended_at__gt=now - LATE_AFTER).exists():
        return
    says = f"Nothing was reconciled with Gumroad for {LATE_AFTER.total_seconds() / 3600:.0f} hours."
    advice = "Look at the newest reconciliation: its error, and whether workers are up. Pings are still read meanwhile."
    Puzzle(says, advice=advice, about=LATE).tell(SUBJECT)
