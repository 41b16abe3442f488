"""Gumroad's pings kept a second, beside a bare Django view that inserts one row; and the slowest answer on a bad day.

The bad day: no worker lives, so every ping stays and is due, while a reconciliation walks through the sales of a stand-in.
Gumroad gives an answer five seconds.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

from bench.common import report, say, set_up
from bench.ingest import gunicorn
from bench.webhook_day import reconciling, shop

SECONDS = float(os.environ.get("BENCH_SECONDS", 5))
ROUNDS = 3
CONNECTIONS = 16
SUBSCRIPTIONS = int(os.environ.get("BENCH_SUBSCRIPTIONS", 200))
BARE = "CREATE TABLE bench_bare (server_id uuid, at timestamptz, cpu real, PRIMARY KEY (server_id, at))"
SALE = {
    "seller_id": "mailat-seller==", "product_id": "mailat-product==", "product_name": "Mailat", "permalink": "mailat",
    "product_permalink": "https://mailat.gumroad.com/l/mailat", "short_product_id": "QMGY", "email": "alice@example.test",
    "price": "2900", "gumroad_fee": "340", "currency": "usd", "quantity": "1", "discover_fee_charged": "false",
    "can_contact": "true", "referrer": "direct", "card[visual]": "**** **** **** 4242", "card[type]": "visa", "card[bin]": "",
    "order_number": "524459935", "sale_timestamp": "2026-09-01T10:00:00Z", "full_name": "Alice Baker",
    "subscription_id": "GDzW4_aBdQc-o7Gbjng7lw==", "variants[Tier]": "Plus", "ip_country": "Germany", "recurrence": "monthly",
    "license_key": "85DB562A-C11D4B06-A2335A6B-8C079166", "is_gift_receiver_purchase": "false", "refunded": "false",
    "resource_name": "sale", "disputed": "false", "dispute_won": "false",
}  # fmt: skip


def main() -> None:
    set_up()
    make_table()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        script = write_script(folder / "ping.lua")
        url = stack.enter_context(gunicorn())
        rates, slowest = measure(url, script), bad_day(url, script)
    best = {way: max(found) for way, found in rates.items()}
    report(
        name="webhook",
        figure=best["pings"],
        unit="pings/s",
        yardstick=best["view"],
        yardstick_is="one-row inserts/s of a bare view",
        without_middleware=round(best["short"], 1),
        ratio_without_middleware=round(best["pings"] / best["short"], 3),
        rounds={way: [round(one, 1) for one in found] for way, found in rates.items()},
        **slowest,
    )


def make_table() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(BARE)


def write_script(path: Path) -> str:
    """What wrk sends: every ping is of another sale, encoded as Gumroad encodes."""
    body = "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in SALE.items())
    path.write_text(
        f"local n = 0\nlocal body = [[{body}&sale_id=]]\n"
        "request = function()\n"
        "  n = n + 1\n"
        "  local headers = {['Content-Type'] = 'application/x-www-form-urlencoded'}\n"
        "  return wrk.format('POST', nil, headers, body .. n .. '%3D%3D')\nend\n"
    )
    return str(path)


def measure(url: str, script: str) -> dict[str, list[float]]:
    """Answers a second, each way in each round, so that what else the machine does falls on all."""
    ways = {"pings": webhook_path(), "view": "bare", "short": "agent/v1/bare"}
    rates: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(ROUNDS):
        for way, path in ways.items():
            say(f"round {number + 1}: {SECONDS:g} s of {way}")
            rates[way].append(load(f"{url}/{path}", script)[0])
    return rates


def webhook_path() -> str:
    return f"hooks/gumroad/{os.environ['GUMROAD_WEBHOOK_SECRET']}"


def bad_day(url: str, script: str) -> dict[str, object]:
    """The slowest answer in milliseconds while nobody works the pings and a reconciliation runs from end to end."""
    say(f"no worker lives, and a reconciliation of {SUBSCRIPTIONS} subscriptions runs")
    slowest, kept = 0.0, 0.0
    with shop(SUBSCRIPTIONS) as api_url, reconciling(api_url) as run:
        began = time.monotonic()
        while run.poll() is None:
            rate, longest = load(f"{url}/{webhook_path()}", script, seconds=2)
            slowest, kept = max(slowest, longest), kept + rate * 2
        took = time.monotonic() - began
    if run.returncode:
        sys.exit(f"the reconciliation ended with {run.returncode}")
    return {
        "slowest_ms_on_a_bad_day": round(slowest, 1),
        "reconciled": SUBSCRIPTIONS,
        "reconciliation_seconds": round(took, 1),
        "kept_meanwhile": round(kept),
        "waiting": pings_waiting(),
    }


def load(url: str, script: str, seconds: float = SECONDS) -> tuple[float, float]:
    """Answers of 200 a second, and the slowest in milliseconds."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:g}s", "--timeout", "10s", "-s", script, url]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        sys.exit(f"not every answer was 200:\n{out}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", out)
    slowest = re.search(r"Latency\s+\S+\s+\S+\s+([\d.]+)(us|ms|s)", out)
    if not found or not slowest:
        sys.exit(f"wrk says something new:\n{out}")
    return float(found[1]), float(slowest[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[slowest[2]]


def pings_waiting() -> int:
    from billing.models import Ping

    return Ping.objects.filter(became=Ping.Became.NEW).count()


if __name__ == "__main__":
    main()
