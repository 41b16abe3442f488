"""The records that a domain needs, read back by another's reader of zones."""

import dns.rdatatype
import dns.zone
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains import records
from domains.models import Domain

FIRM = Domain(name="firm.test", mta_sts="testing")
HOST = "post.mailat.test"
KEY = "v=DKIM1; k=rsa; p=" + "MIIBIjANBgkqhkiG9w0B" * 20
DKIM = {"selector": "mailat", "txt": KEY}
FOUND = {row.purpose: row for row in records.records(FIRM, HOST, DKIM)}


def read(text: str) -> dns.zone.Zone:
    return dns.zone.from_text(text, origin="firm.test.", relativize=False, check_origin=False)


def values(zone: dns.zone.Zone, name: str, kind: str) -> list[str]:
    found = zone.get_rdataset(name, kind)
    return sorted(one.to_text() for one in found) if found else []


def test_the_zone_says_what_the_list_says() -> None:
    rows = list(FOUND.values())
    zone = read(records.zone(rows))
    for row in rows:
        found = zone.get_rdataset(f"{row.name}.", row.type)
        assert found is not None
        texts = [b"".join(one.strings).decode() if row.type == "TXT" else one.to_text() for one in found]
        assert row.value in texts
    assert sum(len(one) for _name, one in zone.iterate_rdatasets()) == len(rows)


@pytest.mark.parametrize(
    ("purpose", "kind", "name", "value"),
    [
        ("mx", "MX", "firm.test", "10 post.mailat.test."),
        ("spf", "TXT", "firm.test", "v=spf1 mx include:amazonses.com ~all"),
        ("dkim", "TXT", "mailat._domainkey.firm.test", KEY),
        ("dmarc", "TXT", "_dmarc.firm.test", "v=DMARC1; p=none; rua=mailto:postmaster@firm.test"),
        ("mail", "CNAME", "mail.firm.test", "post.mailat.test."),
        ("webmail", "CNAME", "webmail.firm.test", "post.mailat.test."),
        ("autoconfig", "CNAME", "autoconfig.firm.test", "post.mailat.test."),
        ("autodiscover", "CNAME", "autodiscover.firm.test", "post.mailat.test."),
        ("mta-sts", "CNAME", "mta-sts.firm.test", "post.mailat.test."),
        ("tls-reports", "TXT", "_smtp._tls.firm.test", "v=TLSRPTv1; rua=mailto:postmaster@firm.test"),
        ("srv-imaps", "SRV", "_imaps._tcp.firm.test", "0 1 993 post.mailat.test."),
        ("srv-submissions", "SRV", "_submissions._tcp.firm.test", "0 1 465 post.mailat.test."),
        ("srv-submission", "SRV", "_submission._tcp.firm.test", "0 1 587 post.mailat.test."),
        ("srv-autodiscover", "SRV", "_autodiscover._tcp.firm.test", "0 1 443 post.mailat.test."),
    ],
)
def test_what_is_needed_is_there_with_words_why(purpose: str, kind: str, name: str, value: str) -> None:
    row = FOUND[purpose]
    assert (row.type, row.name, row.value) == (kind, name, value)
    assert row.why.endswith(".")


def test_nothing_else_is_asked_for() -> None:
    assert len(FOUND) == 15
    assert next(iter(FOUND)) == "mx"


def test_before_there_is_a_key_its_record_is_left_out() -> None:
    purposes = [row.purpose for row in records.records(FIRM, HOST, None)]
    assert "dkim" not in purposes
    assert len(purposes) == len(FOUND) - 1


def policy(mode: str, host: str = HOST) -> str:
    rows = records.records(Domain(name="firm.test", mta_sts=mode), host, DKIM)
    return next(row.value for row in rows if row.purpose == "mta-sts-policy")


def test_the_policys_id_changes_exactly_when_the_policy_does() -> None:
    policies = [
        policy(mode, host) for mode in ("none", "testing", "enforce") for host in (HOST, "new.mailat.test")
    ]
    assert len(set(policies)) == 6
    assert policy("testing") == policy("testing")
    prefix, _, number = policy("enforce").partition("id=")
    assert prefix == "v=STSv1; "
    assert number.isalnum()
    assert len(number) <= 32


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=900))
def test_a_text_of_any_length_comes_back_whole(text: str) -> None:
    row = records.Record("x", "TXT", "a.firm.test", text, "")
    (found,) = read(records.zone([row])).get_rdataset("a.firm.test.", dns.rdatatype.TXT)
    assert b"".join(found.strings).decode() == text
    assert all(len(one) <= 255 for one in found.strings)
