"""Mail of a removed mailbox: for a week it can be had back, then its host must delete it and say so."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from accounts.models import Account
from audit.models import Event
from domains import actions, tasks
from domains.actions.erasure import LATE
from domains.models import AppPassword, Domain, Erasure, Mailbox
from domains.refusals import Refusal, Taken, TooMany
from domains.wanted import ERASED_AT_ONCE, mail
from engine.models import Alarm, Run
from tests.accounts.test_races import MANY, all_at_once
from tests.domains.conftest import BY, PLENTY, add, set_way_out

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7, seconds=1)


def long_ago(by: timedelta = WEEK) -> None:
    """All that was removed till now was removed that much earlier."""
    for row in Mailbox.objects.exclude(removed_at=None):
        Mailbox.objects.filter(pk=row.pk).update(removed_at=row.removed_at - by)  # type: ignore[operator]
    for one in Erasure.objects.undoable():
        Erasure.objects.filter(pk=one.pk).update(due_at=one.due_at - by)


def removed(anna: Mailbox) -> Erasure:
    """Anna's mail is ordered to go."""
    actions.remove_mailbox(mailbox=anna, by=BY)
    long_ago()
    tasks.purge()
    return Erasure.objects.get()


def told(*ids: object) -> list[dict[str, object]]:
    return [{"id": str(one), "at": 1_795_000_000.0} for one in ids]


def events(action: str) -> int:
    return Event.objects.filter(action=action).count()


def test_while_it_can_be_had_back_nothing_is_ordered(firm: Domain, anna: Mailbox) -> None:
    actions.remove_mailbox(mailbox=anna, by=BY)
    tasks.purge()
    assert mail(firm.home)["erase"] == []
    assert not Erasure.objects.exists()


def test_after_a_week_its_mail_is_named_by_the_id_that_it_lies_under(firm: Domain, anna: Mailbox) -> None:
    ident = mail(firm.home)["mailboxes"][0]["id"]
    row = removed(anna)
    assert mail(firm.home)["erase"] == [ident] == [str(row.pk)]
    assert (row.address, row.account, row.home) == ("anna@firm.test", firm.account, firm.home)
    assert row.kept == ""
    assert Event.objects.get(action="mailbox.erasure_ordered").facts == {"address": "anna@firm.test"}


def test_whoever_gets_the_address_then_is_somebody_else(firm: Domain, anna: Mailbox) -> None:
    row = removed(anna)
    new = add(firm, "anna")
    now = mail(firm.home)
    assert [one["id"] for one in now["mailboxes"]] == [str(new.pk)]
    assert now["erase"] == [str(row.pk)]
    assert new.pk != row.pk


def test_it_is_done_when_its_host_says_so_and_once(firm: Domain, anna: Mailbox) -> None:
    row = removed(anna)
    Run.objects.create(
        program="Keep", subject=f"server:{firm.home}", step="rest", due_at=timezone.now() + WEEK
    )
    for count in (1, 0, 0):
        assert actions.confirm_erased(home=firm.home, told=told(row.pk)) == count
    row.refresh_from_db()
    assert row.done_at
    assert row.found_gone_at == datetime.fromisoformat("2026-11-18T11:06:40+00:00")
    assert mail(firm.home)["erase"] == []
    event = Event.objects.get(action="mailbox.erased")
    assert (event.by, event.subject) == (f"agent:{firm.home}", f"mailbox:{row.pk}")
    assert Run.objects.get(subject=f"server:{firm.home}").wakes == 1


def test_another_host_cannot_say_so(firm: Domain, anna: Mailbox) -> None:
    row = removed(anna)
    assert actions.confirm_erased(home=uuid4(), told=told(row.pk)) == 0
    assert mail(firm.home)["erase"] == [str(row.pk)]


def test_nor_can_anybody_before_it_was_ordered(firm: Domain, anna: Mailbox) -> None:
    actions.remove_domain(domain=firm, confirmed=True, by=BY)
    assert actions.confirm_erased(home=firm.home, told=told(anna.pk)) == 0
    assert Erasure.objects.undoable().count() == 1


@pytest.mark.parametrize("said", ["", "..", "x" * 36, None, 5, [], {"a": 1}])
def test_nonsense_confirms_nothing(anna: Mailbox, said: object) -> None:
    row = removed(anna)
    assert actions.confirm_erased(home=row.home, told=[{"id": said, "at": 5}, {}]) == 0


@pytest.mark.parametrize("at", [None, "x", -1, 1e300, True])
def test_a_clock_that_says_anything_still_confirms(anna: Mailbox, at: object) -> None:
    row = removed(anna)
    assert actions.confirm_erased(home=row.home, told=[{"id": str(row.pk), "at": at}]) == 1


def test_what_a_removed_domain_had_is_had_back_from_the_domain_added_again(
    firm: Domain, anna: Mailbox
) -> None:
    actions.add_app_password(mailbox=anna, label="telephone", by=BY)
    actions.set_forward(mailbox=anna, to=["x@y.test"], keep_copy=True, by=BY)
    before = mail(firm.home)["mailboxes"]
    actions.remove_domain(domain=firm, confirmed=True, by=BY)
    assert mail(firm.home)["mailboxes"] == mail(firm.home)["erase"] == []
    row = Erasure.objects.get()
    assert (row.why, row.by) == (Erasure.Why.DOMAIN, BY)
    with pytest.raises(Refusal, match=r"Add firm\.test to this server again first"):
        actions.bring_back(erasure=row, most=PLENTY, by=BY)
    actions.add_domain(account=firm.account, home=firm.home, name="firm.test", by=BY)

    assert actions.bring_back(erasure=row, most=PLENTY, by=BY) == anna

    assert mail(firm.home)["mailboxes"] == before
    assert AppPassword.objects.get().mailbox_id == anna.pk
    assert not Erasure.objects.exists()
    assert events("mailbox.restored") == 1
    with pytest.raises(Refusal, match="removed a moment ago"):
        actions.bring_back(erasure=row, most=PLENTY, by=BY)


def test_a_mailbox_removed_before_its_domain_keeps_its_day(firm: Domain, anna: Mailbox) -> None:
    actions.remove_mailbox(mailbox=anna, by=BY)
    long_ago(timedelta(days=6))
    gone_for_good = Mailbox.objects.get().gone_for_good_at
    actions.remove_domain(domain=Domain.objects.get(), confirmed=True, by=BY)
    assert Erasure.objects.get().due_at == gone_for_good


def test_another_account_that_has_the_domain_has_none_of_its_mail(firm: Domain, anna: Mailbox) -> None:
    actions.remove_domain(domain=firm, confirmed=True, by=BY)
    other = Account.objects.create(name="Other")
    there = actions.add_domain(account=other, home=uuid4(), name="firm.test", by=BY)
    assert add(there, "anna").pk != anna.pk
    with pytest.raises(Refusal, match="Add"):
        actions.bring_back(erasure=Erasure.objects.get(), most=PLENTY, by=BY)


def test_it_does_not_come_back_over_somebody_else_or_beyond_the_plan(firm: Domain, anna: Mailbox) -> None:
    actions.remove_domain(domain=firm, confirmed=True, by=BY)
    again = actions.add_domain(account=firm.account, home=firm.home, name="firm.test", by=BY)
    row = Erasure.objects.get()
    with pytest.raises(TooMany):
        actions.bring_back(erasure=row, most=actions.Most(0, PLENTY.disk), by=BY)
    add(again, "anna")
    with pytest.raises(Taken):
        actions.bring_back(erasure=row, most=PLENTY, by=BY)
    assert Erasure.objects.undoable().get() == row


def test_once_it_is_ordered_it_does_not_come_back(firm: Domain, anna: Mailbox) -> None:
    actions.remove_domain(domain=firm, confirmed=True, by=BY)
    actions.add_domain(account=firm.account, home=firm.home, name="firm.test", by=BY)
    row = Erasure.objects.get()
    long_ago()
    tasks.purge()
    with pytest.raises(Refusal, match="is deleted and cannot be brought back"):
        actions.bring_back(erasure=row, most=PLENTY, by=BY)
    assert mail(firm.home)["erase"] == [str(anna.pk)]


def test_a_host_that_does_not_do_it_in_a_day_raises_one_alarm_that_its_report_closes(
    firm: Domain, anna: Mailbox
) -> None:
    row = removed(anna)
    tasks.purge()
    assert not Alarm.objects.exists()
    Erasure.objects.update(ordered_at=timezone.now() - LATE)
    tasks.purge()
    tasks.purge()
    alarm = Alarm.objects.get()
    assert (alarm.subject, alarm.closed_at) == (f"server:{firm.home}", None)
    assert "Mail of removed mailboxes (1)" in alarm.says
    actions.confirm_erased(home=firm.home, told=told(row.pk))
    assert Alarm.objects.get().closed_at


def test_with_the_server_its_mail_is_gone_and_nothing_is_kept(firm: Domain, anna: Mailbox) -> None:
    actions.remove_domain(domain=firm, confirmed=True, by=BY)
    office = actions.add_domain(account=firm.account, home=firm.home, name="office.test", by=BY)
    add(office, "bob")
    set_way_out(office)
    assert actions.forget_home(firm.home) > 0
    assert actions.forget_home(firm.home) == 0
    row = Erasure.objects.get()
    assert row.done_at
    assert row.ordered_at
    assert row.kept == ""
    assert not Mailbox.objects.exists()
    assert events("domain.left") == 1
    assert actions.add_domain(account=firm.account, home=uuid4(), name="office.test", by=BY)


def test_a_report_tells_of_all_that_an_order_names(firm: Domain) -> None:
    now = timezone.now()
    Erasure.objects.bulk_create(
        Erasure(
            pk=UUID(int=n), account=firm.account, home=firm.home, address=f"p{n}@firm.test", why="mailbox",
            by=BY, asked_at=now, due_at=now, ordered_at=now,
        )
        for n in range(1, ERASED_AT_ONCE + 3)
    )  # fmt: skip
    first = mail(firm.home)["erase"]
    assert len(first) == ERASED_AT_ONCE
    assert actions.confirm_erased(home=firm.home, told=told(*first)) == ERASED_AT_ONCE
    assert len(mail(firm.home)["erase"]) == 2


def test_the_proof_is_kept_for_a_year(anna: Mailbox) -> None:
    row = removed(anna)
    actions.confirm_erased(home=row.home, told=told(row.pk))
    Erasure.objects.update(done_at=timezone.now() - timedelta(days=364))
    tasks.purge()
    assert Erasure.objects.count() == 1
    Erasure.objects.update(done_at=timezone.now() - timedelta(days=366))
    tasks.purge()
    assert not Erasure.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_having_it_back_and_deleting_it_at_once_one_happens(firm: Domain, anna: Mailbox) -> None:
    actions.remove_mailbox(mailbox=anna, by=BY)
    long_ago()

    def either(n: int) -> object:
        try:
            return tasks.purge() if n % 2 else actions.restore_mailbox(mailbox=anna, most=PLENTY, by=BY)
        except Refusal as refusal:
            return refusal

    all_at_once(either)
    there = Mailbox.objects.living().filter(pk=anna.pk).exists()
    assert there != Erasure.objects.filter(pk=anna.pk).exists()
    assert mail(firm.home)["erase"] == ([] if there else [str(anna.pk)])


@pytest.mark.django_db(transaction=True)
def test_of_bringing_back_and_ordering_at_once_one_happens(firm: Domain, anna: Mailbox) -> None:
    actions.remove_domain(domain=firm, confirmed=True, by=BY)
    actions.add_domain(account=firm.account, home=firm.home, name="firm.test", by=BY)
    long_ago()
    row = Erasure.objects.get()

    def either(n: int) -> object:
        try:
            return actions.order_erasures() if n % 2 else actions.bring_back(erasure=row, most=PLENTY, by=BY)
        except Refusal as refusal:
            return refusal

    all_at_once(either)
    assert Mailbox.objects.filter(pk=anna.pk).exists() != Erasure.objects.filter(pk=anna.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_of_several_reports_at_once_one_is_the_proof(anna: Mailbox) -> None:
    row = removed(anna)
    found = all_at_once(lambda _n: actions.confirm_erased(home=row.home, told=told(row.pk)))
    assert sorted(found) == [0] * (MANY - 1) + [1]
    assert events("mailbox.erased") == 1


def test_the_way_out_still_stands_when_a_domain_is_refused(firm: Domain, anna: Mailbox) -> None:
    set_way_out(firm)
    with pytest.raises(Refusal):
        actions.remove_domain(domain=firm, confirmed=True, by=BY)
    assert not Erasure.objects.exists()
