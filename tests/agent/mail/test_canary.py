"""The canary: which way it goes, how often, what counts as a miss, and what it says when it does not come back."""

import json
import smtplib
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.mailat_agent.mail import canary, flight, mx, state
from agent.mailat_agent.mail.canary import Log
from agent.mailat_agent.mail.chore import Situation
from agent.mailat_agent.mail.flight import Failed, Landed, Way
from agent.mailat_agent.mail.part import Host
from tests.agent.mail.name_server import NameServer
from tests.agent.orders import mail

RELAY = {
    "host": "email-smtp.eu-central-1.amazonaws.com",
    "port": 587,
    "username": "AKIA" + "X" * 16,
    "sealed": "A" * 100,
    "sender": "post@firm.test",
}
FIRM = {"name": "firm.test", "catch_all": None, "mta_sts": "none"}
DIRECT = Way("direct", "canary@post.servers.test", "canary@post.servers.test")


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host("post.servers.test", ("192.0.2.10",), tmp_path, canary_password="p" * 64)


def situation(host: Host, **changes: object) -> Situation:
    return Situation(state.read(mail(**{"canary_every": 300, **changes})), host)


def miss(log: Log, monkeypatch: pytest.MonkeyPatch, at: float, *late: str) -> None:
    monkeypatch.setattr(canary.time, "time", lambda: at)
    failure = Failed("did not arrive within 60 s")
    failure.late = frozenset(late)
    canary._missed(log, DIRECT, failure)


def come(log: Log, *late: str) -> None:
    log.missing.append("t")
    canary._came(log, DIRECT, "t", Landed(0.2034, frozenset(late)))


def test_the_password_is_made_once_and_belongs_to_root_alone(tmp_path: Path) -> None:
    home = tmp_path / "mail"
    made = canary.password(home)

    assert len(made) == 64
    assert canary.password(home) == made
    assert stat.S_IMODE((home / "canary.secret").stat().st_mode) == 0o600


def test_the_password_is_in_no_text_of_the_host(host: Host) -> None:
    assert "p" * 64 not in repr(host)


def test_without_a_way_out_it_goes_directly_in_its_own_name(host: Host) -> None:
    way = canary.choose_way(situation(host).mail, host)
    assert way == Way("direct", "canary@post.servers.test", "canary@post.servers.test")


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    """The name server that this host asks."""
    server = NameServer({})
    (tmp_path / "resolv.conf").write_text("search test\nnameserver 127.0.0.1\n")
    monkeypatch.setattr(mx, "RESOLV", tmp_path / "resolv.conf")
    monkeypatch.setattr(mx, "PORT", server.port)
    yield server
    server.close()


def test_by_the_relay_it_goes_in_the_name_that_ses_accepts(host: Host, names: NameServer) -> None:
    names.exchangers["firm.test"] = [(10, "elsewhere.invalid")]
    wanted = situation(host, relay=RELAY, domains=[FIRM]).mail
    assert canary.choose_way(wanted, host) == Way("relay", "post@firm.test", "canary@post.servers.test")


def test_where_the_domains_mail_comes_here_it_takes_the_customers_whole_way(
    host: Host, names: NameServer
) -> None:
    names.exchangers["firm.test"] = [(20, "backup.invalid"), (10, "post.servers.test")]
    wanted = situation(host, relay=RELAY, domains=[FIRM]).mail
    assert canary.choose_way(wanted, host) == Way("relay", "post@firm.test", "mailat-canary@firm.test")


def test_a_domain_that_was_removed_is_not_relied_upon(host: Host, names: NameServer) -> None:
    names.exchangers["firm.test"] = [(10, "post.servers.test")]
    way = canary.choose_way(situation(host, relay=RELAY, domains=[], mailboxes=[]).mail, host)
    assert way.recipient == "canary@post.servers.test"


def test_it_is_eager_until_one_came_back_and_then_as_told(host: Host) -> None:
    log = Log()
    assert canary.every(situation(host)) == 10
    come(log)
    log.write(host.home)
    assert canary.every(situation(host)) == 300


def test_it_is_eager_again_after_a_boot(host: Host) -> None:
    log = Log()
    come(log)
    log.boot = "another boot"
    log.write(host.home)
    assert canary.every(situation(host)) == 10


def test_it_never_floods(host: Host) -> None:
    paces = []
    for tries in range(14):
        Log(misses=2, error="refused", tries=tries).write(host.home)
        paces.append(canary.every(situation(host)))
    assert paces == [10] * 7 + [20, 40, 80, 160, 300, 300, 300]


def test_failures_in_one_minute_are_one_miss(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log()
    for at, misses in ((1000, 1), (1010, 1), (1050, 1), (1061, 2), (1070, 2), (1130, 3)):
        miss(log, monkeypatch, at)
        assert (at, log.misses) == (at, misses)


def test_a_clock_that_was_set_back_does_not_stop_the_count(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log()
    miss(log, monkeypatch, 9000)
    miss(log, monkeypatch, 1000)
    assert log.misses == 2


def test_one_that_came_back_ends_the_row_of_misses(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log()
    miss(log, monkeypatch, 1000)
    miss(log, monkeypatch, 2000)
    assert (log.seconds, log.misses, log.error) == (None, 2, "did not arrive within 60 s")
    come(log)
    assert (log.seconds, log.misses, log.error, log.well()) == (0.203, 0, "", True)


def test_those_that_come_late_are_counted_as_late_once_and_not_as_success(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = Log(missing=["a", "b"])
    miss(log, monkeypatch, 1000, "a", "from before")
    assert (log.late, log.misses, log.missing) == (1, 1, ["b"])
    come(log, "a", "b")
    assert (log.late, log.missing) == (2, [])


def test_misses_outlive_the_agent(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log()
    miss(log, monkeypatch, 1000)
    log.write(host.home)
    assert Log.read(host.home) == log


@pytest.mark.parametrize("text", ["", "{", "[]", '{"misses": 3, "from a later version": 1}'])
def test_a_file_that_cannot_be_read_is_no_reason_to_stop(host: Host, text: str) -> None:
    (host.home / "canary.json").write_text(text)
    assert Log.read(host.home).misses in (0, 3)


def test_a_host_where_nothing_answers_says_so_and_sends_nothing(host: Host) -> None:
    nobody = Host("localhost", (), host.home, canary_password="p")
    with socket.socket() as taken, pytest.MonkeyPatch.context() as patch:
        taken.bind(("127.0.0.1", 0))  # and nobody listens there
        port = taken.getsockname()[1]
        patch.setattr(flight, "IMAPS", port)
        said = canary.run(situation(nobody))
    assert said["canary"]["error"] == f"could not be read at port {port}: Connection refused"
    assert (said["canary"]["misses"], said["canary"]["seconds"], said["canary_seconds"]) == (1, None, None)
    assert json.loads((host.home / "canary.json").read_text())["tries"] == 1


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (smtplib.SMTPAuthenticationError(535, b"5.7.8 no"), "signing in failed: 535 5.7.8 no"),
        (smtplib.SMTPSenderRefused(553, b"5.7.1 not yours", "a@b.test"), "refused: 553 5.7.1 not yours"),
        (
            smtplib.SMTPDataError(554, b"5.7.1 line\r\nand \x1b[31mline"),
            "refused: 554 5.7.1 line and [31mline",
        ),
        (smtplib.SMTPRecipientsRefused({"a@b.test": (550, b"5.1.1 unknown")}), "refused: 550 5.1.1 unknown"),
        (TimeoutError("timed out"), "no answer"),
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (smtplib.SMTPServerDisconnected("Connection unexpectedly closed"), "Connection unexpectedly closed"),
    ],
)
def test_a_failure_is_told_in_the_servers_own_words(error: Exception, words: str) -> None:
    assert flight.in_words(error) == words
