"""A host whose certbot, resolver and systemctl are small scripts over a few files; keys, chains and openssl are real."""

import functools
import http.server
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from agent.mailat_agent.mail import acme, certificates, state, tls
from agent.mailat_agent.mail.chore import Situation
from agent.mailat_agent.mail.part import Host
from tests.agent.mail.authority import Authority
from tests.agent.orders import mail

ROOT = Path(__file__).parents[3]
HOSTNAME, ADDRESS = "post.servers.test", "192.0.2.7"
PROGRAMS = {
    "certbot": """
        echo "certbot $*" >>"$ACME_HOST/log"
        while test $# -gt 0; do
            case $1 in --csr) csr=$2;; --fullchain-path) chain=$2;; --config-dir) mkdir -p "$2/accounts";; esac
            shift
        done
        test -e "$ACME_HOST/refusal" && { cat "$ACME_HOST/refusal" >&2; exit 1; }
        exec "$ACME_HOST/python" -m tests.agent.mail.authority "$ACME_HOST/authority" "$csr" "$chain" """,
    "getent": """
        while test $# -gt 1; do shift; done
        grep "^$1 " "$ACME_HOST/names" | while read -r _ address; do echo "$address STREAM $1"; done""",
    "systemctl": """
        echo "systemctl $*" >>"$ACME_HOST/log"
        test ! -e "$ACME_HOST/systemd-refuses" """,
}


class AcmeHost:
    """Alice's server: which names lead to it, what its authority says, and what its daemons were told."""

    def __init__(self, home: Path, patch: pytest.MonkeyPatch) -> None:
        self.place, self.host = home / "host", Host(HOSTNAME, (ADDRESS,), home / "mail")
        self.changes = 0
        self.clock = time.time()
        (self.place / "bin").mkdir(parents=True)
        (self.place / "python").symlink_to(sys.executable)
        for name, script in PROGRAMS.items():
            self.program(name, script)
        patch.setenv("PATH", f"{self.place / 'bin'}:{os.environ['PATH']}")
        patch.setenv("ACME_HOST", str(self.place))
        patch.setattr(tls, "AUTHORITIES", str(self.place / "roots"))
        patch.setattr(certificates.time, "time", lambda: self.clock)
        self.web = _web(self.host.home / acme.WEBROOT)
        patch.setattr(acme, "DOOR", self.web.server_address)
        self.names: dict[str, str] = {}
        self.point(HOSTNAME)
        self.authority = Authority()
        self.trust(self.authority)

    def program(self, name: str, script: str) -> None:
        """Put a script in the place of one of the host's programs."""
        program = self.place / "bin" / name
        program.write_text(f"#!/bin/sh\nset -u\ncd {ROOT}\n{script}\n")
        program.chmod(0o755)

    def point(self, *names: str, to: str = ADDRESS) -> None:
        """Let names lead to an address."""
        self.names |= dict.fromkeys(names, to)
        (self.place / "names").write_text("".join(f"{name} {each}\n" for name, each in self.names.items()))

    def trust(self, authority: Authority) -> None:
        (self.place / "roots").write_text(authority.roots())
        self.issue_by(authority)

    def issue_by(self, authority: Authority) -> None:
        authority.write(self.place / "authority")

    def refuse(self, said: str) -> None:
        (self.place / "refusal").write_text(said)

    def accept(self) -> None:
        (self.place / "refusal").unlink()

    def turn(self, **changes: object) -> dict[str, dict[str, Any]]:
        """One turn of the chore; its reports by name."""
        said = certificates.run(self.situation(**changes))
        return {each["name"]: each for each in said["certificates"]}

    def situation(self, **changes: object) -> Situation:
        return Situation(state.read(mail(**{"mailboxes": [], **changes})), self.host, self._changed)

    def _changed(self) -> None:
        self.changes += 1

    def orders(self) -> int:
        """How often the ACME server was asked."""
        return sum(line.startswith("certbot ") for line in self.log())

    def reloads(self) -> int:
        return sum("try-reload-or-restart" in line for line in self.log())

    def log(self) -> list[str]:
        path = self.place / "log"
        return path.read_text().splitlines() if path.exists() else []

    def chain(self, name: str = HOSTNAME) -> str:
        return self.host.certificate(name)[0].read_text()

    def close(self) -> None:
        """End its web server."""
        self.web.shutdown()
        self.web.server_close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


def _web(folder: Path) -> http.server.ThreadingHTTPServer:
    folder.mkdir(parents=True)
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    threading.Thread(target=web.serve_forever, args=[0.02], daemon=True).start()
    return web
