"""The ACME server of the sandbox: Let's Encrypt's Pebble, which really visits the names that it certifies.

It forgets its accounts when it ends, as its makers want, and has new roots at every start.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import ssl
import time
import urllib.request

from sandbox.hosts.debian.machines import Machine
from sandbox.hosts.leashed import Leashed, tail
from sandbox.internet.addresses import ACME_NAME
from sandbox.internet.ca import Authority
from sandbox.internet.files import write_whole
from sandbox.internet.trust import Trust

DIRECTORY = f"https://{ACME_NAME}/dir"
ENV = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}
VALIDITY = 90 * 24 * 3600  # seconds, as at Let's Encrypt
MANAGEMENT = 15000
PATIENCE = 30.0  # seconds until its roots can be fetched


class PebbleError(Exception):
    """There is no ACME server; the text says why."""


def why_not() -> str:
    return "" if shutil.which("pebble") else "the program pebble is not installed (Debian package pebble)"


def validity() -> int:
    """How long its certificates last, in seconds: MAILAT_PEBBLE_VALIDITY, so that a renewal can be watched."""
    return int(os.environ.get("MAILAT_PEBBLE_VALIDITY") or VALIDITY)


class Pebble:
    """Runs on a machine of the hosts' network, as long as this object is not closed; its roots are trusted from then on."""

    def __init__(self, machine: Machine, dns_server: str, home: pathlib.Path, trust: Trust) -> None:
        if reason := why_not():
            raise PebbleError(reason)
        self._machine, self._log = machine, home / "internet" / "pebble.log"
        config = home / "internet" / "pebble.json"
        write_whole(config, json.dumps(_config(machine.address, home)).encode())
        command = ["pebble", "-config", str(config), "-dnsserver", f"{dns_server}:53"]
        self._log.write_bytes(b"")
        self._child = Leashed(machine.command(command), self._log, env={**os.environ, **ENV})
        try:
            trust.add(self._roots(trust))
        except BaseException:
            self._child.end()
            raise

    def _roots(self, trust: Trust) -> bytes:
        url = f"https://{self._machine.address}:{MANAGEMENT}/roots/0"
        known = ssl.create_default_context(cafile=str(trust.bundle))
        deadline = time.monotonic() + PATIENCE
        while self._child.running() and time.monotonic() < deadline:
            try:
                return self._machine.inside(lambda: _fetched(url, known))
            except OSError:
                time.sleep(0.05)
        raise PebbleError(f"pebble did not start: {tail(self._log, 3)}")

    def close(self) -> None:
        self._child.end()


def _fetched(url: str, known: ssl.SSLContext) -> bytes:
    direct = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=known)
    )
    with direct.open(url, timeout=PATIENCE) as answer:
        return bytes(answer.read())


def _config(address: str, home: pathlib.Path) -> dict[str, object]:
    leaf = Authority(home).leaf("acme", [ACME_NAME], [address])
    return {
        "pebble": {
            "listenAddress": f"{address}:443",
            "managementListenAddress": f"{address}:{MANAGEMENT}",
            "certificate": str(leaf.certificate.resolve()),
            "privateKey": str(leaf.key.resolve()),
            "httpPort": 80,
            "tlsPort": 443,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": False,
            "certificateValidityPeriod": validity(),
        }
    }
