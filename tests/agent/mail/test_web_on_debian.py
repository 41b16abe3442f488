"""On a real Debian host, with Let's Encrypt's own test server: chains that verify, webmail, and what mail programs ask."""

import os
import re
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.mailat_agent.mail.generations import KEPT
from tests.agent.mail.web_host import HOSTNAME, WebHost, make
from tests.agent.mail.webmail import DOVECOT, sign_in

ROOT = Path(__file__).parents[3]
SERVICES = ("mail", "webmail", "autoconfig", "autodiscover", "mta-sts")
POST = "<Autodiscover><Request><EMailAddress>alice@firm.test</EMailAddress></Request></Autodiscover>"
END_WORKERS = (
    'for each in /proc/[0-9]*; do ! grep -qs "pool webmail" $each/cmdline || kill ${each#/proc/}; done'
)

pytestmark = pytest.mark.root


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebHost]:
    """One host for all: each test asks for domains of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAILAT_CACHE", os.environ.get("MAILAT_CACHE") or str(ROOT / "var/cache"))
        host = make(tmp_path_factory.mktemp("web"))
        host.install_agent(tmp_path_factory.mktemp("packed"))
        host.order("apply")
        yield host
        host.close()


@pytest.fixture(scope="module")
def firm(host: WebHost) -> dict[str, dict[str, object]]:
    """Alice's domain, of which every name leads to the host; what the chore reported."""
    host.point(*(f"{service}.firm.test" for service in SERVICES))
    return host.turn(domains=[domain("firm.test", "enforce")])


def domain(name: str, mta_sts: str = "none") -> dict[str, object]:
    return {"name": name, "catch_all": None, "mta_sts": mta_sts}


def test_a_laptop_verifies_the_chain_of_every_name(host: WebHost, firm: dict[str, dict[str, object]]) -> None:
    assert [each["error"] for each in firm.values()] == ["", ""]
    assert firm["firm.test"]["names"] == sorted(f"{service}.firm.test" for service in SERVICES)
    assert "Pebble" in str(firm["firm.test"]["issuer"])

    assert host.ask(HOSTNAME)[0] == 200
    assert host.ask("webmail.firm.test")[0] == 200
    with pytest.raises(ssl.SSLError):
        host.ask("unknown.firm.test")
    assert host.ask("webmail.firm.test", Host="unknown.test")[0] == 421


@pytest.mark.usefixtures("firm")
def test_plain_http_leads_to_https_and_only_for_our_names(host: WebHost) -> None:
    status, fields = host.ask_plain("webmail.firm.test", "/?_task=mail")

    assert (status, fields["location"]) == (301, "https://webmail.firm.test/?_task=mail")
    with pytest.raises(OSError):  # noqa: PT011 - the line is closed, in whatever way
        host.ask_plain("unknown.test")
    assert host.ask_plain("unknown.test", "/.well-known/acme-challenge/x")[0] == 404


@pytest.mark.usefixtures("firm")
def test_answers_forbid_what_browsers_need_not_do(host: WebHost) -> None:
    for name, path in ((HOSTNAME, "/"), ("mta-sts.firm.test", "/.well-known/mta-sts.txt")):
        status, fields, _ = host.ask(name, path)
        assert status == 200
        assert fields["strict-transport-security"] == "max-age=31536000"
        assert fields["x-content-type-options"] == "nosniff"
        assert fields["server"] == "nginx"
        assert "x-powered-by" not in fields
    assert "frame-ancestors 'self'" in host.ask(HOSTNAME)[1]["content-security-policy"]


@pytest.mark.usefixtures("firm")
def test_mail_programs_and_servers_find_their_documents(host: WebHost) -> None:
    told = [
        host.ask("autoconfig.firm.test", path)
        for path in ("/mail/config-v1.1.xml", "/.well-known/autoconfig/mail/config-v1.1.xml")
    ]
    assert [(status, fields["content-type"]) for status, fields, _ in told] == [(200, "text/xml")] * 2
    assert "<hostname>mail.firm.test</hostname>" in told[0][2]

    status, fields, policy = host.ask("mta-sts.firm.test", "/.well-known/mta-sts.txt")
    assert (status, fields["content-type"]) == (200, "text/plain")
    assert f"mode: enforce\r\nmx: {HOSTNAME}\r\n" in policy

    _, fields, _ = host.ask("autoconfig.firm.test", "/apple.mobileconfig")
    assert fields["content-type"] == "application/x-apple-aspen-config"


@pytest.mark.usefixtures("firm")
@pytest.mark.parametrize("path", ["/autodiscover/autodiscover.xml", "/Autodiscover/Autodiscover.XML"])
@pytest.mark.parametrize("name", ["autodiscover.firm.test", HOSTNAME])
def test_outlook_gets_the_address_that_it_posts_as_the_name_to_sign_in_with(
    host: WebHost, name: str, path: str
) -> None:
    status, fields, text = host.ask(name, path, "POST", POST)

    assert (status, fields["content-type"]) == (200, "text/xml; charset=utf-8")
    assert text.count("<LoginName>alice@firm.test</LoginName>") == 2
    assert "<Server>mail.firm.test</Server>" in text


@pytest.mark.usefixtures("firm")
@pytest.mark.parametrize(
    "asked",
    [
        "alice@elsewhere.test",
        "alice@../firm.test",
        "alice@firm.test/../firm.test",
        "&lt;x@firm.test",
        "x" * 300,
    ],
)
def test_outlook_learns_nothing_of_what_is_not_here(host: WebHost, asked: str) -> None:
    body = POST.replace("alice@firm.test", asked)

    assert host.ask(HOSTNAME, "/autodiscover/autodiscover.xml", "POST", body)[0] == 404


@pytest.mark.usefixtures("firm")
def test_outlook_that_asks_by_get_is_told_the_doors(host: WebHost) -> None:
    status, _, text = host.ask("autodiscover.firm.test", "/autodiscover/autodiscover.xml")

    assert (status, "LoginName" in text) == (200, False)


HIDDEN = """/config/config.inc.php /plugins/managesieve/config.inc.php /bin/gc.sh /installer/ /.htaccess
    /program/include/iniset.php /logs/errors.log /skins/elastic/meta.json /../../../etc/passwd"""


@pytest.mark.parametrize("path", HIDDEN.split())
def test_webmail_serves_nothing_but_its_front_door_and_what_browsers_need(host: WebHost, path: str) -> None:
    assert host.ask(HOSTNAME, path)[0] in (400, 404)
    assert host.ask(HOSTNAME, "/skins/elastic/styles/styles.min.css")[0] == 200


def test_a_name_is_served_once_it_leads_here(host: WebHost) -> None:
    host.point("webmail.late.test")
    wanted = [domain("late.test")]
    first = host.turn(domains=wanted)["late.test"]
    assert (first["names"], len(first["waiting"])) == (["webmail.late.test"], 4)

    host.point("mta-sts.late.test")
    second = host.turn(domains=wanted)["late.test"]
    assert second["names"] == ["mta-sts.late.test", "webmail.late.test"]
    assert "mode: none" in host.ask("mta-sts.late.test", "/.well-known/mta-sts.txt")[2]


def test_a_short_lived_certificate_is_renewed_and_shown(host: WebHost) -> None:
    host.point("webmail.brief.test")
    with pytest.MonkeyPatch.context() as patch, host.short_lived(30, patch) as directory:
        wanted = {"domains": [domain("brief.test")], "directory": directory}
        first = host.turn(**wanted)["brief.test"]
        assert first["error"] == ""
        shown = host.serial("webmail.brief.test")
        while time.time() < first["until"] - 9:  # Pebble takes a second off, so a third of the life is 9.7 s
            time.sleep(0.5)
        second = host.turn(**wanted)["brief.test"]

        assert second["until"] > first["until"]
        assert host.serial("webmail.brief.test") != shown


def test_an_acme_server_that_is_away_is_reported_in_words(host: WebHost) -> None:
    host.point("webmail.away.test")
    directory = f"https://{host.hosts.network[9]}/dir"
    said = host.turn(domains=[domain("away.test")], directory=directory)["away.test"]

    assert said["error"] == "the ACME server cannot be reached; it is asked again by itself"


def test_an_acme_server_that_cannot_reach_the_name_says_so_and_the_name_rests(host: WebHost) -> None:
    host.point("webmail.deaf.test")
    wall = f"table ip wall {{ chain in {{ type filter hook input priority 0; ip saddr {host.hosts.network[2]} tcp dport 80 reject; }}; }}"
    host.run("nft", wall)
    try:
        said = host.turn(domains=[domain("deaf.test")])["deaf.test"]
    finally:
        host.run("nft", "delete table ip wall")

    assert said["error"].startswith("webmail.deaf.test: the authority cannot fetch a file from it on port 80")
    assert (said["until"], said["waiting"].count("webmail.deaf.test")) == (0, 0)


def test_killed_between_order_and_adoption_the_certificate_is_not_ordered_twice(host: WebHost) -> None:
    host.point("webmail.killed.test")
    wanted = [domain("killed.test")]
    host.order("die", domains=wanted, check=False)
    place = host.root / "var/lib/mailat/mail/tls/.kept/killed.test"
    ordered = (place / "next/fullchain.pem").read_text()
    said = host.turn(domains=wanted)["killed.test"]

    assert said["names"] == ["webmail.killed.test"]
    assert (place / "1/fullchain.pem").read_text() == ordered
    assert host.ask("webmail.killed.test")[0] == 200


def test_the_pair_in_force_is_readable_to_root_alone_and_belongs_together(host: WebHost) -> None:
    home = host.root / "var/lib/mailat/mail/tls" / HOSTNAME
    assert (
        host.run("stat", "-Lc", "%a %U:%G", f"/var/lib/mailat/mail/tls/{HOSTNAME}/privkey.pem")
        == "640 root:root\n"
    )

    public = ["openssl", "pkey", "-pubout", "-in", str(home / "privkey.pem")]
    shown = ["openssl", "x509", "-pubkey", "-noout", "-in", str(home / "fullchain.pem")]
    assert (
        len({subprocess.run(each, capture_output=True, check=True).stdout for each in (public, shown)}) == 1
    )


def test_certbots_own_timer_is_off_because_the_chore_renews(host: WebHost) -> None:
    assert host.run("systemctl", "is-enabled", "certbot.timer", check=False).strip() == "disabled"


def test_at_rest_webmail_has_no_worker(host: WebHost) -> None:
    listed = host.run("ps", "-o", "args=", "-C", "php-fpm8.4")

    assert "master process" in listed
    assert "pool www" not in listed


@pytest.fixture
def dovecot(host: WebHost, firm: dict[str, dict[str, object]]) -> None:
    """Alice's mailbox, behind the host's own certificate."""
    host.order("apply", domains=[domain("firm.test")])
    host.wait_shown(firm)
    (host.root / "etc/dovecot/dovecot.conf").write_text(DOVECOT.replace("ADDRESS", host.address))
    (host.root / "etc/dovecot/users").write_text("alice@firm.test:{PLAIN}wonderland-9::::::\n")
    host.run("sh", "-c", "chgrp dovecot /etc/dovecot/users; chmod 777 /var/mail; systemctl restart dovecot")


@pytest.mark.usefixtures("dovecot")
def test_alice_signs_in_to_webmail_by_her_address_or_her_name_alone(host: WebHost) -> None:
    for user in ("alice@firm.test", "alice"):
        status, place, page = sign_in(host, user, "wonderland-9")
        assert status == 302
        assert "_task=mail" in place
        assert "alice@firm.test" in page


@pytest.mark.usefixtures("dovecot")
def test_webmail_stays_when_the_settings_that_it_began_with_are_long_gone(host: WebHost) -> None:
    kept = host.root / "var/lib/mailat/mail/generations"
    assert "_token" in host.ask("webmail.firm.test")[2]
    before = set(os.listdir(kept))
    for number in range(KEPT + 2):
        host.order("apply", domains=[domain("firm.test"), domain(f"firm-{number}.test")])

    assert before.isdisjoint(os.listdir(kept))
    assert "_token" in host.ask("webmail.firm.test")[2]
    host.run("sh", "-c", END_WORKERS)
    assert "_token" in host.ask("webmail.firm.test")[2]


@pytest.mark.usefixtures("dovecot")
def test_a_failed_login_is_logged_with_the_browsers_address_by_webmail_and_by_dovecot(host: WebHost) -> None:
    status, _, _ = sign_in(host, "alice@firm.test", "wrong")
    laptop = str(host.hosts.network[6])

    assert status == 401
    said = host.run("journalctl", "--identifier=roundcube", "--output=cat")
    assert re.search(
        rf"IMAP Error: Login failed for alice@firm.test against \S+ from {re.escape(laptop)}\.", said
    )
    said = host.run("journalctl", "--identifier=dovecot", "--output=cat")
    assert re.search(rf"auth failed.*rip={re.escape(laptop)},", said)
    assert "wrong" not in host.run("journalctl", "--identifier=roundcube", "--output=cat")
