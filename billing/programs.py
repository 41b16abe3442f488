"""A ping that was kept is read, and what it is about is asked of Gumroad anew and carried out."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.utils import timezone

from billing import charges, life, pings
from billing.looking import newest_sale
from billing.models import Ping, Subscription
from billing.offer import check_sale, is_something_else
from billing.puzzle import Puzzle, solved
from clients.errors import Gone
from clients.gumroad import Gumroad, Sale
from engine.program import Next, Program, done, hop, nap

BY = "gumroad"
LATE_AFTER = timedelta(hours=1)
PATIENCE = timedelta(minutes=20)  # for what Gumroad pings of before its API shows it
TURN_SECONDS = 1.0
Became = Ping.Became


class ApplyPing(Program):
    """Reads one ping. Order and number of pings do not matter, because all that is carried out comes from the API."""

    first = "read"

    def prepare(self) -> None:
        self.ping = Ping.objects.get(pk=self.run.subject.removeprefix("ping:"))

    def read(self) -> Next:
        """Says what the ping is about, and asks nobody."""
        self.expect(self.conclude, within=LATE_AFTER)
        reading = pings.read(bytes(self.ping.body), self.ping.content_type)
        self.ping.kind = reading.kind[:40]
        match pings.meaning(reading):
            case pings.AboutSale(sale_id):
                return self._look_up("sale", sale_id)
            case pings.AboutSubscription(subscription_id, announces, instead_of, at):
                return self._look_up(
                    "subscription", subscription_id, announces=announces, instead_of=instead_of, at=at
                )
            case pings.NotForUs(why):
                return self._become(Became.IGNORED, why)
            case pings.Puzzling(why):
                return self._puzzled(unreadable(self.ping, why))

    def _look_up(self, what: str, its_id: str, **announced: str) -> Next:
        self.ping.about = its_id
        self.ping.save(update_fields=["kind", "about"])
        self.args.update(what=what, id=its_id, **announced)
        return hop(self.ask)

    def ask(self) -> Next:
        """Asks Gumroad and carries out the answer, in one transaction and one after the other for a subscription."""
        try:
            with Gumroad(settings.GUMROAD_TOKEN, settings.GUMROAD_API_URL) as gumroad:
                return self._ask(gumroad)
        except Gone:
            return self._not_there()
        except Puzzle as puzzle:
            return self._puzzled(puzzle)

    def _ask(self, gumroad: Gumroad) -> Next:
        asked_at = timezone.now()
        sale = self._sale(gumroad)
        if sale and is_something_else(sale.product_id):
            return self._leave_alone(sale.product_id)
        gumroad_id = sale.subscription_id if sale else self.args["id"]
        if not life.take_turn(gumroad_id):
            return nap(TURN_SECONDS)
        if sale and Subscription.objects.filter(gumroad_id=gumroad_id, checked_at__gte=asked_at).exists():
            sale = self._sale(gumroad)  # somebody may have had a newer answer meanwhile
        subscriber = gumroad.subscriber(gumroad_id)
        if is_something_else(subscriber.product_id):
            return self._leave_alone(subscriber.product_id)
        newest = newest_sale(gumroad, subscriber, sale)
        subscription = life.apply_subscriber(subscriber=subscriber, sale=newest, by=BY)
        self.ping.subscription = subscription
        charges.see_older(subscription, sale, newest)
        if newest:
            charges.apply_sale(subscription=subscription, sale=newest, by=BY)
        self._announce(subscription)
        solved(*self._causes(subscriber.product_id))
        return self._become(Became.APPLIED, in_words(subscription, sale))

    def _sale(self, gumroad: Gumroad) -> Sale | None:
        sale = gumroad.sale(self.args["id"]) if self.args["what"] == "sale" else None
        if sale and not is_something_else(sale.product_id):
            check_sale(sale)
        return sale

    def _leave_alone(self, product_id: str) -> Next:
        solved(*self._causes(product_id))
        return self._become(Became.IGNORED, "of something else that the seller sells")

    def _announce(self, subscription: Subscription) -> None:
        """A change of plan that comes later stands in no answer of the API until it is charged."""
        if self.args.get("announces"):
            charges.announce(
                subscription=subscription,
                tier=self.args["announces"],
                instead_of=self.args.get("instead_of", ""),
                at=moment(self.args.get("at", "")),
                by=BY,
            )

    def _causes(self, product_id: str) -> list[str]:
        """What may have been puzzling about this ping before and is not now."""
        return [
            f"{self.args['what']}:{self.args['id']}",
            f"product:{product_id}",
            f"ping:{self.ping.pk}",
        ]

    def _not_there(self) -> Next:
        """The API may lag behind the ping; after a while it does not."""
        age = timezone.now() - self.ping.received_at
        if age < PATIENCE:
            return nap(max(5.0, age.total_seconds() / 3))
        return self._puzzled(unknown_to_gumroad(self.args["what"], self.args["id"]))

    def _puzzled(self, puzzle: Puzzle) -> Next:
        puzzle.tell(self.ping.subject)
        return self._become(Became.PUZZLING, puzzle.says)

    def _become(self, became: Became, note: str) -> Next:
        self.ping.became, self.ping.note, self.ping.read_at = became, note[:300], timezone.now()
        self.ping.save(update_fields=["kind", "about", "subscription", "became", "note", "read_at"])
        return hop(self.conclude)

    def conclude(self) -> Next:
        return done(self.ping.get_became_display())


def unreadable(ping: Ping, why: str) -> Puzzle:
    return Puzzle.of("unreadable", about=f"ping:{ping.pk}", why=why)


def unknown_to_gumroad(what: str, its_id: str) -> Puzzle:
    return Puzzle.of("unknown", about=f"{what}:{its_id}", what=what, id=its_id)


def moment(told: str) -> datetime | None:
    """Gumroad's ISO 8601, in UTC where no zone is told; nothing if it is none."""
    try:
        at = datetime.fromisoformat(told)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def in_words(subscription: Subscription, sale: Sale | None) -> str:
    """Where the subscription stands, and what became of the sale's money."""
    words = [f"subscription {subscription.get_status_display()}"]
    if sale:
        flags = {
            "refunded": sale.refunded,
            "refunded in part": sale.partly_refunded,
            "disputed": sale.disputed,
            "dispute won": sale.dispute_won,
        }
        words += [word for word, is_so in flags.items() if is_so]
    return "; ".join(words)
