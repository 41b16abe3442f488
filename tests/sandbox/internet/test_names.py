"""Names: entered one by one or as a zone, answered at once, and unknown without delay."""

from __future__ import annotations

import ipaddress
import json
import pathlib
import sqlite3

import dns.flags
import dns.message
import dns.rcode
import pytest

from sandbox.internet.names import Names
from sandbox.internet.nameserver import respond
from sandbox.internet.records import RecordError, record, zone

NETWORK = ipaddress.IPv4Network("10.77.9.0/24")
ZONE = """
firm.test.                    300 IN MX    10 post.servers.example.test.
firm.test.                        IN TXT   "v=spf1 include:amazonses.com ~all"
mailat._domainkey.firm.test.      IN TXT   ( "v=DKIM1; k=rsa; p=AAAA"
                                             "BBBB" )
_imaps._tcp.firm.test.            IN SRV   0 1 993 mail.firm.test.
firm.test.                        IN CAA   0 issue "letsencrypt.org"
mail.firm.test.                   IN CNAME post.servers.example.test.
$ORIGIN other.test.
@                                 IN A     10.77.9.20
www                               IN AAAA  fd00::1
"""


@pytest.fixture
def names(tmp_path: pathlib.Path) -> Names:
    return Names(tmp_path, NETWORK)


def ask(names: Names, name: str, kind: str, by_tcp: bool = False) -> dns.message.Message:
    return dns.message.from_wire(respond(names, dns.message.make_query(name, kind).to_wire(), by_tcp))


def said(answer: dns.message.Message) -> list[str]:
    return [f"{rrset.name} {rdata}" for rrset in answer.answer for rdata in rrset]


def test_a_zone_is_answered_as_it_was_pasted(names):
    names.add(zone(ZONE))
    assert said(ask(names, "firm.test", "MX")) == ["firm.test. 10 post.servers.example.test."]
    assert said(ask(names, "mailat._domainkey.firm.test", "TXT")) == [
        'mailat._domainkey.firm.test. "v=DKIM1; k=rsa; p=AAAA" "BBBB"'
    ]
    assert said(ask(names, "_imaps._tcp.firm.test", "SRV")) == [
        "_imaps._tcp.firm.test. 0 1 993 mail.firm.test."
    ]
    assert said(ask(names, "firm.test", "CAA")) == ['firm.test. 0 issue "letsencrypt.org"']
    assert said(ask(names, "other.test", "A")) == ["other.test. 10.77.9.20"]
    assert said(ask(names, "www.other.test", "AAAA")) == ["www.other.test. fd00::1"]


def test_an_alias_is_followed_and_capitals_mean_nothing(names):
    names.add(zone(ZONE))
    names.add([record("Post.Servers.Example.Test.", "a", "10.77.9.10")])
    assert said(ask(names, "MAIL.firm.test", "A")) == [
        "MAIL.firm.test. post.servers.example.test.", "post.servers.example.test. 10.77.9.10",
    ]  # fmt: skip


def test_an_alias_that_leads_to_itself_ends(names):
    names.add([record("a.test", "CNAME", "b.test"), record("b.test", "CNAME", "a.test")])
    assert len(said(ask(names, "a.test", "A"))) == 2


@pytest.mark.parametrize(
    "name", ["charlie.test", "4.3.2.127.zen.spamhaus.org", "mirror.example.test", "mail.outside.tes"]
)
def test_an_unknown_name_does_not_exist(names, name):
    answer = ask(names, name, "A")
    assert (answer.rcode(), said(answer)) == (dns.rcode.NXDOMAIN, [])
    assert answer.authority  # the time for which that may be remembered


def test_a_name_without_such_records_exists(names):
    names.add(zone(ZONE))
    for name, kind in (("firm.test", "AAAA"), ("_domainkey.firm.test", "TXT"), ("outside.test", "A")):
        answer = ask(names, name, kind)
        assert (answer.rcode(), said(answer)) == (dns.rcode.NOERROR, [])


def test_a_star_stands_for_names_that_are_not_there(names):
    names.add([record("*.w.test", "A", "10.77.9.11"), record("own.w.test", "TXT", "mine")])
    assert said(ask(names, "a.b.w.test", "A")) == ["a.b.w.test. 10.77.9.11"]
    assert said(ask(names, "own.w.test", "A")) == []


def test_a_text_of_any_length_is_kept_whole(names):
    long = "v=DKIM1; k=rsa; p=" + "x" * 400 + ' "quoted" \\ ü'
    names.add([record("t.test", "TXT", long)])
    (rrset,) = ask(names, "t.test", "TXT").answer
    assert b"".join(rrset[0].strings).decode() == long


def test_what_is_too_long_for_one_packet_is_asked_for_again(names):
    names.add([record("many.test", "TXT", f"{number} " + "x" * 200) for number in range(10)])
    assert ask(names, "many.test", "TXT").flags & dns.flags.TC
    assert len(said(ask(names, "many.test", "TXT", by_tcp=True))) == 10


def test_every_region_of_the_sending_service_has_a_name(names):
    for region in ("eu-west-1", "us-east-1", "xx-new-9"):
        assert said(ask(names, f"email-smtp.{region}.amazonaws.com", "A"))[0].endswith(" 10.77.9.3")


def test_machines_are_called_as_their_owners_said(names, tmp_path):
    with sqlite3.connect(tmp_path / "hetzner.sqlite") as db:
        db.execute("create table servers (id integer, ipv4 text, dns_ptr text, gone text)")
        told = json.dumps({"10.77.9.10": "post.servers.example.test"})
        db.executemany(
            "insert into servers values (?, ?, ?, ?)",
            [
                (1, "10.77.9.10", told, None),
                (2, "10.77.9.11", "{}", None),
                (3, "10.77.9.12", "{}", "2026-11-21"),
            ],
        )
    assert said(ask(names, "post.servers.example.test", "A"))[0].endswith(" 10.77.9.10")
    assert said(ask(names, "10.9.77.10.in-addr.arpa", "PTR"))[0].endswith(" post.servers.example.test.")
    provider = "static.11.9.77.10.clients.your-server.de"
    assert said(ask(names, "11.9.77.10.in-addr.arpa", "PTR"))[0].endswith(f" {provider}.")
    assert said(ask(names, provider, "A"))[0].endswith(" 10.77.9.11")
    assert ask(names, "12.9.77.10.in-addr.arpa", "PTR").rcode() == dns.rcode.NXDOMAIN


def test_what_was_entered_stands_before_what_was_there(names):
    names.add([record("outside.test", "MX", "10 elsewhere.test")])
    assert said(ask(names, "outside.test", "MX")) == ["outside.test. 10 elsewhere.test."]
    names.remove("outside.test", "MX")
    assert said(ask(names, "outside.test", "MX")) == ["outside.test. 10 mail.outside.test."]


@pytest.mark.parametrize(
    ("name", "kind", "value"),
    [
        ("a.test", "A", "10.1"),
        ("a.test", "SPF", "x"),
        ("a..test", "A", "10.0.0.1"),
        ("a.test", "MX", "mail.test"),
    ],
)
def test_what_is_no_record_is_refused(name, kind, value):
    with pytest.raises(RecordError):
        record(name, kind, value)


def test_a_zone_with_a_mistake_says_where():
    with pytest.raises(RecordError, match="before line"):
        zone("a.test. IN A 10.0.0.1\nb.test. IN A nowhere\n")


def test_noise_and_answers_are_not_answered(names):
    assert respond(names, b"noise", by_tcp=False) == b""
    answer = dns.message.make_response(dns.message.make_query("outside.test", "MX"))
    assert respond(names, answer.to_wire(), by_tcp=False) == b""
