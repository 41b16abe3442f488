"""What goes wrong on a host and around it; each ends with its block."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager

from tests.agent.mail.whole_host import WholeHost

KILL = """before=$(systemctl show -P InvocationID "$0")
systemctl kill --kill-whom=all --signal=KILL "$0"
for time in $(seq 600); do
  [ "$(systemctl show -P InvocationID "$0")" != "$before" ] && systemctl is-active -q "$0" && exit
  sleep 0.2
done
systemctl status "$0"
exit 1"""
# A mask of this boot only (in /run) gives way to a unit that stands in /etc, as one of ours does; a condition holds for all,
# but is not looked at when systemd starts again by itself.
BURY = """set -e
for unit in "$@"; do
  mkdir -p "/run/systemd/system/$unit.d"
  printf '[Unit]\\nConditionPathExists=/resurrection\\n[Service]\\nRestart=no\\n' >"/run/systemd/system/$unit.d/zz-dead.conf"
done
systemctl daemon-reload
systemctl kill --kill-whom=all --signal=KILL "$@"
"""
RAISE = """for unit in "$@"; do rm -f "/run/systemd/system/$unit.d/zz-dead.conf"; done
systemctl daemon-reload"""
# All that is left to anybody, root too; what is written meanwhile may find the last byte before us.
FILL = 'fallocate -l $(($(stat -f -c "%f * %S" /))) /var/filler || cat /dev/zero >/var/filler 2>/dev/null || true'
LIBRARY = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"

TELL_THE_TIME = (  # not Redis and Rspamd, whose allocator and this library wait for each other
    "dovecot.service",
    "mailat-policy.service",
    "postfix.service",
    "nginx.service",
    "fail2ban.service",
    "mailat-agent.service",
)
AGENT = "/usr/local/lib/mailat/agent.pyz"
# A version of the agent with two faults that certain mailboxes bring out: one that Dovecot's own checker sees, and one that it
# does not.
FAULTS = {
    "checker@firm.test": ("port = 993", "port = nonsense"),
    "prober@firm.test": ("port = 993", "port = 1993"),
}
FAULTY = f"""
import os, zipfile
old = zipfile.ZipFile("{AGENT}")
with zipfile.ZipFile("{AGENT}.faulty", "w") as new:
    for name in old.namelist():
        text = old.read(name)
        if name.endswith("mail/dovecot.py"):
            text += b'''
_faultless = _configuration


def _configuration(mail, host):
    said = _faultless(mail, host)
    for box in mail.mailboxes:
        right, wrong = {FAULTS}.get(box.address, ("", ""))
        assert right in said
        said = said.replace(right, wrong)
    return said
'''
        new.writestr(name, text)
os.link("{AGENT}", "{AGENT}.good")
os.rename("{AGENT}.faulty", "{AGENT}")
"""


@contextmanager
def faulty_agent(host: WholeHost) -> Iterator[None]:
    """An agent that renders what some orders want wrongly, as a bad release would."""
    host.put("/root/faulty.py", FAULTY)
    host.run("python3", "/root/faulty.py")
    try:
        host.run("systemctl", "restart", "mailat-agent.service")
        yield
    finally:
        host.run("mv", f"{AGENT}.good", AGENT)
        host.run("systemctl", "restart", "mailat-agent.service")


def kill(host: WholeHost, unit: str) -> None:
    """Every process of a unit at once; returns when the unit runs again by itself."""
    host.run("sh", "-c", KILL, unit)


@contextmanager
def dead(host: WholeHost, *units: str) -> Iterator[None]:
    """They are killed, and nothing can start them."""
    host.run("sh", "-c", BURY, "sh", *units)
    try:
        yield
    finally:
        host.run("sh", "-c", RAISE, "sh", *units)


@contextmanager
def full_disk(host: WholeHost) -> Iterator[None]:
    """Nobody can write another byte."""
    host.run("sh", "-c", FILL)
    try:
        yield
    finally:
        host.run("rm", "-f", "/var/filler")


@contextmanager
def no_way(host: WholeHost, *rules: str) -> Iterator[None]:
    """What leaves the host and fits one of these rules of nftables is dropped or refused."""
    chain = "{ type filter hook output priority 0 ; " + " ; ".join(rules) + " ; }"
    host.run("nft", f"table inet disturbed {{ chain out {chain} ; }}")
    try:
        yield
    finally:
        with contextlib.suppress(AssertionError):
            host.run("nft", "delete", "table", "inet", "disturbed")


def have_faketime(host: WholeHost) -> None:
    """The library by which processes take another time of day for true; Debian's own package."""
    host.run("sh", "-c", f"[ -e {LIBRARY} ] || {{ apt-get -qq update && apt-get -qqy install libfaketime; }}")


@contextmanager
def later_for(host: WholeHost, unit: str, off: str) -> Iterator[None]:
    """For one unit of the host it is so much later, and for nobody else, not even for programs that it runs without its environment."""
    folder = f"/run/systemd/system/{unit}.d"
    wrong = f"LD_PRELOAD={LIBRARY} FAKETIME={off} FAKETIME_DONT_FAKE_MONOTONIC=1"
    host.run("mkdir", "-p", folder)
    host.put(f"{folder}/zz-later.conf", f"[Service]\nEnvironment={wrong}\n")
    try:
        host.run("sh", "-c", f"systemctl daemon-reload; systemctl restart {unit}")
        yield
    finally:
        host.run("sh", "-c", f"rm {folder}/zz-later.conf; systemctl daemon-reload; systemctl restart {unit}")


@contextmanager
def wrong_clock(host: WholeHost, off: str) -> Iterator[None]:
    """For the agent and for the mail daemons it is so much earlier or later; what waits by the monotonic clock does not notice."""
    wrong = (f"LD_PRELOAD={LIBRARY}", f"FAKETIME={off}", "FAKETIME_DONT_FAKE_MONOTONIC=1")
    host.run("systemctl", "set-environment", *wrong)
    try:
        host.run("systemctl", "restart", *TELL_THE_TIME)
        yield
    finally:
        host.run("systemctl", "unset-environment", *(word.partition("=")[0] for word in wrong))
        host.run("systemctl", "restart", *TELL_THE_TIME)
