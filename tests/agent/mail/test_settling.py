"""How daemons learn of a generation: what has just begun knows it, what ran before is told, and one that fails stops none."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from agent.mailat_agent.mail.generations import Store
from agent.mailat_agent.mail.part import File, Part
from agent.mailat_agent.mail.settling import Settling

# Units are files that hold their state; what is asked for stands in `asked`, and what is `hopeless` never starts.
SYSTEMCTL = """#!/bin/sh
here=$(dirname "$0")
[ "$1" = show ] || echo "$*" >>"$here/asked"
verb=$1
while [ $# -gt 0 ] && [ "$1" != -- ]; do shift; done
status=0
for unit in "$@"; do
  [ "$unit" != -- ] || continue
  case $verb in
    show) printf 'LoadState=loaded\\nUnitFileState=enabled\\nActiveState=%s\\n\\n' "$(cat "$here/$unit")";;
    start) if [ -e "$here/hopeless-$unit" ]; then echo "Job for $unit failed" >&2; status=1
      else echo active >"$here/$unit"; fi;;
  esac
done
exit $status
"""


class Small:
    """Three daemons of a host."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = Store(root / "lib", root / "etc/mailat/mail")
        self.parts = [self._part(name) for name in ("postfix", "firewall", "rspamd")]
        (root / "systemctl").write_text(SYSTEMCTL)
        (root / "systemctl").chmod(0o755)
        for part in self.parts:
            self.is_now(part.name, "inactive")

    def _part(self, name: str) -> Part:
        unit = f"{name}.service"
        told = ("sh", "-c", f"echo {name} >>{self.root}/told")
        again = ("systemctl", "reload-or-restart", unit)
        return Part(name=name, files=lambda _mail, _host: [], reload=(again, told), units=(unit,))

    def is_now(self, name: str, state: str) -> None:
        (self.root / f"{name}.service").write_text(f"{state}\n")

    def brings(self, text: str) -> dict[str, str]:
        """A generation in which every file says this; returns what failed."""
        user, group = self.root.owner(), self.root.group()
        files = {part.name: [File(f"{part.name}/conf", text, owner=user, group=group)] for part in self.parts}
        self.store.switch(self.store.stage(files))
        return Settling(self.parts, self.store).settle()

    def asked(self) -> list[str]:
        """What systemd was asked for since the last question, but for resets of failures."""
        path = self.root / "asked"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [line for line in lines if not line.startswith("reset-failed")]

    def told(self) -> Sequence[str]:
        path = self.root / "told"
        return path.read_text().split() if path.exists() else []


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Small:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return Small(tmp_path)


def test_all_begin_together_behind_the_firewall_and_read_their_files_once(small: Small) -> None:
    assert small.brings("one") == {}

    assert small.asked() == ["start -- firewall.service", "start -- postfix.service rspamd.service"]
    assert small.told() == ["firewall", "postfix", "rspamd"]


def test_a_firewall_that_ran_before_knows_its_rules_before_any_daemon_begins(small: Small) -> None:
    small.is_now("firewall", "active")

    assert small.brings("one") == {}

    assert small.asked() == ["reload-or-restart firewall.service", "start -- postfix.service rspamd.service"]


def test_what_ran_before_is_told_and_what_was_down_begins(small: Small) -> None:
    small.brings("one")
    small.asked()
    small.is_now("rspamd", "failed")

    assert small.brings("two") == {}

    firewall, postfix = (f"reload-or-restart {name}.service" for name in ("firewall", "postfix"))
    assert small.asked() == [firewall, "start -- rspamd.service", postfix]


def test_one_that_cannot_begin_keeps_no_other_down_and_is_told_the_next_time(small: Small) -> None:
    (small.root / "hopeless-postfix.service").touch()

    assert small.brings("one") == {"postfix": "Job for postfix.service failed"}

    assert small.told() == ["firewall", "rspamd"]
    assert (small.root / "rspamd.service").read_text() == "active\n"
    (small.root / "hopeless-postfix.service").unlink()
    assert Settling(small.parts, small.store).settle() == {}
    assert small.told() == ["firewall", "rspamd", "postfix"]


def test_nothing_is_asked_twice_where_all_is_as_it_should_be(small: Small) -> None:
    small.brings("one")
    small.asked()

    assert Settling(small.parts, small.store).settle() == {}

    assert small.asked() == []


def test_a_process_killed_before_it_noted_what_began_tells_it_again(small: Small) -> None:
    small.brings("one")
    small.asked()
    running = json.loads((small.store.home / "running.json").read_text())
    del running["rspamd"]
    (small.store.home / "running.json").write_text(json.dumps(running))

    assert Settling(small.parts, small.store).settle() == {}

    assert small.asked() == ["reload-or-restart rspamd.service"]
