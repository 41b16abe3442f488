"""What may be called what; everything that is let through, the agent takes as well."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.mailat_agent.mail import state
from domains import names
from domains.refusals import BadName

DOMAINS = {
    "firm.test": "firm.test",
    "  Firm.Test. ": "firm.test",
    "mail.firm.co.uk": "mail.firm.co.uk",
    "bäckerei.example": "xn--bckerei-5wa.example",
    "BÄCKEREI.example": "xn--bckerei-5wa.example",
    "xn--bckerei-5wa.example": "xn--bckerei-5wa.example",
    "faß.example": "xn--fa-hia.example",
    "a-b.c1.example": "a-b.c1.example",
}
NO_DOMAINS = {
    "": "Type the domain",
    "localhost": "two parts or more",
    "192.0.2.7": "IP address",
    "2001:db8::1": "IP address",
    "[192.0.2.7]": "IP address",
    "anna@firm.test": "the domain alone",
    "https://firm.test/": "the domain alone",
    "firm.test:25": "the domain alone",
    "-firm.test": "no name that a domain can have",
    "firm-.test": "no name that a domain can have",
    "fi rm.test": "no name that a domain can have",
    "firm..test": "no name that a domain can have",
    "_dmarc.firm.test": "no name that a domain can have",
    "firm.7": "no name that a domain can have",
    "xn--ab.test": "no name that a domain can have",
    "a" * 64 + ".test": "no name that a domain can have",
    "☃.example": "no name that a domain can have",
    "firm.test\x00": "no name that a domain can have",
    ".".join(["a" * 60] * 4) + ".test": "at most 189 characters",
    "co.uk": "others register their names",
    "test": "two parts or more",
    "github.io": "others register their names",
    "mailat.test": "our own servers",
    "post.mailat.test": "our own servers",
    "POST.Mailat.Test.": "our own servers",
}


@pytest.mark.parametrize(("typed", "name"), DOMAINS.items())
def test_a_domain_is_kept_as_the_dns_knows_it(typed: str, name: str) -> None:
    assert names.good_domain(typed) == name


@pytest.mark.parametrize(("typed", "words"), NO_DOMAINS.items())
def test_what_is_no_domain_is_refused_in_words(typed: str, words: str) -> None:
    with pytest.raises(BadName, match=words) as caught:
        names.good_domain(typed)
    assert caught.value.field == "name"


def test_a_domain_above_that_of_our_servers_is_ours_too(settings: Any) -> None:
    settings.SERVER_DOMAIN = "servers.house.example"
    for name in ("house.example", "servers.house.example", "x.servers.house.example"):
        with pytest.raises(BadName, match="our own"):
            names.good_domain(name)
    assert names.good_domain("other.house.example") == "other.house.example"
    assert names.good_domain("myservers.house.example") == "myservers.house.example"


@pytest.mark.parametrize("local", ["anna", "Anna.Smith", "o'neill", "a_b-c+d", "7", "x" * 64])
def test_what_may_stand_before_the_at(local: str) -> None:
    assert names.good_local(f" {local} ") == local.lower()


@pytest.mark.parametrize(
    ("local", "words"),
    [
        ("", "before the @"),
        ("anna@firm.test", "letters from a to z"),
        ("anna smith", "letters from a to z"),
        (".anna", "A dot stands neither first"),
        ("anna.", "A dot stands neither first"),
        ("an..na", "nor beside another"),
        ("änna", "letters from a to z"),
        ("anna/../bob", "letters from a to z"),
        ("anna\nbob", "letters from a to z"),
        ("x" * 65, "at most 64"),
        ("canary", "our own checks"),
        ("Mailat-Canary", "our own checks"),
    ],
)
def test_what_may_not_stand_before_the_at(local: str, words: str) -> None:
    with pytest.raises(BadName, match=words):
        names.good_local(local)


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        (" Anna@Firm.Test ", "anna@firm.test"),
        ("a=b@bäckerei.example", "a=b@xn--bckerei-5wa.example"),
        ("x+y@gmail.com", "x+y@gmail.com"),
    ],
)
def test_an_address_elsewhere_may_have_more(typed: str, address: str) -> None:
    assert names.good_address(typed) == address


@pytest.mark.parametrize(
    "typed",
    ["", "anna", "@firm.test", "anna@", "anna@firm", "a@b@c.test", '"a b"@c.test', "a..b@c.test", "a@[192.0.2.1]",
     "a@192.0.2.1", "x" * 65 + "@c.test", "a@c.test\nBcc: b@c.test", "a,b@c.test", "a@c.test, d@c.test", "\ud800@c.test"],
)  # fmt: skip
def test_what_is_no_address_is_named_in_the_refusal(typed: str) -> None:
    with pytest.raises(BadName, match="is no mail address") as caught:
        names.good_address(typed, "to")
    assert caught.value.field == "to"
    assert "\n" not in str(caught.value)


@given(st.text(max_size=40))
def test_whatever_is_typed_is_a_name_or_is_refused(typed: str) -> None:
    for check, pattern in ((names.good_domain, state.HOST), (names.good_address, state.ADDRESS)):
        try:
            found = check(typed)
        except BadName:
            continue
        assert pattern.fullmatch(found)
        assert check(found) == found


@settings(max_examples=30)  # such texts are slow to make
@given(
    st.from_regex(names.DOMAIN, fullmatch=True),
    st.from_regex(names.LOCAL, fullmatch=True).filter(lambda one: len(one) <= 64),
)
def test_every_address_of_ours_is_one_that_the_agent_takes(domain: str, local: str) -> None:
    try:
        address = f"{names.good_local(local)}@{names.good_domain(domain)}"
    except BadName:
        return
    assert state.ADDRESS.fullmatch(address)
    assert names.good_address(address) == address


@given(st.text(max_size=200))
def test_what_people_write_loses_only_what_no_line_can_hold(text: str) -> None:
    for tidy, allowed in ((names.one_line, ""), (names.many_lines, "\n\t")):
        clean = tidy(text)
        assert all(ord(one) >= 32 or one in allowed for one in clean)
        assert "\x7f" not in clean
        clean.encode()
        assert tidy(clean) == clean


def test_a_domain_is_shown_as_people_write_it() -> None:
    assert names.shown("xn--bckerei-5wa.example") == "bäckerei.example"
    assert names.shown("firm.test") == "firm.test"
    assert names.shown("xn--ab.test") == "xn--ab.test"
