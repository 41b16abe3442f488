"""A plain Debian host in this internet: packages, names, chains that verify, and the same after a restart of all."""

from __future__ import annotations

import http.server
import os
import pathlib
import threading
from collections.abc import Iterator

import pytest

from sandbox.hosts import Hosts, HostsUnavailable, choose
from sandbox.hosts.debian import possible

pytestmark = pytest.mark.root

ROOT = pathlib.Path(__file__).parents[3]
MACHINE = 1
SCRIPT = """#!/bin/sh
exec >/root/tried 2>&1
say() { curl -sS -X POST -d "$2" "$CONTROL/$1"; }
say "$1-chain" "$(curl -sS -o /dev/null -w '%{http_code}' https://acme.sandbox.test/dir 2>&1)"
say "$1-python" "$(python3 -c 'import urllib.request; print(urllib.request.urlopen("https://acme.sandbox.test/dir").status)' 2>&1 | tail -1)"
say "$1-folder" "$(openssl verify -CApath /etc/ssl/certs -no-CAfile -no-CAstore /usr/local/share/ca-certificates/sandbox-*.crt | grep -c OK)"
say "$1-ses" "$(getent ahostsv4 email-smtp.eu-west-1.amazonaws.com | head -1)"
say "$1-none" "$(getent hosts nobody.test || echo none)"
if [ "$1" = first ]; then
  say "$1-apt" "$(apt-get -q update >/dev/null 2>&1 && apt-get -q -y --no-install-recommends install hello >/dev/null 2>&1 && hello)"
  update-ca-certificates >/dev/null 2>&1
fi
say "$1-again" "$(curl -sS -o /dev/null -w '%{http_code}' https://acme.sandbox.test/dir 2>&1)"
"""


class Control:
    """Hears what the host says."""

    def __init__(self) -> None:
        self.heard: dict[str, str] = {}
        control = self

        class Door(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                words = self.rfile.read(int(self.headers["Content-Length"])).decode()
                control.heard[self.path.removeprefix("/")] = words
                self.send_response(200)
                self.end_headers()

            def log_message(self, *words: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def control() -> Iterator[Control]:
    made = Control()
    yield made
    made.close()


def hosts_of(home: pathlib.Path, control: Control) -> Hosts:
    if obstacle := possible.why_not(home):
        pytest.skip(f"skipped: needs root on Linux ({obstacle})")
    chosen = choose("debian", home, control.port, on_log=lambda _text: None)
    try:
        chosen.prepare()
    except HostsUnavailable as problem:
        pytest.skip(f"no Debian host can be prepared here: {problem}")
    return chosen


def user_data(hosts: Hosts, control: Control) -> str:
    script = SCRIPT.replace("$CONTROL", f"http://{hosts.address_of_control}:{control.port}")
    indented = "".join(f"    {line}\n" for line in script.splitlines())
    return (
        f"#cloud-config\nwrite_files:\n- path: /root/try\n  permissions: '0755'\n  content: |\n{indented}"
        "bootcmd:\n- [sh, -c, 'ls /root/was-here && /root/try second || true']\n"
        "runcmd:\n- [/root/try, first]\n- [touch, /root/was-here]\n"
    )


def expected(hosts: Hosts, boot: str) -> dict[str, str]:
    ses = f"{hosts.network[3]}"
    return {
        f"{boot}-chain": "200", f"{boot}-python": "200", f"{boot}-none": "none", f"{boot}-again": "200",
        f"{boot}-ses": f"{ses:<15} STREAM email-smtp.eu-west-1.amazonaws.com",
    }  # fmt: skip


def test_a_plain_host_has_packages_names_and_whom_to_trust(tmp_path, control, until, monkeypatch):
    monkeypatch.setenv("MAILAT_CACHE", os.environ.get("MAILAT_CACHE") or str(ROOT / "var/cache"))
    hosts = hosts_of(tmp_path, control)
    try:
        hosts.boot(MACHINE, "post", str(hosts.network[10]), user_data(hosts, control))
        until(lambda: "first-again" in control.heard)
        assert expected(hosts, "first").items() <= control.heard.items()
        assert control.heard["first-apt"] == "Hello, world!"
        assert control.heard["first-folder"] == "2"  # the sandbox's own authority and Pebble's root
    finally:
        hosts.close()
    later = hosts_of(tmp_path, control)  # the whole sandbox was away; Pebble has another root now
    try:
        later.boot(MACHINE, "post", str(later.network[10]), "")
        until(lambda: "second-again" in control.heard)
        assert expected(later, "second").items() <= control.heard.items()
        assert control.heard["second-folder"] == "3"
    finally:
        later.close()
