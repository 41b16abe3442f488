"""Domains, mailboxes and aliases: what may be made, changed and removed, and what is said where it may not."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from accounts.models import Account
from audit.models import Event
from domains import actions, tasks
from domains.actions import Most, limits
from domains.models import Alias, Domain, Invitation, Mailbox
from domains.refusals import BadName, NotEmpty, Refusal, Taken, TooMany
from domains.wanted import mail
from tests.domains.conftest import BY, GB, PLENTY, add, made_aliases

pytestmark = pytest.mark.django_db


def test_a_domain_is_written_down_as_the_dns_knows_it(account: Account, home: UUID) -> None:
    domain = actions.add_domain(account=account, home=home, name=" Bäckerei.Example. ", by=BY)
    assert Domain.objects.get() == domain
    assert domain.name == "xn--bckerei-5wa.example"
    event = Event.objects.get(action="domain.added")
    assert (event.by, event.account_id, event.facts) == (BY, account.pk, {"name": domain.name})


def test_a_domain_is_in_one_place(account: Account, firm: Domain) -> None:
    with pytest.raises(Taken, match=r"You have “firm\.test” already"):
        actions.add_domain(account=account, home=uuid4(), name="FIRM.test", by=BY)
    with pytest.raises(Taken, match="in use at another server here") as caught:
        actions.add_domain(account=Account.objects.create(name="x"), home=uuid4(), name="firm.test", by=BY)
    assert account.name not in str(caught.value)
    assert Event.objects.filter(action="domain.added").count() == 1


def test_a_server_has_only_so_many_domains(account: Account, home: UUID) -> None:
    Domain.objects.bulk_create(
        Domain(account=account, home=home, name=f"d{n}.test") for n in range(limits.DOMAINS)
    )
    with pytest.raises(TooMany, match="at most 50 domains"):
        actions.add_domain(account=account, home=home, name="firm.test", by=BY)
    actions.add_domain(account=account, home=uuid4(), name="firm.test", by=BY)


def test_an_empty_domain_is_removed_at_once(firm: Domain) -> None:
    actions.remove_domain(domain=firm, by=BY)
    assert not Domain.objects.exists()
    assert actions.add_domain(account=firm.account, home=firm.home, name="firm.test", by=BY)


def test_removing_a_domain_says_what_is_lost_until_that_is_confirmed(firm: Domain, anna: Mailbox) -> None:
    add(firm, "bob")
    actions.add_alias(domain=firm, local="info", targets=["anna@firm.test"], by=BY)
    actions.set_catch_all(domain=firm, mailbox=anna, by=BY)
    with pytest.raises(NotEmpty, match=r"With firm\.test you lose 2 mailboxes and 1 alias\."):
        actions.remove_domain(domain=firm, by=BY)
    assert Mailbox.objects.count() == 2
    actions.remove_domain(domain=firm, confirmed=True, by=BY)
    assert [model.objects.count() for model in (Mailbox, Alias, Domain)] == [0, 0, 0]
    facts = Event.objects.get(action="domain.removed").facts
    assert facts == {"name": "firm.test", "mailboxes": ["anna@firm.test", "bob@firm.test"], "aliases": 1}


def test_a_mailbox_that_could_come_back_is_lost_with_its_domain_too(firm: Domain, anna: Mailbox) -> None:
    actions.remove_mailbox(mailbox=anna, by=BY)
    with pytest.raises(NotEmpty, match="1 mailbox"):
        actions.remove_domain(domain=firm, by=BY)


@pytest.mark.parametrize("mode", ["none", "testing", "enforce"])
def test_mta_sts_has_three_modes(firm: Domain, mode: str) -> None:
    actions.set_mta_sts(domain=firm, mode=mode, by=BY)
    assert mail(firm.home)["domains"][0]["mta_sts"] == mode
    with pytest.raises(Refusal, match="none, testing or enforce"):
        actions.set_mta_sts(domain=firm, mode="always", by=BY)


def test_a_catch_all_is_a_mailbox_of_the_same_server(firm: Domain, anna: Mailbox) -> None:
    there = actions.add_domain(account=firm.account, home=uuid4(), name="there.test", by=BY)
    with pytest.raises(Refusal, match="mailboxes of this server"):
        actions.set_catch_all(domain=there, mailbox=anna, by=BY)
    here = actions.add_domain(account=firm.account, home=firm.home, name="here.test", by=BY)
    actions.set_catch_all(domain=here, mailbox=anna, by=BY)
    assert mail(firm.home)["domains"][1]["catch_all"] == "anna@firm.test"
    actions.set_catch_all(domain=here, mailbox=None, by=BY)
    assert mail(firm.home)["domains"][1]["catch_all"] is None


def test_a_mailbox_has_no_password_until_its_owner_chose_one(firm: Domain) -> None:
    box = add(firm, " Anna ", name="  Anna \n Smith ")
    assert (box.address, box.name, box.password) == ("anna@firm.test", "Anna Smith", "")
    assert not Invitation.objects.exists()


@pytest.mark.parametrize(
    ("local", "why"), [("anna", "There is a mailbox anna@firm.test already"), ("info", "is an alias already")]
)
def test_an_address_belongs_to_one_mailbox_or_one_alias(
    firm: Domain, anna: Mailbox, local: str, why: str
) -> None:
    actions.add_alias(domain=firm, local="info", targets=["anna@firm.test"], by=BY)
    with pytest.raises(Taken, match=why):
        add(firm, local.upper())
    with pytest.raises(Taken, match=why):
        actions.add_alias(domain=firm, local=local, targets=["x@elsewhere.test"], by=BY)


def test_the_plan_says_how_many_mailboxes_there_are(firm: Domain, anna: Mailbox) -> None:
    one, two = Most(1, 100 * GB), Most(2, 100 * GB)
    with pytest.raises(TooMany, match="room for 1 mailboxes, and all are in use"):
        add(firm, "bob", most=one)
    add(firm, "bob", most=two)
    actions.remove_mailbox(mailbox=anna, by=BY)
    add(firm, "zoe", most=two)
    with pytest.raises(TooMany, match="all are in use"):
        actions.restore_mailbox(mailbox=anna, most=two, by=BY)
    assert Mailbox.objects.get(pk=anna.pk).removed_at


def test_mailboxes_are_not_promised_more_than_the_disk_has(firm: Domain, anna: Mailbox) -> None:
    most = Most(10, 3 * GB)
    with pytest.raises(TooMany, match=r"another 2\.0 GB together") as caught:
        add(firm, "bob", quota=2 * GB + 1, most=most)
    assert caught.value.field == "quota"
    bob = add(firm, "bob", quota=2 * GB, most=most)
    with pytest.raises(TooMany, match=r"another 2\.0 GB"):
        change(bob, quota=2 * GB + 1, most=most)
    with pytest.raises(Refusal, match="at least 10 MB"):
        add(firm, "zoe", quota=1000)


def test_who_has_more_than_the_plan_allows_may_still_shrink(firm: Domain, anna: Mailbox) -> None:
    """A smaller plan takes nothing away by itself."""
    smaller = Most(0, GB // 10)
    assert change(anna, quota=GB // 2, most=smaller).quota == GB // 2
    assert change(anna, quota=GB // 2, name="Ann", most=smaller).name == "Ann"
    with pytest.raises(TooMany):
        change(anna, quota=GB // 2 + 1, most=smaller)
    with pytest.raises(Refusal, match="at least"):
        change(anna, quota=0, most=smaller)


def change(mailbox: Mailbox, **more: object) -> Mailbox:
    wishes: dict = {"name": "Anna", "quota": GB, "per_hour": 10, "per_day": 20, "most": PLENTY, **more}
    return actions.change_mailbox(mailbox=mailbox, by=BY, **wishes)


@pytest.mark.parametrize(
    ("hour", "day", "field"),
    [(0, 5, "per_hour"), (10**6, 10**6, "per_hour"), (5, 4, "per_day"), (5, 10**6, "per_day")],
)
def test_the_pace_of_sending_has_bounds(anna: Mailbox, hour: int, day: int, field: str) -> None:
    with pytest.raises(Refusal) as caught:
        change(anna, per_hour=hour, per_day=day)
    assert caught.value.field == field
    assert change(anna, per_hour=5, per_day=5).per_day == 5


def test_a_removed_mailbox_comes_back_as_it_was(firm: Domain, anna: Mailbox) -> None:
    actions.add_app_password(mailbox=anna, label="telephone", by=BY)
    before = mail(firm.home)
    removed = actions.remove_mailbox(mailbox=anna, by=BY)
    assert removed.gone_for_good_at == removed.removed_at + timedelta(days=7)  # type: ignore[operator]
    assert mail(firm.home)["mailboxes"] == []
    actions.restore_mailbox(mailbox=anna, most=PLENTY, by=BY)
    actions.restore_mailbox(mailbox=anna, most=PLENTY, by=BY)
    assert mail(firm.home) == before
    assert Event.objects.filter(action="mailbox.restored").count() == 1


def test_the_address_of_a_removed_mailbox_is_kept_for_a_week(firm: Domain, anna: Mailbox) -> None:
    actions.remove_mailbox(mailbox=anna, by=BY)
    for make in (
        lambda: add(firm, "anna"),
        lambda: actions.add_alias(domain=firm, local="anna", targets=["x@y.test"], by=BY),
    ):
        with pytest.raises(Taken, match="can still be brought back"):
            make()
    tasks.purge()
    assert Mailbox.objects.count() == 1
    Mailbox.objects.update(removed_at=timezone.now() - timedelta(days=7, seconds=1))
    tasks.purge()
    tasks.purge()
    assert not Mailbox.objects.exists()
    assert Event.objects.filter(action="mailbox.purged").count() == 1
    assert add(firm, "anna").pk != anna.pk


def test_nothing_else_is_done_to_a_removed_mailbox(anna: Mailbox) -> None:
    actions.remove_mailbox(mailbox=anna, by=BY)
    for act in (
        lambda: change(anna),
        lambda: actions.remove_mailbox(mailbox=anna, by=BY),
        lambda: actions.suspend_mailbox(mailbox=anna, by=BY),
        lambda: actions.release_mailbox(mailbox=anna, by=BY),
        lambda: actions.invite(mailbox=anna, to="a@b.test", by=BY),
        lambda: actions.add_app_password(mailbox=anna, label="x", by=BY),
        lambda: actions.set_forward(mailbox=anna, to=["a@b.test"], keep_copy=True, by=BY),
    ):
        with pytest.raises(Refusal, match=r"anna@firm\.test was removed\. Bring it back first"):
            act()


def test_what_somebody_else_removed_meanwhile_is_no_error_page(firm: Domain, anna: Mailbox) -> None:
    alias = actions.add_alias(domain=firm, local="info", targets=["anna@firm.test"], by=BY)
    actions.remove_domain(domain=Domain.objects.get(), confirmed=True, by=BY)
    for act in (
        lambda: actions.change_alias(alias=alias, targets=["x@y.test"], by=BY),
        lambda: actions.remove_alias(alias=alias, by=BY),
        lambda: actions.suspend_mailbox(mailbox=anna, by=BY),
        lambda: add(firm, "bob"),
        lambda: actions.remove_domain(domain=firm, by=BY),
    ):
        with pytest.raises(Refusal, match="removed a moment ago"):
            act()


def test_suspending_and_resuming_count_once(anna: Mailbox) -> None:
    for _ in range(2):
        actions.suspend_mailbox(mailbox=anna, why="left\nthe firm", by=BY)
    assert mail(anna.domain.home)["mailboxes"][0]["suspended"] is True
    assert Mailbox.objects.get().suspended_why == "left the firm"
    for _ in range(2):
        actions.resume_mailbox(mailbox=anna, by=BY)
    assert mail(anna.domain.home)["mailboxes"][0]["suspended"] is False
    assert Event.objects.filter(action__in=["mailbox.suspended", "mailbox.resumed"]).count() == 2


def test_each_release_is_counted(anna: Mailbox) -> None:
    for _ in range(2):
        actions.release_mailbox(mailbox=anna, by=BY)
    assert mail(anna.domain.home)["mailboxes"][0]["releases"] == 2


def test_a_server_has_only_so_many_aliases(firm: Domain) -> None:
    Alias.objects.bulk_create(
        Alias(domain=firm, local=f"a{n}", targets=["x@y.test"]) for n in range(limits.ALIASES)
    )
    with pytest.raises(TooMany, match="at most 400 aliases"):
        actions.add_alias(domain=firm, local="one", targets=["x@y.test"], by=BY)


def test_an_order_that_would_be_too_long_is_refused(firm: Domain, anna: Mailbox) -> None:
    text = "ü" * 5000  # six bytes each in an order
    boxes = [Mailbox(domain=firm, local=f"p{n}", quota=GB, vacation_text=text) for n in range(30)]
    Mailbox.objects.bulk_create(boxes)
    actions.set_forward(mailbox=anna, to=[], keep_copy=True, by=BY)
    Mailbox.objects.bulk_create(
        [Mailbox(domain=firm, local=f"q{n}", quota=GB, vacation_text=text) for n in range(2)]
    )
    with pytest.raises(TooMany, match="more than one server can be told"):
        actions.set_forward(mailbox=anna, to=["x@y.test"], keep_copy=True, by=BY)
    actions.suspend_mailbox(mailbox=anna, by=BY)
    actions.remove_mailbox(mailbox=boxes[0], by=BY)


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        ([], "at least one address"),
        (["", "  "], "at least one address"),
        (["anna"], "“anna” is no mail address"),
        (["anna@firm.test", "x@"], "“x@” is no mail address"),
        ([f"a{n}@y.test" for n in range(51)], "at most 50 addresses"),
        (["ann@firm.test"], r"no mailbox and no alias ann@firm\.test yet"),
    ],
)
def test_an_alias_leads_to_addresses_that_can_be(
    firm: Domain, anna: Mailbox, targets: list[str], words: str
) -> None:
    with pytest.raises((BadName, TooMany, Refusal), match=words):
        actions.add_alias(domain=firm, local="info", targets=targets, by=BY)
    assert not Alias.objects.exists()


def test_targets_are_kept_once_and_in_their_order(firm: Domain, anna: Mailbox) -> None:
    alias = actions.add_alias(
        domain=firm,
        local="info",
        targets=["Z@y.test ", "anna@firm.test", "z@Y.test", "anna+shop@firm.test"],
        by=BY,
    )
    assert alias.targets == ["z@y.test", "anna@firm.test", "anna+shop@firm.test"]
    assert actions.change_alias(alias=alias, targets=["anna@firm.test"], by=BY).targets == ["anna@firm.test"]
    actions.remove_alias(alias=alias, by=BY)
    assert made_aliases(firm.home) == []
