"""How the backups of several servers are, in a sentence each, for as many questions however many servers."""

from uuid import UUID

from django.db.models import OuterRef, Subquery

from backups import bucket
from backups.models import Point, Repository
from dashboard.backups.found import alarms_of
from dashboard.backups.state import in_short
from dashboard.mail.told import Verdict
from servers.models import Server


def briefs_of(servers: list[Server]) -> dict[UUID, Verdict]:
    """By server; of those that have no backups nothing is said."""
    homes = [server.pk for server in servers if server.ready_at and not server.gone_at]
    if not homes or not bucket.is_set_up():
        return {}
    newest = Point.objects.filter(repository=OuterRef("pk"), gone_at=None).order_by("-stored_at", "-pk")
    rows = Repository.objects.living().filter(pk__in=homes)
    said = list(
        rows.annotate(newest=Subquery(newest.values("at")[:1])).values_list("pk", "newest", "began_at")
    )
    alarms = alarms_of([home for home, _newest, _began in said])
    return {home: in_short(at, set(alarms.get(home, {})), began) for home, at, began in said}
