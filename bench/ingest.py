"""Agent reports a second, beside a bare Django view that inserts one row under the same gunicorn."""

import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from bench.common import report, say, set_up
from devtools.services import free_port

SERVERS = 500
SECONDS = 6
ROUNDS = 3
CONNECTIONS = 16
BODY = (
    '{"at":1790000000.5,"seq":12,"agent":"1.0","applied":1,"refused":null,"boot_id":"0d7c2b9c-5d7c-4a46-8f6e-3f2a0c1d9e11",'
    '"cpu":12.5,"mem_used":1200000000,"mem_total":4000000000,"swap_used":0,"disk_used":9000000000,"disk_total":40000000000,'
    '"load1":0.42,"net_rx":1200.5,"net_tx":800.25,"uptime":86400,"services":{"postfix.service":"active",'
    '"dovecot.service":"active","rspamd.service":"active","nginx.service":"active","mailat-agent.service":"active"}}'
)


def main() -> None:
    set_up()
    secrets = make_fleet()
    with gunicorn() as url, tempfile.TemporaryDirectory() as folder:
        ours, bare = script(Path(folder) / "ours.lua", secrets), script(Path(folder) / "bare.lua", [])
        ways = {
            "reports": ("agent/v1/report", ours),
            "view": ("bare", bare),
            "short": ("agent/v1/bare", bare),
        }
        rates: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(ROUNDS):
            for way, (path, what) in ways.items():
                rates[way].append(load(f"{url}/{path}", what))
    best = {way: max(found) for way, found in rates.items()}
    report(
        name="ingest",
        figure=best["reports"],
        unit="reports/s",
        yardstick=best["view"],
        yardstick_is="one-row inserts/s of a bare view",
        without_middleware=round(best["short"], 1),
        ratio_without_middleware=round(best["reports"] / best["short"], 3),
        kept=rows_kept(),
    )


def make_fleet() -> list[str]:
    """Servers with agents; returns what each sends as its bearer."""
    from django.db import connection

    from accounts.models import Account
    from servers.models import Agent, Server

    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE bench_bare (server_id uuid, at timestamptz, cpu real, PRIMARY KEY (server_id, at))"
        )
    account = Account.objects.create(name="Bench")
    servers = [Server(account=account, name=f"s{n}", plan="basic", place="fsn1") for n in range(SERVERS)]
    Server.objects.bulk_create(servers)
    Server.objects.update(ready_at=account.created_at)
    Agent.objects.bulk_create(
        [
            Agent(server=one, key_hash=sha256(one.name.encode()).hexdigest(), seal_key="x", desired_version=1)
            for one in servers
        ]
    )
    return [f"{one.pk}.{one.name}" for one in servers]


@contextmanager
def gunicorn() -> Iterator[str]:
    port = free_port()
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "bench.bare_settings", "BIND": f"127.0.0.1:{port}"}
    command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py"]
    running = subprocess.Popen(command, env=env, stdout=sys.stderr)
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz")
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait()


def wait_for(url: str) -> None:
    for _ in range(200):
        try:
            urllib.request.urlopen(url, timeout=1)  # noqa: S310
            return
        except OSError:
            time.sleep(0.1)
    sys.exit("gunicorn does not answer")


def script(path: Path, bearers: list[str]) -> str:
    """What wrk sends: every request is another server's."""
    table = ",".join(f'"{one}"' for one in bearers)
    path.write_text(
        f"local bearers = {{{table}}}\nlocal n = 0\nlocal body = [[{BODY}]]\n"
        "request = function()\n"
        "  n = n + 1\n"
        "  local headers = {['Content-Type'] = 'application/json'}\n"
        "  if #bearers > 0 then headers['Authorization'] = 'Bearer ' .. bearers[n % #bearers + 1] end\n"
        "  return wrk.format('POST', nil, headers, body)\nend\n"
    )
    return str(path)


def load(url: str, script: str) -> float:
    """Requests a second that were answered by 200."""
    say(f"{SECONDS} s of {url.rsplit('/', 1)[1]}")
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-s", script, url]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out:
        sys.exit(f"not every answer was 200:\n{out}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", out)
    return float(found.group(1)) if found else 0.0


def rows_kept() -> int:
    from servers.models import Metric

    return Metric.objects.count()


if __name__ == "__main__":
    main()
