"""On a real host: the mail system comes into force, heals itself, goes back from what is broken, and keeps guessers out."""

import contextlib
import imaplib
import json
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox.internet.addresses import ATTACKER
from tests.agent.mail.whole_host import Report, WholeHost
from tests.agent.orders import mailbox

AGENT = "/usr/local/lib/mailat/agent.pyz"
DAEMONS = ("postfix", "dovecot", "rspamd", "nginx", "fail2ban", "redis-server", "postsrsd")
# Another version of the agent, whose template for Dovecot says something else.
CHANGE_THE_AGENT = f"""
import os, zipfile
old = zipfile.ZipFile("{AGENT}")
with zipfile.ZipFile("{AGENT}.new", "w") as new:
    for name in old.namelist():
        text = old.read(name)
        if name.endswith("templates/dovecot/dovecot.conf"):
            assert b"BEFORE" in text
            text = text.replace(b"BEFORE", b"AFTER")
        new.writestr(name, text)
os.rename("{AGENT}", "{AGENT}.good")
os.rename("{AGENT}.new", "{AGENT}")
"""
PATIENCE = 120.0  # seconds on a busy machine

pytestmark = pytest.mark.root


@pytest.fixture(scope="module")
def host(whole: WholeHost) -> WholeHost:
    """A server whose mail system is in force."""
    whole.begin()
    return whole


def well(mail: Report) -> bool:
    """Whether every door answers."""
    return bool(mail.get("probes")) and not any(mail["probes"].values())


def obey(host: WholeHost, *addresses: str) -> list[dict[str, str]]:
    """Order these mailboxes; returns what was not done."""
    host.want(mailboxes=[mailbox(address) for address in addresses])
    return host.undone()


def in_force(host: WholeHost) -> int:
    return int(host.run("readlink", "/etc/mailat/mail").strip().rpartition("/")[2])


def restart_the_agent(host: WholeHost) -> None:
    host.run("systemctl", "restart", "mailat-agent.service")


@contextlib.contextmanager
def another_agent(host: WholeHost, before: str, after: str) -> Iterator[None]:
    """For as long as the block, one runs that says `after` instead of `before`."""
    host.put("/root/change.py", CHANGE_THE_AGENT.replace("BEFORE", before).replace("AFTER", after))
    host.run("python3", "/root/change.py")
    try:
        restart_the_agent(host)
        yield
    finally:
        host.run("mv", f"{AGENT}.good", AGENT)
        restart_the_agent(host)


def test_everything_is_in_force_and_all_doors_answer(host: WholeHost) -> None:
    assert obey(host, "alice@firm.test") == []

    mail = host.wait(well)

    assert mail["generation"] == in_force(host)
    assert set(mail["probes"]) == {"smtp", "submission", "submissions", "imaps", "sieve", "https", "lmtp"}
    assert set(mail["queue"]) == {"active", "deferred", "hold", "oldest", "why"}
    assert mail["bans"]["now"] == 0
    assert "errors" not in mail
    assert (
        host.run("postconf", "-hc", "/etc/mailat/mail/postfix", "myhostname").strip() == "post.servers.test"
    )


def test_a_new_mailbox_takes_mail_and_one_that_is_gone_does_not(host: WholeHost) -> None:
    assert obey(host, "alice@firm.test", "bob@firm.test") == []
    before = in_force(host)
    host.receive("a first one")

    assert obey(host, "alice@firm.test") == []
    assert in_force(host) == before + 1
    assert "bob@firm.test" not in host.run("doveadm", "user", "*")


def test_daemons_that_are_killed_are_there_again(host: WholeHost) -> None:
    units = [f"{daemon}.service" for daemon in DAEMONS]
    host.run("systemctl", "kill", "--signal=KILL", *units)
    killed = time.time()

    wait_until(lambda: set(host.run("systemctl", "is-active", *units, check=False).split()) == {"active"})
    assert obey(host, "alice@firm.test") == []
    host.wait(lambda mail: well(mail) and mail["probed_at"] > killed)


def test_rules_that_somebody_flushed_are_loaded_again_at_the_next_look(host: WholeHost) -> None:
    host.run("nft", "flush", "ruleset")
    flushed = time.time()

    assert obey(host, "alice@firm.test") == []
    host.wait(lambda mail: mail["probed_at"] > flushed)
    assert "policy drop" in host.run("nft", "list", "chain", "inet", "mailat", "input")


def test_what_somebody_changed_by_hand_is_made_right(host: WholeHost) -> None:
    host.run("sh", "-c", "echo 'mynetworks = 0.0.0.0/0' >> /etc/postfix/main.cf")
    before = in_force(host)

    restart_the_agent(host)
    host.wait(lambda mail: mail["generation"] == before + 1)

    assert "0.0.0.0/0" not in host.run("postconf", "-h", "mynetworks")


def test_a_broken_configuration_is_taken_back_by_itself_and_no_mail_is_lost(host: WholeHost) -> None:
    obey(host, "alice@firm.test")
    before = in_force(host)
    with another_agent(host, "port = 993", "port = 1993"):
        mail = host.wait(lambda mail: mail["taken_back"])

        assert mail["taken_back"]["why"].startswith("imaps no longer works: nobody answers")
        assert (mail["generation"], in_force(host)) == (before, before)
        host.receive("while it was broken")
        wait_until(lambda: "while it was broken" in host.subjects())
        undone = host.control.reports[-1]["undone"]
        assert [each["what"] for each in undone] == ["mail"]
        assert "was taken back: imaps no longer works" in undone[0]["why"]

    assert obey(host, "alice@firm.test", "carol@firm.test") == []
    host.wait(lambda mail: mail["taken_back"] is None and mail["generation"] > before)


def test_what_its_checker_refuses_never_comes_into_force(host: WholeHost) -> None:
    before = in_force(host)
    with another_agent(host, "port = 993", "port = 993\\nnonsense = yes"):
        report = host.control.wait_for_report(
            lambda said: any("nonsense" in each["why"] for each in said["undone"])
        )

    assert report["undone"][0]["why"].startswith("dovecot: doveconf: Fatal:")
    assert in_force(host) == before


def test_an_administrator_goes_back_by_hand(host: WholeHost) -> None:
    earlier = in_force(host)
    assert obey(host, "alice@firm.test", "dave@firm.test") == []
    later = in_force(host)
    host.put("/var/lib/mailat/mail/held", f"{earlier}\n")
    restart_the_agent(host)
    host.wait(lambda mail: mail["generation"] == earlier)
    assert later > earlier

    host.run("rm", "/var/lib/mailat/mail/held")
    restart_the_agent(host)
    host.wait(lambda mail: mail["generation"] > later and well(mail))


def test_who_guesses_passwords_is_banned_and_that_is_reported(host: WholeHost) -> None:
    guess(host, 7)
    wait_until(lambda: not is_let_in(host))
    assert obey(host, "alice@firm.test") == []

    mail = host.wait(lambda mail: mail["bans"]["now"])

    assert mail["bans"]["latest"][0]["jail"] == "dovecot"
    assert mail["bans"]["latest"][0]["address"] == str(host.hosts.network[ATTACKER])
    host.run("fail2ban-client", "unban", "--all")
    assert is_let_in(host)


def guess(host: WholeHost, times: int) -> None:
    """Somebody tries wrong passwords, all at once, since each that follows another is made to wait longer."""

    def one(_number: int) -> None:
        with (
            contextlib.suppress(imaplib.IMAP4.error, OSError),
            knock(host) as door,
        ):  # the last find it closed
            door.login("alice@firm.test", "guess")

    def work() -> None:
        with ThreadPoolExecutor(times) as pool:
            list(pool.map(one, range(times)))

    host.at(ATTACKER, work)


def is_let_in(host: WholeHost) -> bool:
    """Whether the door still opens for whoever guesses."""

    def work() -> bool:
        try:
            with knock(host):
                return True
        except OSError:
            return False

    return host.at(ATTACKER, work)


def knock(host: WholeHost) -> imaplib.IMAP4_SSL:
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    return imaplib.IMAP4_SSL(host.address, timeout=60, ssl_context=trusting)


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_only_what_mail_needs_is_open(host: WholeHost) -> None:
    listening = json.loads(host.run("nft", "--json", "list", "chain", "inet", "mailat", "input"))
    opened = [
        word["match"]["right"]["set"]
        for rule in listening["nftables"]
        for word in rule.get("rule", {}).get("expr", [])
        if word.get("match", {}).get("left") == {"payload": {"protocol": "tcp", "field": "dport"}}
    ]

    assert opened == [[25, 80, 443, 465, 587, 993, 4190]]


def test_it_outlives_a_power_cut(host: WholeHost, tmp_path: Path) -> None:
    host.hosts.halt(1)
    host.boot()

    host.wait(lambda mail: well(mail) and mail["generation"] == in_force(host))
    host.receive("after the power cut")
