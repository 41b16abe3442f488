"""What mail programs and other servers read about a domain is well formed, and names a server that can answer."""

import plistlib
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from agent.mailat_agent.mail import discovery, tls
from agent.mailat_agent.mail.part import Host
from agent.mailat_agent.mail.state import Domain
from tests.agent.mail.authority import Authority

FIRM = Domain("firm.test", None, "enforce")
OUTLOOK = "{http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a}"
# RFC 8461, section 3.2
POLICY = re.compile(
    r"version: *STSv1\r?\n(?:mode: *(?P<mode>testing|enforce|none)\r?\n)(?P<mx>(?:mx: *(?:\*\.)?[a-z0-9.-]+\r?\n)*)"
    r"max_age: *(?P<age>\d{1,10})(?:\r?\n)?"
)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host("post.servers.test", ("192.0.2.7",), tmp_path)


def certify(host: Host, name: str, *names: str) -> None:
    folder = tls.begin(host.home, name, names)
    (folder / tls.CHAIN).write_text(Authority().chain((folder / tls.REQUEST).read_bytes()))
    tls.adopt(host.home, name)


def settings(host: Host) -> list[dict[str, Any]]:
    """What Thunderbird reads: one dictionary for each way in and out."""
    root = ElementTree.fromstring(discovery.autoconfig(FIRM, host).encode())  # noqa: S314 - our own text
    assert (root.tag, root.get("version")) == ("clientConfig", "1.1")
    (provider,) = root.findall("emailProvider")
    assert [each.text for each in provider.findall("domain")] == ["firm.test"]
    servers = [each for each in provider if each.tag.endswith("Server")]
    return [{"type": one.get("type"), **{field.tag: field.text for field in one}} for one in servers]


def test_thunderbird_finds_every_door_by_tls_with_the_whole_address_as_name(host: Host) -> None:
    doors = [(one["type"], one["port"], one["socketType"]) for one in settings(host)]

    assert doors == [
        ("imap", "993", "SSL"),
        ("smtp", "465", "SSL"),
        ("smtp", "587", "STARTTLS"),
        ("managesieve", "4190", "STARTTLS"),
    ]
    assert {one["username"] for one in settings(host)} == {"%EMAILADDRESS%"}
    assert {one["hostname"] for one in settings(host)} == {"post.servers.test"}


def test_the_domains_own_name_is_given_out_once_its_certificate_has_it(host: Host) -> None:
    certify(host, "firm.test", "webmail.firm.test")
    assert {one["hostname"] for one in settings(host)} == {"post.servers.test"}

    certify(host, "firm.test", "mail.firm.test", "webmail.firm.test")
    assert {one["hostname"] for one in settings(host)} == {"mail.firm.test"}
    assert '<loginPage url="https://webmail.firm.test/"/>' in discovery.autoconfig(FIRM, host)


def test_outlook_finds_imap_and_smtp_by_tls(host: Host) -> None:
    text = discovery.autodiscover(FIRM, host)
    root = ElementTree.fromstring(text.encode())  # noqa: S314 - our own text
    (account,) = root.iter(f"{OUTLOOK}Account")
    told = [
        {field.tag.removeprefix(OUTLOOK): field.text for field in each}
        for each in account.iter(f"{OUTLOOK}Protocol")
    ]

    assert account.findtext(f"{OUTLOOK}Action") == "settings"
    assert [(one["Type"], one["Port"], one["SSL"]) for one in told] == [
        ("IMAP", "993", "on"),
        ("SMTP", "465", "on"),
    ]
    assert {one["Server"] for one in told} == {"post.servers.test"}
    assert text.count("<LoginName></LoginName>") == 2  # where the script writes who asked


def test_apples_profile_asks_on_the_device_who_it_is(host: Host) -> None:
    profile = plistlib.loads(discovery.apple_profile(FIRM, host).encode())
    (account,) = profile["PayloadContent"]

    assert (profile["PayloadType"], account["PayloadType"]) == ("Configuration", "com.apple.mail.managed")
    assert (
        account["IncomingMailServerHostName"] == account["OutgoingMailServerHostName"] == "post.servers.test"
    )
    assert (account["IncomingMailServerPortNumber"], account["OutgoingMailServerPortNumber"]) == (993, 465)
    assert account["IncomingMailServerUseSSL"] is account["OutgoingMailServerUseSSL"] is True
    assert not {"EmailAddress", "IncomingPassword", "IncomingMailServerUsername"} & account.keys()
    assert profile["PayloadUUID"] != account["PayloadUUID"]


def test_a_profile_keeps_its_identity_so_that_a_new_one_replaces_it(host: Host) -> None:
    other = Domain("other.test", None, "none")
    first, again, another = (
        plistlib.loads(discovery.apple_profile(domain, host).encode())["PayloadUUID"]
        for domain in (FIRM, FIRM, other)
    )

    assert first == again != another


@pytest.mark.parametrize(("mode", "age"), [("testing", 86400), ("enforce", 604800), ("none", 86400)])
def test_the_mta_sts_policy_follows_the_rfc(host: Host, mode: str, age: int) -> None:
    read = POLICY.fullmatch(discovery.sts_policy(Domain("firm.test", None, mode), host))

    assert read
    assert (read["mode"], int(read["age"])) == (mode, age)
    assert read["mx"].split() == ([] if mode == "none" else ["mx:", "post.servers.test"])
