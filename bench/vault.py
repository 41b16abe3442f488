"""Secrets stored and opened a second, beside bare HPKE calls; and what moving 100,000 of them to a new key costs.

A secret counts when its row and the event of its keeping are committed, and again read after the event of its reading is
committed: two events of the audit log's chain and a row for each, in batches of `vault.actions.AT_ONCE`, as whoever has many
keeps and reads them. `single` is one secret a call, three durable commits each. The yardstick is `cryptography` alone: one
seal and one open of the same text with an info of the same length. All of it in one thread, Postgres beside it.
"""

import os
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

from bench.common import report, say, set_up
from bench.ingest import gunicorn

ROUNDS = 5
BATCHES = 5  # of AT_ONCE, in each round
SINGLES = 100
ACCOUNTS = 50
SECRETS = int(os.environ.get("BENCH_SECRETS", 100_000))
TEXT = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # as long as AWS makes them
WORKER = ("--pool", "threads", "--concurrency", "8")  # as docker-compose.yml has it
PAGE_PAUSE = 0.05  # seconds between two looks at a page
CALM_PAGES = 200
PATIENCE = 900.0  # seconds


def main() -> None:
    set_up()
    accounts = [uuid4() for _ in range(ACCOUNTS)]
    bare, many, single = [], [], []
    for number in range(ROUNDS):
        say(f"round {number + 1} of {ROUNDS}")
        bare.append(bare_a_second())
        many.append(batches_a_second(accounts))
        single.append(singles_a_second(accounts))
    moved = rotation(accounts)
    report(
        name="vault",
        figure=max(many),
        unit="secrets kept and read/s",
        yardstick=max(bare),
        yardstick_is="bare HPKE seal and open by cryptography/s",
        batch=at_once(),
        single=round(max(single), 1),
        single_ratio=round(max(single) / max(bare), 3),
        rounds_ratio=[round(ours / theirs, 2) for ours, theirs in zip(many, bare, strict=True)],
        **moved,
    )


def at_once() -> int:
    from vault import actions

    return actions.AT_ONCE


def bare_a_second() -> float:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    from vault.box import Place
    from vault.sealing import SUITE

    private, info = X25519PrivateKey.generate(), Place(uuid4(), uuid4(), "aws", "credentials:1").info()
    public, plain, times = private.public_key(), TEXT.encode(), BATCHES * at_once()
    began = time.perf_counter()
    for _ in range(times):
        SUITE.decrypt(SUITE.encrypt(plain, public, info=info), private, info=info)
    return times / (time.perf_counter() - began)


def batches_a_second(accounts: list[UUID]) -> float:
    from vault import actions
    from vault.actions import Plain

    size = at_once()
    began = time.perf_counter()
    for _ in range(BATCHES):
        plain = [Plain(accounts[n % ACCOUNTS], "aws", f"credentials:{n}", TEXT) for n in range(size)]
        kept = actions.keep_many(plain=plain, by="user:1")
        texts = actions.read_many(secrets=kept, by="program:Bench", why="a benchmark")
        assert set(texts.values()) == {TEXT}
        assert len(texts) == size
    return BATCHES * size / (time.perf_counter() - began)


def singles_a_second(accounts: list[UUID]) -> float:
    from vault import actions

    began = time.perf_counter()
    for number in range(SINGLES):
        account = accounts[number % ACCOUNTS]
        kept = actions.keep(account=account, purpose="aws", subject="credentials:1", secret=TEXT, by="user:1")
        assert actions.reading(secret=kept, by="program:Bench", why="a benchmark") == TEXT
    return SINGLES / (time.perf_counter() - began)


def rotation(accounts: list[UUID]) -> dict[str, object]:
    """A second key, and the product's worker that moves everything to it while somebody looks at pages."""
    from django.core.management import call_command

    from vault import keys

    fill(accounts)
    call_command("collectstatic", "--no-input", verbosity=0)
    cookie, old = signed_in(), keys.sealing()[0]
    os.environ["VAULT_KEYS_OVERLAP"] = "0"
    with (
        gunicorn() as url,
        product("worker", *WORKER) as pid,
        product("beat", "-s", f"{os.environ['MAILAT_HOME']}/beat"),
    ):
        calm = look_at_pages(url, cookie, until=lambda times: len(times) >= CALM_PAGES)
        before = memory(pid, "VmRSS")
        began = time.perf_counter()
        start()
        busy = look_at_pages(url, cookie, until=lambda times: is_retired(old))
        seconds, peak = time.perf_counter() - began, memory(pid, "VmHWM")
    total = SECRETS + ROUNDS * (BATCHES * at_once() + SINGLES)
    return {
        "rotated": total,
        "rotation_seconds": round(seconds, 1),
        "rotated_a_second": round(total / seconds),
        "worker_mb_before": round(before, 1),
        "worker_mb_peak": round(peak, 1),
        "page_ms_calm": round(statistics.median(calm), 1),
        "page_ms_rotating": round(statistics.median(busy), 1),
        "pages": [len(calm), len(busy)],
    }


def fill(accounts: list[UUID]) -> None:
    """Without events, which a rotation neither reads nor writes for a secret."""
    from vault import box, keys, rows
    from vault.box import Place

    say(f"{SECRETS} secrets")
    name, key = keys.sealing()
    for first in range(0, SECRETS, 1000):
        places = [
            Place(uuid4(), accounts[n % ACCOUNTS], "aws", f"credentials:{n}")
            for n in range(first, min(first + 1000, SECRETS))
        ]
        columns = [
            [p.secret for p in places],
            [p.account for p in places],
            [p.purpose for p in places],
            [p.subject for p in places],
        ]
        rows.keep(name, "user:1", [*columns, [box.seal(place, TEXT, key) for place in places]])


def signed_in() -> str:
    """The cookie of an owner who looks at the list of her servers."""
    from django.test import Client

    from accounts.models import Account, Membership, User
    from servers.models import Server

    account = Account.objects.create(name="Bench")
    alice = User.objects.create_user("alice@example.test", name="Alice")
    Membership.objects.create(account=account, user=alice)
    Server.objects.bulk_create(
        Server(account=account, name=f"s{n}", plan="basic", place="fsn1") for n in range(20)
    )
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(alice)
    return "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())


@contextmanager
def product(*words: str) -> Iterator[int]:
    """A process of the product's Celery."""
    command = [sys.executable, "-m", "celery", "-A", "mailat", *words, "-l", "warning"]
    running = subprocess.Popen(command, stdout=sys.stderr)
    try:
        yield running.pid
    finally:
        running.terminate()
        running.wait()


def look_at_pages(url: str, cookie: str, *, until: Callable[[list[float]], bool]) -> list[float]:
    """Milliseconds of each look at the overview; the first ones, which compile templates, are left out."""
    times: list[float] = []
    for _ in range(20):
        page_ms(url, cookie)
    stop = time.monotonic() + PATIENCE
    while not until(times):
        if time.monotonic() > stop:
            sys.exit("This takes too long; something is not working.")
        times.append(page_ms(url, cookie))
        time.sleep(PAGE_PAUSE)
    return times


def page_ms(url: str, cookie: str) -> float:
    request = urllib.request.Request(f"{url}/overview", headers={"Cookie": cookie})  # noqa: S310 - an address we made
    began = time.perf_counter()
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        answer.read()
        if not answer.url.endswith("/overview"):
            sys.exit(f"the page was {answer.url}")
    return (time.perf_counter() - began) * 1000


def memory(pid: int, what: str) -> float:
    """Megabytes, as Linux counts them: VmRSS now, VmHWM the most there ever was."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith(f"{what}:"))


def start() -> None:
    """What an operator does: a new pair in both files; then the clock's own look, so that nobody waits for it."""
    from vault import pairs, tasks

    pairs.add(Path(os.environ["VAULT_PRIVATE_KEYS_FILE"]), Path(os.environ["VAULT_PUBLIC_KEYS_FILE"]))
    tasks.look_at_keys()


def is_retired(key: str) -> bool:
    from vault.models import Key

    return Key.objects.filter(pk=key, retired_at__isnull=False).exists()


if __name__ == "__main__":
    main()
