"""Gumroad tells of events where it was asked to; whatever stands in the seller's settings, its Ping address hears of sales alone."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from django.conf import settings

from audit.actions import record
from billing.policy import EVENTS
from billing.puzzle import Puzzle, solved
from clients.errors import Gone, Refused
from clients.gumroad import Gumroad
from engine.program import Next, Program, done, hop, nap

SUBJECT, BY = "gumroad:pings", "program:Listen"
REFUSED = "listening:refused"
WITHIN = timedelta(hours=12)
AT_ONCE = 0.0  # seconds; a nap instead of a hop lets others have their turn


class Listen(Program):
    """Every kind of event is asked for once, at the address that we have today; what Gumroad has already is left alone."""

    first = "begin"

    def begin(self) -> Next:
        self.expect(self.conclude, within=WITHIN)
        self.args.update(kinds=list(EVENTS), made=[], stale=[], removed=0)
        return hop(self.ask_for_events)

    def ask_for_events(self) -> Next:
        """One kind of event. Gumroad keeps the same wish twice, so it is looked at first."""
        return self._asking(self._ask_for_next)

    def _ask_for_next(self, gumroad: Gumroad) -> Next:
        kind, url = self.args["kinds"][0], address()
        listeners = [one for one in gumroad.listeners(kind) if is_ours(one.url)]
        ours = [one for one in listeners if one.url == url]
        if not ours:
            gumroad.listen(kind, url)
            self.args["made"].append(kind)
        self.args["stale"] += [one.id for one in listeners if one not in ours[:1]]
        self.args["kinds"] = self.args["kinds"][1:]
        return nap(AT_ONCE) if self.args["kinds"] else self._after_asking()

    def _after_asking(self) -> Next:
        return hop(self.drop_stale) if self.args["stale"] else hop(self.conclude)

    def drop_stale(self) -> Next:
        """One that is told at a former address of ours, or told twice."""
        return self._asking(self._drop_next)

    def _drop_next(self, gumroad: Gumroad) -> Next:
        with suppress(Gone):  # somebody was quicker, or we were killed just after it
            gumroad.stop_listening(self.args["stale"][0])
            self.args["removed"] += 1
        self.args["stale"] = self.args["stale"][1:]
        return nap(AT_ONCE) if self.args["stale"] else hop(self.conclude)

    def conclude(self) -> Next:
        made, removed = self.args["made"], self.args["removed"]
        if made or removed:
            record("gumroad.asked_to_tell", by=BY, subject=SUBJECT, kinds=made, removed=removed)
        solved(REFUSED)
        return done(f"{len(made)} asked for, {removed} removed")

    def _asking(self, work: Callable[[Gumroad], Next]) -> Next:
        try:
            with Gumroad(settings.GUMROAD_TOKEN, settings.GUMROAD_API_URL) as gumroad:
                return work(gumroad)
        except (Refused, Gone) as error:
            says = f"Gumroad does not let us ask for its events: {error}"
            Puzzle(says, advice=ADVICE, about=REFUSED).tell(SUBJECT)
            return done("refused")


ADVICE = (
    "Look whether GUMROAD_TOKEN is the seller's own and has the scope view_sales, and whether BASE_URL can be reached from "
    "outside; then reconcile. Until then what happens besides sales is heard of at night."
)


DOOR = "/hooks/gumroad/"


def address() -> str:
    """Where Gumroad is to tell us; who knows it can make us ask Gumroad, so it is shown nowhere."""
    return f"{settings.BASE_URL}{DOOR}{settings.GUMROAD_WEBHOOK_SECRET}"


def is_ours(url: str) -> bool:
    """Also of another secret, or of the place where we were before."""
    return url.startswith(settings.BASE_URL + DOOR) or url.endswith(DOOR + settings.GUMROAD_WEBHOOK_SECRET)
