"""Mail that would run in a circle is not let begin to."""

from itertools import pairwise
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains import actions
from domains.models import Alias, Domain, Mailbox
from domains.refusals import Loop
from domains.wanted import mail
from domains.ways import Ways
from tests.domains.conftest import BY, PLENTY, add, made_aliases

NODES = [f"{letter}@f.test" for letter in "abcdef"]


def alias(domain: Domain, local: str, *targets: str) -> Alias:
    return actions.add_alias(domain=domain, local=local, targets=targets, by=BY)


@pytest.mark.django_db
def test_an_alias_does_not_lead_to_itself(firm: Domain) -> None:
    with pytest.raises(Loop, match=r"in a circle: info@firm\.test → info@firm\.test\."):
        alias(firm, "info", "x@y.test", "info@firm.test")
    assert not Alias.objects.exists()


@pytest.mark.django_db
def test_a_circle_over_several_domains_and_servers_is_found(firm: Domain, anna: Mailbox) -> None:
    there = actions.add_domain(account=firm.account, home=uuid4(), name="there.test", by=BY)
    first = alias(firm, "a", "anna@firm.test")
    alias(there, "b", "a@firm.test")
    alias(firm, "c", "b@there.test")
    with pytest.raises(Loop, match=r"a@firm\.test → c@firm\.test → b@there\.test → a@firm\.test"):
        actions.change_alias(alias=first, targets=["c@firm.test"], by=BY)
    first.refresh_from_db()
    assert first.targets == ["anna@firm.test"]


@pytest.mark.django_db
def test_forwarding_takes_part(firm: Domain, anna: Mailbox) -> None:
    alias(firm, "team", "anna@firm.test", "x@y.test")
    for to in ("team@firm.test", "anna@firm.test", "anna+x@firm.test"):
        with pytest.raises(Loop) as caught:
            actions.set_forward(mailbox=anna, to=[to], keep_copy=True, by=BY)
        assert caught.value.field == "targets"
    anna.refresh_from_db()
    assert anna.forward == []


@pytest.mark.django_db
def test_a_catch_all_takes_part(firm: Domain, anna: Mailbox) -> None:
    actions.set_catch_all(domain=firm, mailbox=anna, by=BY)
    with pytest.raises(Loop, match=r"anna@firm\.test → nobody@firm\.test"):
        actions.set_forward(mailbox=anna, to=["nobody@firm.test"], keep_copy=True, by=BY)
    bob = add(firm, "bob")
    actions.set_catch_all(domain=firm, mailbox=bob, by=BY)
    actions.set_forward(mailbox=anna, to=["nobody@firm.test"], keep_copy=True, by=BY)
    with pytest.raises(Loop):
        actions.set_catch_all(domain=firm, mailbox=anna, by=BY)


@pytest.mark.django_db
def test_what_comes_back_may_not_close_a_circle(firm: Domain, anna: Mailbox) -> None:
    bob = add(firm, "bob")
    actions.set_forward(mailbox=anna, to=["bob@firm.test"], keep_copy=True, by=BY)
    actions.remove_mailbox(mailbox=anna, by=BY)
    zoe = add(firm, "zoe")
    actions.set_catch_all(domain=firm, mailbox=zoe, by=BY)
    actions.set_forward(mailbox=bob, to=["anna@firm.test"], keep_copy=True, by=BY)
    with pytest.raises(Loop):
        actions.restore_mailbox(mailbox=anna, most=PLENTY, by=BY)


@pytest.mark.django_db
def test_where_a_mailbox_was_removed_and_another_catches_its_mail_nothing_circles(
    firm: Domain, anna: Mailbox
) -> None:
    bob = add(firm, "bob")
    actions.set_catch_all(domain=firm, mailbox=anna, by=BY)
    actions.set_forward(mailbox=anna, to=["bob@firm.test"], keep_copy=False, by=BY)
    alias(firm, "team", "bob@firm.test")
    actions.remove_mailbox(mailbox=bob, by=BY)
    now = mail(firm.home)
    assert (now["mailboxes"][0]["forward"], now["mailboxes"][0]["keep_copy"]) == ([], True)
    assert made_aliases(firm.home)[0]["targets"] == ["bob@firm.test"]


@given(
    st.dictionaries(st.sampled_from(NODES), st.lists(st.sampled_from(NODES), max_size=3)),
    st.sampled_from(NODES),
)
def test_a_circle_is_found_exactly_if_there_is_one(aliases: dict[str, list[str]], start: str) -> None:
    ways = Ways({"f.test": None}, {}, aliases)
    circle = ways.circle(start)
    assert bool(circle) == (start in reached_from(aliases, start))
    for here, onward in pairwise(circle):
        assert onward in aliases[here]
    if circle:
        assert circle[0] == circle[-1] == start


def reached_from(aliases: dict[str, list[str]], start: str) -> set[str]:
    """Every address that mail to `start` comes to, by the plainest way of finding out; targets that are nobody's end there."""
    reached: set[str] = set()
    for _ in range(len(NODES) + 1):
        sources = {start, *reached} & set(aliases)
        reached |= {target for source in sources for target in aliases[source] if target in aliases}
    return reached if start in aliases else set()
