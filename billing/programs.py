"""A ping that was kept is read, and what it is about is asked of Gumroad anew and carried out."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from billing import life, pings
from billing.models import Ping, Subscription
from billing.offer import check_sale, is_plan
from billing.puzzle import Puzzle, solved
from clients.errors import Gone
from clients.gumroad import Gumroad, Sale, Subscriber
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
            case pings.AboutSubscription(subscription_id, announces):
                return self._look_up("subscription", subscription_id, announces)
            case pings.NotForUs(why):
                return self._become(Became.IGNORED, why)
            case pings.Puzzling(why):
                return self._puzzled(unreadable(self.ping, why))

    def _look_up(self, what: str, its_id: str, announces: str = "") -> Next:
        self.ping.about = its_id
        self.ping.save(update_fields=["kind", "about"])
        self.args.update(what=what, id=its_id, announces=announces)
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
        sale = gumroad.sale(self.args["id"]) if self.args["what"] == "sale" else None
        if sale:
            check_sale(sale)
        gumroad_id = sale.subscription_id if sale else self.args["id"]
        if not life.take_turn(gumroad_id):
            return nap(TURN_SECONDS)
        subscriber = gumroad.subscriber(gumroad_id)
        newest = sale or self._newest_sale(gumroad, subscriber)
        subscription = life.apply_subscriber(subscriber=subscriber, sale=newest, by=BY)
        self.ping.subscription = subscription
        if newest:
            life.apply_sale(subscription=subscription, sale=newest, by=BY)
        self._check_announcement(subscription)
        solved(*self._causes(subscriber))
        return self._become(Became.APPLIED, in_words(subscription, sale))

    def _newest_sale(self, gumroad: Gumroad, subscriber: Subscriber) -> Sale | None:
        """Only a sale names the plan, so one is read where the plan is not known or is said to change."""
        known = Subscription.objects.filter(gumroad_id=subscriber.id).exists()
        if not subscriber.purchase_ids or (known and not self.args["announces"]):
            return None
        sale = gumroad.sale(subscriber.purchase_ids[-1])
        check_sale(sale)
        return sale

    def _check_announcement(self, subscription: Subscription) -> None:
        """A change of plan that comes later stands in no answer of the API until it is charged; so a person is told."""
        row = Subscription.objects.get(pk=subscription.pk)
        announced = self.args["announces"]
        if announced and not is_plan(announced, row.plan):
            raise Puzzle(
                f"Gumroad announces that {row.email} changes from “{row.plan}” to “{announced}”.",
                advice="Look at Gumroad when it takes effect. The first charge for the new plan is told of separately.",
                about=f"announced:{row.gumroad_id}",
            )

    def _causes(self, subscriber: Subscriber) -> list[str]:
        """What may have been puzzling about this ping before and is not now."""
        return [
            f"{self.args['what']}:{self.args['id']}",
            f"product:{subscriber.product_id}",
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
    return Puzzle(
        f"A ping of Gumroad's was not understood: {why}.",
        advice="Look at the ping. If it tells of a sale or a subscription, look that up at Gumroad.",
        about=f"ping:{ping.pk}",
    )


def unknown_to_gumroad(what: str, its_id: str) -> Puzzle:
    return Puzzle(
        f"A ping tells of the {what} {its_id}, but Gumroad's API knows of none.",
        advice="Look whether GUMROAD_TOKEN is the seller's own. If it is, somebody may know the webhook's secret: change it.",
        about=f"{what}:{its_id}",
    )


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
