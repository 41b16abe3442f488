"""The staff's list of ten million events, beside the same table in Django's admin as it comes."""

import os
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from hashlib import md5
from typing import TYPE_CHECKING
from uuid import UUID

from bench.common import report, say, set_up

if TYPE_CHECKING:
    from django.test import Client

EVENTS = int(os.environ.get("BENCH_EVENTS", 10_000_000))
OTHERS = EVENTS // 10
OFTEN, SELDOM = 40, 5
SUBJECT = f"server:{UUID(md5(b'server4711', usedforsecurity=False).hexdigest())}"
ACCOUNT = UUID(md5(b"account4711", usedforsecurity=False).hexdigest())
DEEP = datetime.now(UTC) - timedelta(days=180)
OURS = {
    "first": "/admin/audit/event/",
    "deep": f"/admin/audit/event/?after={EVENTS // 10}",
    "search": f"/admin/audit/event/?q={SUBJECT}",
    "account": f"/admin/audit/event/?q={ACCOUNT}",
    "reference": "/admin/audit/event/?q=request:4712",
    "number": f"/admin/audit/event/?q={EVENTS // 2}",
    "nothing": "/admin/audit/event/?q=server:none",
    "runs": "/admin/engine/run/",
    "runs_failing": "/admin/engine/run/?state=failing",
    "runs_all": "/admin/engine/run/?state=all",
    "pings": "/admin/billing/ping/",
    "pings_puzzling": "/admin/billing/ping/?state=puzzling",
    "pings_ignored": "/admin/billing/ping/?state=ignored",
    "index": "/admin/",
    "found": f"/admin/find/?q={SUBJECT.partition(':')[2]}",
    "found_reference": "/admin/find/?q=request:4712",
    "found_nothing": "/admin/find/?q=nobody@nowhere.test",
    "story": f"/admin/accounts/account/{ACCOUNT}/story/",
    "story_deep": f"/admin/accounts/account/{ACCOUNT}/story/?after={DEEP:%Y-%m-%dT%H:%M:%S}%2B00:00~0~0",
}
PLAIN = {
    "first": "/plain/audit/event/",
    "deep": f"/plain/audit/event/?p={EVENTS // 50 * 9 // 10}",
    "search": f"/plain/audit/event/?q={SUBJECT}",
    "runs": "/plain/engine/run/?finished_at__isempty=1",
    "pings": "/plain/billing/ping/",
    "pings_puzzling": "/plain/billing/ping/?became__exact=puzzling",
}


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.plain_settings"
    set_up()
    fill()
    client = stella()
    plain = {name: p50_ms(client, url, times=SELDOM) for name, url in PLAIN.items()}
    ours = {name: p50_ms(client, url, times=OFTEN) for name, url in OURS.items()}
    report(
        name="admin",
        figure=ours["first"],
        unit="ms",
        yardstick=plain["first"],
        yardstick_is="Django's admin with the same columns and as many rows a page",
        rows=EVENTS,
        ours=ours,
        plain=plain,
    )


def fill() -> None:
    from bench import fill

    say(f"{EVENTS} events of {fill.MONTHS} months, {OTHERS} runs, {OTHERS} pings")
    fill.events(EVENTS)
    fill.account(ACCOUNT)
    fill.runs(OTHERS)
    fill.pings(OTHERS)


def stella() -> "Client":
    """A browser that staff signed in with."""
    from django.test import Client

    from accounts.models import User
    from tests.keys import give_app

    client, user = Client(SERVER_NAME="127.0.0.1"), User.objects.create_user("stella@example.test")
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    give_app(user)
    client.force_login(user)
    return client


def p50_ms(client: "Client", url: str, *, times: int) -> float:
    """The median of whole answers, the first one left out: it compiles templates and reads from the disk."""
    get_ms(client, url)
    median = statistics.median(get_ms(client, url) for _ in range(times))
    say(f"  {median:8.1f} ms  {url}")
    return round(median, 1)


def get_ms(client: "Client", url: str) -> float:
    began = time.perf_counter()
    answer = client.get(url)
    took = (time.perf_counter() - began) * 1000
    if (
        answer.status_code != 200
    ):  # Django's admin sends whoever asks for what it does not know somewhere else
        sys.exit(f"{url} answered {answer.status_code}")
    return took


if __name__ == "__main__":
    main()
