"""From ping to ready, less the machine's own boot, and how many calls to Hetzner a server takes.

The whole product runs beside the sandbox, whose machines are the agent alone, as a process. The yardstick is what the calls
to Gumroad and Hetzner take when they are made one after the other by the bare clients in the same run.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench.common import report, say, set_up
from devtools.services import free_port

SERVERS = 5
PATIENCE = 90.0  # seconds
SITE = f"http://127.0.0.1:{free_port()}"


def main() -> None:
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        where = stack.enter_context(sandbox(home))
        os.environ.update(settings(where))
        set_up()
        subprocess.run(
            [sys.executable, "-m", "agent.build", os.environ["AGENT_BUILD_DIR"]],
            check=True,
            stdout=sys.stderr,
        )
        stack.enter_context(
            process("gunicorn", "-c", "deploy/gunicorn.conf.py", BIND=SITE.removeprefix("http://"))
        )
        celery = ("celery", "-A", "mailat")
        stack.enter_context(process(*celery, "worker", "--pool", "threads", "-c", "8", "-l", "warning"))
        stack.enter_context(process(*celery, "beat", "-s", str(home / "beat"), "-l", "warning"))
        measure(where)


@contextmanager
def sandbox(home: Path) -> Iterator[dict[str, str]]:
    command = [sys.executable, "-m", "sandbox", "--home", str(home / "sandbox"), "--hosts", "process"]
    command += ["--control-url", SITE, "--ping-delay", "0"]
    hook = f"{SITE}/hooks/gumroad/{os.environ['GUMROAD_WEBHOOK_SECRET']}"
    running = subprocess.Popen(
        command, env={**os.environ, "GUMROAD_PING_URL": hook}, stdout=subprocess.PIPE, text=True
    )
    try:
        assert running.stdout
        yield json.loads(running.stdout.readline())
    finally:
        running.terminate()
        running.wait()


def settings(where: dict[str, str]) -> dict[str, str]:
    return {
        "BASE_URL": SITE,
        "AGENT_URL": SITE,
        "HETZNER_API_URL": where["hetzner_api"],
        "GUMROAD_API_URL": where["gumroad_api"],
        "GUMROAD_PRODUCT_URL": where["store"],
        "EMAIL_URL": f"smtp://{where['smtp']}",
    }


@contextmanager
def process(module: str, *words: str, **env: str) -> Iterator[None]:
    running = subprocess.Popen(
        [sys.executable, "-m", module, *words], env={**os.environ, **env}, stdout=sys.stderr
    )
    try:
        yield
    finally:
        running.terminate()
        running.wait()


def measure(where: dict[str, str]) -> None:
    wait(lambda: answers(f"{SITE}/healthz"), "the site")
    one_life(where, "warm")  # the firewall is made once in a project's life, and is not of interest
    before = calls(where)
    times = [one_life(where, f"bench-{number}") for number in range(SERVERS)]
    made = calls(where) - before
    report(
        name="provision",
        figure=statistics.median(times),
        unit="s from ping to ready, less boot",
        yardstick=bare_seconds(where),
        yardstick_is="the same calls by the bare clients",
        calls_per_server=made / SERVERS,
        slowest=round(max(times), 3),
    )


def one_life(where: dict[str, str], name: str) -> float:
    """Buys, chooses at once, and waits until the server is ready."""
    from billing import actions
    from billing.models import Ping, Subscription
    from servers.models import Server

    last = Ping.objects.order_by("-id").values_list("id", flat=True).first() or 0
    bought = post(
        f"{where['url']}/gumroad/sandbox/buy",
        email=f"{name}@example.test",
        tier="Basic",
        recurrence="monthly",
    )
    wait(
        lambda: Subscription.objects.filter(gumroad_id=bought["subscription_id"]).exists(), "the subscription"
    )
    subscription = Subscription.objects.get(gumroad_id=bought["subscription_id"])
    server = actions.make_server(subscription=subscription, name=name, place="fsn1", by="bench")
    wait(lambda: Server.objects.filter(pk=server.pk, ready_at__isnull=False).exists(), "the server")
    pinged = Ping.objects.filter(id__gt=last).order_by("id").values_list("received_at", flat=True)[0]
    server.refresh_from_db()
    seconds = (server.ready_at - pinged).total_seconds() - boot_seconds(server)
    say(f"{name}: {seconds:.2f} s")
    return seconds


def boot_seconds(server: Any) -> float:
    """From Hetzner's answer to the agent's call."""
    from audit.models import Event

    at = dict(Event.objects.filter(subject=server.subject).values_list("action", "at"))
    return float((at["agent.enrolled"] - at["server.machine_ordered"]).total_seconds())


def calls(where: dict[str, str]) -> int:
    return int(get(f"{where['url']}/hetzner/sandbox/calls")["count"])


def bare_seconds(where: dict[str, str]) -> float:
    """One sale read, one subscriber read, one machine ordered, two addresses named."""
    from django.conf import settings as product

    from clients.gumroad import Gumroad
    from clients.hetzner_cloud import HetznerCloud, Order

    bought = post(
        f"{where['url']}/gumroad/sandbox/buy", email="bare@example.test", tier="Basic", recurrence="monthly"
    )
    shop = Gumroad(product.GUMROAD_TOKEN, where["gumroad_api"])
    cloud = HetznerCloud(token=product.HETZNER_TOKEN, url=where["hetzner_api"])
    firewall = cloud.ensure_firewall("mailat-mail", tcp_ports=("25",), labels={})
    began = time.perf_counter()
    shop.sale(bought["sale_id"])
    shop.subscriber(bought["subscription_id"])
    machine = cloud.create(Order("bare", "cx23", "fsn1", "debian-13", "", firewall, {}))
    for address in (machine.ipv4, machine.ipv6):
        cloud.name_address(machine.id, address=str(address), name="bare.example.test")
    seconds = time.perf_counter() - began
    cloud.delete(machine.id)
    return seconds


def wait(there: Any, what: str) -> None:
    until = time.monotonic() + PATIENCE
    while not there():
        if time.monotonic() > until:
            sys.exit(f"{what} did not come")
        time.sleep(0.02)


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=1)  # noqa: S310
    except OSError:
        return False
    return True


def post(url: str, **body: object) -> Any:
    request = urllib.request.Request(  # noqa: S310
        url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
    )
    return json.loads(urllib.request.urlopen(request, timeout=30).read())  # noqa: S310


def get(url: str) -> Any:
    return json.loads(urllib.request.urlopen(url, timeout=30).read())  # noqa: S310


if __name__ == "__main__":
    main()
