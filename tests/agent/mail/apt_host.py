"""A host whose apt, dpkg and systemctl are small scripts over a few files: enough of Debian for the patch clock."""

import os
from pathlib import Path
from typing import Any

import pytest

from agent.mailat_agent.mail import daemons, kept, packages, patches, proof, state
from agent.mailat_agent.mail.chore import Situation
from agent.mailat_agent.mail.packages import Known
from agent.mailat_agent.mail.part import Host
from tests.agent.orders import mail

BAD = ("dovecot-core", "2.4-2")  # the package and version that keeps mail from working, where a test says so
PROGRAMS = {
    "dpkg-query": 'cat "$APT_HOST/installed"',
    "apt-get": """
        echo "apt-get $*" >>"$APT_HOST/log"
        test -e "$APT_HOST/apt-is-broken" && { echo "E: Unmet dependencies" >&2; exit 100; }
        for word; do case $word in *.deb) exec dpkg -i "$@";; esac; done
        exit 100""",
    "dpkg": """
        echo "dpkg $*" >>"$APT_HOST/log"
        for word; do case $word in *.deb)
            file=${word##*/} name=${file%%_*} rest=${file#*_} version=${rest%_*}
            sed "s/^$name\\t[^\\t]*/$name\\t$version/" "$APT_HOST/installed" >"$APT_HOST/new"
            mv "$APT_HOST/new" "$APT_HOST/installed";;
        esac; done""",
    "apt-mark": """
        test -e "$APT_HOST/dpkg-is-in-use" && { echo "E: Executing dpkg failed." >&2; exit 100; }
        for word; do
            case $word in hold|unhold) continue;; esac
            touch "$APT_HOST/held"; grep -vx "$word" "$APT_HOST/held" >"$APT_HOST/new" || true
            test "$1" = hold && echo "$word" >>"$APT_HOST/new"
            mv "$APT_HOST/new" "$APT_HOST/held"
        done""",
    "systemctl": """
        echo "systemctl $*" >>"$APT_HOST/log"
        test "$1" = is-active && echo active; true""",
    "systemd-run": 'while case $1 in --*) true;; *) false;; esac; do shift; done; exec "$@"',
    "postqueue": 'echo "postqueue $*" >>"$APT_HOST/log"',
}


class AptHost:
    """Alice's server: what is installed there, what breaks it, and what was done to it."""

    def __init__(self, home: Path, patch: pytest.MonkeyPatch) -> None:
        self.home, self.place, self.clock = home / "mail", home / "host", 1_795_000_000.0
        self.bad: set[tuple[str, str]] = set()  # package and version that keep mail from working
        self.dead: set[str] = set()  # probes that fail whatever is installed
        self.facts: list[Known] = []
        for folder in (self.home, self.place / "archives", self.place / "bin"):
            folder.mkdir(parents=True)
        for name, script in PROGRAMS.items():
            program = self.place / "bin" / name
            program.write_text(f"#!/bin/sh\nset -u\n{script}\n")
            program.chmod(0o755)
        patch.setenv("PATH", f"{self.place / 'bin'}:{os.environ['PATH']}")
        patch.setenv("APT_HOST", str(self.place))
        self._have_no_other_host(patch)

    def _have_no_other_host(self, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(kept, "APT_CACHE", self.place / "archives")
        patch.setattr(kept, "DPKG", self.place / "dpkg")
        patch.setattr(packages, "known", lambda also=(): self.facts)
        patch.setattr(packages, "busy", lambda: False)
        patch.setattr(packages, "applied_at", lambda name, arch: self.clock)
        patch.setattr(packages, "newest_release", lambda: None)  # the hour is unknown: no reboot
        patch.setattr(daemons, "units", lambda: ["postfix.service", "dovecot.service"])
        patch.setattr(patches, "CALM", -1.0)
        patch.setattr(proof, "SETTLED", -1.0)

    def install(self, **versions: str) -> None:
        """Put versions in place as unattended-upgrades does, and tell the agent as apt does; names' _ is a dash."""
        there = {
            **self.installed(),
            **{name.replace("_", "-"): version for name, version in versions.items()},
        }
        lines = [f"{name}\t{version}\t{name.split('-')[0]}\tall\tii " for name, version in there.items()]
        (self.place / "installed").write_text("\n".join(lines) + "\n")
        for name, version in there.items():
            (self.place / "archives" / kept.name(name, version, "all")).write_text(version)
        (self.home / "updated").write_text("")
        os.utime(self.home / "updated", (self.clock, self.clock))
        self.clock += 100

    def installed(self) -> dict[str, str]:
        path = self.place / "installed"
        lines = path.read_text().splitlines() if path.exists() else []
        return {name: version for name, version, *_ in (line.split("\t") for line in lines)}

    def held(self) -> list[str]:
        path = self.place / "held"
        return sorted(path.read_text().split()) if path.exists() else []

    def log(self) -> list[str]:
        path = self.place / "log"
        return path.read_text().splitlines() if path.exists() else []

    def probe(self, _situation: Situation) -> dict[str, str]:
        broken = [
            f"{name} {version}" for name, version in self.installed().items() if (name, version) in self.bad
        ]
        said = {"imaps": f"broken by {broken[0]}" if broken else "", "smtp": "", "https": ""}
        return said | dict.fromkeys(self.dead, "no answer")

    def agent(self) -> patches.Clock:
        """The patch clock of a process that was just started."""
        return patches.Clock(self.probe, lambda: self.clock)

    def situation(self) -> Situation:
        return Situation(state.read(mail()), Host("post.servers.test", (), self.home))


def look(host: AptHost, agent: patches.Clock | None = None) -> dict[str, Any]:
    """What a turn of the patch clock reports; of a process that was just started unless one is given."""
    said: dict[str, Any] = (agent or host.agent()).run(host.situation())["patches"]
    return said


def in_good_order(home: Path, patch: pytest.MonkeyPatch) -> AptHost:
    """A host looked at twice: once for what is there, once for what works."""
    host = AptHost(home, patch)
    host.install(dovecot_core="2.4-1", dovecot_imapd="2.4-1", postfix="3.10-1", vim="9-1")
    agent = host.agent()
    look(host, agent)
    look(host, agent)
    return host
