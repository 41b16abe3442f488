"""Certificates are ordered when they are due and possible, replaced as a whole, and never asked for too often."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate

from agent.mailat_agent.mail import acme, attempts, certificates, selfsigned, tls
from tests.agent.mail.acme_host import HOSTNAME, AcmeHost
from tests.agent.mail.authority import Authority

UNREACHABLE = "An unexpected error occurred:\nValueError: Requesting acme.test/dir: Connection refused\n"
ABOUT_MAIL = """
Certbot failed to authenticate some domains (authenticator: webroot). The Certificate Authority reported these problems:
  Domain: mail.firm.test
  Type:   connection
  Detail: 192.0.2.7: Fetching http://mail.firm.test/.well-known/acme-challenge/x: Timeout

Hint: The Certificate Authority failed to download the temporary challenge files created by Certbot.
Some challenges have failed.
"""


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AcmeHost]:
    host = AcmeHost(tmp_path, monkeypatch)
    yield host
    host.close()
    said = "".join(host.log())
    assert "PRIVATE KEY" not in said


def belong_together(host: AcmeHost, name: str = HOSTNAME) -> bool:
    chain, key = (path.read_bytes() for path in host.host.certificate(name))
    private = load_pem_private_key(key, None)
    return load_pem_x509_certificate(chain).public_key() == private.public_key()


def test_a_host_has_a_certificate_of_its_own_making_before_any_authority_was_asked(host: AcmeHost) -> None:
    selfsigned.ensure(host.host)

    assert belong_together(host)
    assert tls.names_served(host.host.home, HOSTNAME) == {HOSTNAME}
    modes = [stat.S_IMODE(path.stat().st_mode) for path in host.host.certificate(HOSTNAME)]
    assert modes == [0o644, 0o640]
    before = host.chain()
    selfsigned.ensure(host.host)
    assert host.chain() == before


def test_what_the_host_made_itself_does_not_count_as_valid(host: AcmeHost) -> None:
    host.names.clear()
    host.point("elsewhere.test")
    said = host.turn()[HOSTNAME]

    assert (said["until"], said["names"], said["issuer"], said["error"]) == (0, [], "", "")
    assert said["waiting"] == [HOSTNAME]
    assert host.orders() == 0


def test_names_that_lead_here_are_certified_and_the_others_wait(host: AcmeHost) -> None:
    host.point("mail.firm.test", "webmail.firm.test")
    host.point("mta-sts.firm.test", to="198.51.100.9")
    said = host.turn()

    assert said[HOSTNAME]["names"] == [HOSTNAME]
    assert said["firm.test"]["names"] == ["mail.firm.test", "webmail.firm.test"]
    assert said["firm.test"]["waiting"] == [
        "autoconfig.firm.test",
        "autodiscover.firm.test",
        "mta-sts.firm.test",
    ]
    assert said["firm.test"]["issuer"] == "Test Intermediate"
    assert said["firm.test"]["error"] == ""
    assert said["firm.test"]["until"] > host.clock + 89 * 86400
    assert belong_together(host)
    assert belong_together(host, "firm.test")
    assert (host.orders(), host.changes, host.reloads()) == (2, 1, 1)


def test_a_name_of_which_one_address_is_not_ours_waits(host: AcmeHost) -> None:
    host.point("mail.firm.test")
    with (host.place / "names").open("a") as names:
        names.write("mail.firm.test 2001:db8::9\n")

    assert "mail.firm.test" in host.turn()["firm.test"]["waiting"]


def test_nothing_is_ordered_while_nothing_is_due(host: AcmeHost) -> None:
    host.turn()
    host.turn()

    assert (host.orders(), host.changes, host.reloads()) == (1, 1, 1)


def test_a_name_that_leads_here_later_is_added(host: AcmeHost) -> None:
    host.point("mail.firm.test")
    host.turn()
    host.point("webmail.firm.test")
    said = host.turn()

    assert said["firm.test"]["names"] == ["mail.firm.test", "webmail.firm.test"]
    assert host.changes == 2


@pytest.mark.parametrize("life", [90 * 86400, 6 * 86400, 3600])
def test_it_is_renewed_with_a_third_of_its_life_left(host: AcmeHost, life: float) -> None:
    host.authority.life = life
    host.issue_by(host.authority)
    host.turn()
    first = host.chain()
    begins = load_pem_x509_certificate(first.encode()).not_valid_before_utc.timestamp()
    host.clock = begins + life * 0.66
    host.turn()
    assert host.chain() == first

    host.clock = begins + life * 0.67
    host.turn()
    assert host.chain() != first
    assert belong_together(host)
    assert (host.orders(), host.reloads()) == (2, 2)


def test_what_nobody_trusts_any_more_is_replaced_but_not_again_and_again(host: AcmeHost) -> None:
    host.turn()
    (host.place / "roots").write_text(Authority().roots())
    said = host.turn()[HOSTNAME]

    assert said["until"] == 0
    assert "is not trusted" in said["error"]
    assert host.orders() == 2
    host.turn()
    assert host.orders() == 2


def test_an_acme_server_that_is_away_is_asked_at_most_four_times_in_any_hour(host: AcmeHost) -> None:
    host.refuse(UNREACHABLE)
    asked: list[float] = []
    for _ in range(5 * 60):
        before = host.orders()
        said = host.turn(domains=[])[HOSTNAME]
        asked += [host.clock] * (host.orders() - before)
        host.clock += 60

    assert said["error"] == "the ACME server cannot be reached; it is asked again by itself"
    assert len(asked) > 5
    assert all(later - sooner > 3600 for sooner, later in zip(asked, asked[4:], strict=False))
    host.accept()
    host.clock += 3600
    assert host.turn(domains=[])[HOSTNAME]["error"] == ""


def test_a_name_that_the_authority_cannot_reach_does_not_keep_the_others_from_theirs(host: AcmeHost) -> None:
    host.turn(domains=[])
    host.point("mail.firm.test", "webmail.firm.test")
    host.refuse(ABOUT_MAIL)
    said = host.turn()["firm.test"]
    assert said["error"].startswith("mail.firm.test: the authority cannot fetch a file from it on port 80")

    host.accept()
    said = host.turn()["firm.test"]
    assert said["names"] == ["webmail.firm.test"]
    assert said["error"].startswith("mail.firm.test: ")

    host.clock += 20
    said = host.turn()["firm.test"]
    assert (said["names"], said["error"]) == (["mail.firm.test", "webmail.firm.test"], "")


def test_another_acme_server_is_asked_at_once(host: AcmeHost) -> None:
    host.refuse(UNREACHABLE)
    host.turn(domains=[])
    host.accept()
    said = host.turn(domains=[], acme={"directory": "https://other.test/dir", "contact": "hi@firm.test"})

    assert said[HOSTNAME]["error"] == ""
    assert "--email hi@firm.test" in host.log()[1]


def test_a_pause_that_the_authority_asks_for_is_kept(host: AcmeHost) -> None:
    host.clock = 1_795_000_000.0
    host.refuse("Error creating new order :: too many certificates, retry after 2026-11-20 10:00:00 UTC\n")
    host.turn(domains=[])
    host.clock += 86400
    host.accept()
    host.turn(domains=[])
    assert host.orders() == 1

    host.clock += 2 * 86400
    host.turn(domains=[])
    assert host.orders() == 2


def test_no_order_is_wasted_while_the_web_server_is_down(host: AcmeHost) -> None:
    host.close()
    said = host.turn(domains=[])[HOSTNAME]

    assert said["error"] == "certificates wait for the web server, which does not answer on port 80"
    assert host.orders() == 0
    assert not list((host.host.home / "acme").rglob("trial-*"))


def test_an_account_that_the_server_forgot_is_made_anew(host: AcmeHost) -> None:
    host.refuse("An unexpected error occurred:\nAccount https://acme.test/my-account/1 not found.\n")
    host.turn(domains=[])

    assert not list((host.host.home / "certbot").glob("*/config/accounts"))


def test_killed_after_the_chain_came_it_is_put_in_force_without_another_order(host: AcmeHost) -> None:
    selfsigned.ensure(host.host)
    folder = tls.begin(host.host.home, HOSTNAME, [HOSTNAME])
    (folder / tls.CHAIN).write_text(host.authority.chain((folder / tls.REQUEST).read_bytes()))
    said = host.turn(domains=[])[HOSTNAME]

    assert said["names"] == [HOSTNAME]
    assert belong_together(host)
    assert (host.orders(), host.reloads()) == (0, 1)


@pytest.mark.parametrize("torn", ["", "-----BEGIN CERTIFICATE-----\nMIIB", "leaf"])
def test_killed_while_the_chain_was_written_it_is_ordered_again(host: AcmeHost, torn: str) -> None:
    folder = tls.begin(host.host.home, HOSTNAME, [HOSTNAME])
    chain = host.authority.chain((folder / tls.REQUEST).read_bytes())
    (folder / tls.CHAIN).write_text(chain[: chain.index("-----BEGIN", 5)] if torn == "leaf" else torn)
    host.turn(domains=[])

    assert host.orders() == 1
    assert belong_together(host)


def test_killed_before_the_symlink_was_set_it_is_set(host: AcmeHost) -> None:
    host.turn(domains=[])
    home = host.host.home
    shutil.copytree(tls.kept(home, HOSTNAME) / "1", tls.kept(home, HOSTNAME) / "2")
    host.turn(domains=[])

    assert os.readlink(home / "tls" / HOSTNAME) == f".kept/{HOSTNAME}/2"
    assert host.orders() == 1


def test_daemons_that_did_not_load_it_are_told_again(host: AcmeHost) -> None:
    refuses = host.place / "systemd-refuses"
    refuses.touch()
    assert "not every daemon loaded it" in host.turn(domains=[])[HOSTNAME]["error"]

    refuses.unlink()
    assert host.turn(domains=[])[HOSTNAME]["error"] == ""
    assert host.turn(domains=[])[HOSTNAME]["error"] == ""
    assert host.reloads() == 2


def test_it_comes_again_soon_only_while_something_is_missing(host: AcmeHost) -> None:
    situation = host.situation()
    selfsigned.ensure(host.host)
    assert certificates.every(situation) == certificates.MISSING

    host.turn()
    assert certificates.every(situation) == certificates.WAITING

    host.point(*(f"{service}.firm.test" for service in certificates.SERVICES))
    host.turn()
    assert certificates.every(situation) == certificates.RESTING


def test_a_clock_that_was_set_back_does_not_make_the_wait_longer(tmp_path: Path) -> None:
    kept = attempts.Attempts(tmp_path)
    kept.failed("mail.firm.test", "why", now=2_000_000_000.0)

    assert attempts.Attempts(tmp_path).pause("mail.firm.test", now=1_000.0) == attempts.wait(1)


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"a": 1}', '{"a": {"count": "x"}}'])
def test_a_damaged_memory_of_failures_is_forgotten(tmp_path: Path, damage: str) -> None:
    kept = attempts.Attempts(tmp_path)
    kept.failed("a", "why", now=0.0)
    kept.path.write_text(damage)

    assert attempts.Attempts(tmp_path).pause("a", now=0.0) == 0


def test_what_an_acme_server_says_is_repeated_only_in_part(tmp_path: Path) -> None:
    said = f"An unexpected error occurred:\n\x1b[31m{'x' * 5000}\n"
    refused = acme._refusal(tmp_path, acme.Acme("https://acme.test/dir", ""), said)

    assert "\x1b" not in refused.why
    assert len(refused.why) < 2 * acme.LONGEST
