"""Before a server is deleted Gumroad is asked whether its owner has come back, for a ping may have been lost.

Where Gumroad does not answer, a ping that waits for it is the only sign of that.
"""

from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from billing import pings
from billing.looking import look, vanished
from billing.models import Ping, Subscription
from billing.puzzle import Puzzle, solved
from clients.errors import Gone
from clients.gumroad import Gumroad
from engine import actions as engine
from engine.program import Next, Program, done, nap
from servers.models import Server
from servers.programs.destroy import DOUBTED_AT_MOST

BY, TURN_SECONDS = "last look", 1.0
CALM, CLOSE = timedelta(hours=6), timedelta(minutes=10)
LAST_HOURS = timedelta(hours=1)
MOST = 200


class AskAgain(Program):
    """One subscription is asked about anew, because its server is to be deleted or because a person wants to know."""

    first = "ask"

    def ask(self) -> Next:
        row = Subscription.objects.get(pk=self.run.subject.removeprefix("subscription:"))
        with Gumroad(settings.GUMROAD_TOKEN, settings.GUMROAD_API_URL) as gumroad:
            try:
                found = look(gumroad, row.gumroad_id, by=BY)
            except Puzzle as puzzle:
                puzzle.tell(row.subject)
                return done("needs a person")
            except Gone:
                vanished(row.gumroad_id).tell(row.subject)
                return done("unknown to Gumroad")
        if found is None:
            return nap(TURN_SECONDS)
        return done("as it was" if found.was_right else "repaired")


def look_before_the_end() -> int:
    """Whoever came back without our hearing of it is found before the server goes; returns how many are asked about.

    While a deletion waits, Gumroad is asked each CALM, and in its last hour each CLOSE.
    """
    now = timezone.now()
    waiting = Subscription.objects.filter(
        status=Subscription.Status.ENDED,
        server__destruction__begun_at=None,
        server__destruction__isnull=False,
    )
    stale = Q(checked_at__lt=now - CALM) | Q(
        checked_at__lt=now - CLOSE, server__destruction__due_at__lt=now + LAST_HOURS
    )
    rows = list(waiting.filter(stale).order_by("server__destruction__due_at")[:MOST])
    for row in rows:
        engine.start(AskAgain, subject=row.subject)
    return len(rows)


def is_doubted(server: Server) -> bool:
    """Whether something was told of its subscription since Gumroad last answered, so that nobody knows yet what it says.

    Staff hear of it, for the deletion waits only for a while.
    """
    row = Subscription.objects.filter(server=server).first()
    if row is None:
        return False
    about = f"unasked:{row.gumroad_id}"
    if not _waits(row):
        solved(about)
        return False
    words = {"email": row.email, "subscription": row.gumroad_id, "days": DOUBTED_AT_MOST.days}
    Puzzle.of("unasked", about=about, **words).tell(row.subject)
    return True


def _waits(row: Subscription) -> bool:
    """Whether a ping of it has not been followed; `checked_at` is later than the end, of which Gumroad told then."""
    unread = Ping.objects.filter(became=Ping.Became.NEW, received_at__gt=row.checked_at)
    return any(_names(ping, row.gumroad_id) for ping in unread.iterator(chunk_size=50))


def _names(ping: Ping, gumroad_id: str) -> bool:
    """Believed as far as to wait and ask; a charge names its subscription too."""
    return pings.read(bytes(ping.body), ping.content_type).text("subscription_id") == gumroad_id
