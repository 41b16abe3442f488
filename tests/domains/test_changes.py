"""Every change wakes its server's keeper, is an event, and gives away no secret; of several at once, one is first."""

import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail as letters_sent
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Account, Letter
from audit.models import Event
from domains import actions
from domains.actions import Most
from domains.models import Alias, AppPassword, Domain, Mailbox
from domains.refusals import Refusal, Spent, Taken, TooMany
from engine.models import Run
from tests.accounts.test_races import MANY, all_at_once
from tests.accounts.test_secrets import every_row, the_log
from tests.domains.conftest import (
    ACCESS_KEY,
    BY,
    GB,
    PASSWORD,
    PASSWORD_OF_SES,
    PLENTY,
    SECRET_KEY,
    add,
    last_token,
    set_way_out,
)

TOMORROW = timezone.now() + timedelta(days=1)
Act = Callable[[Domain, Mailbox, Alias], object]
CHANGES: dict[str, Act] = {
    "domain.added": lambda d, m, a: actions.add_domain(
        account=d.account, home=d.home, name="more.test", by=BY
    ),
    "domain.catch_all_set": lambda d, m, a: actions.set_catch_all(domain=d, mailbox=m, by=BY),
    "domain.mta_sts_set": lambda d, m, a: actions.set_mta_sts(domain=d, mode="enforce", by=BY),
    "domain.removed": lambda d, m, a: actions.remove_domain(domain=d, confirmed=True, by=BY),
    "mailbox.added": lambda d, m, a: add(d, "bob"),
    "mailbox.changed": lambda d, m, a: actions.change_mailbox(
        mailbox=m, name="A", quota=GB, per_hour=1, per_day=2, most=PLENTY, by=BY
    ),
    "mailbox.removed": lambda d, m, a: actions.remove_mailbox(mailbox=m, by=BY),
    "mailbox.suspended": lambda d, m, a: actions.suspend_mailbox(mailbox=m, by=BY),
    "mailbox.slowed": lambda d, m, a: actions.slow_mailbox(mailbox=m, why="2 complained.", by=BY),
    "mailbox.released": lambda d, m, a: actions.release_mailbox(mailbox=m, by=BY),
    "mailbox.forward_set": lambda d, m, a: actions.set_forward(
        mailbox=m, to=["x@y.test"], keep_copy=True, by=BY
    ),
    "mailbox.vacation_set": lambda d, m, a: actions.set_vacation(
        mailbox=m, subject="", text="Away", begins=None, ends=None, by=BY
    ),
    "app_password.added": lambda d, m, a: actions.add_app_password(mailbox=m, label="x", by=BY),
    "alias.added": lambda d, m, a: actions.add_alias(domain=d, local="more", targets=["x@y.test"], by=BY),
    "alias.changed": lambda d, m, a: actions.change_alias(alias=a, targets=["x@y.test"], by=BY),
    "alias.removed": lambda d, m, a: actions.remove_alias(alias=a, by=BY),
    "way_out.set": lambda d, m, a: set_way_out(d),
    "letter.asked": lambda d, m, a: actions.ask_letter(
        account=d.account, home=d.home, to="x@y.test", sender=f"postmaster@{d.name}", by=BY
    ),
}


@pytest.fixture
def alias(firm: Domain, anna: Mailbox) -> Alias:
    return actions.add_alias(domain=firm, local="info", targets=["anna@firm.test"], by=BY)


def wakes(domain: Domain) -> int:
    return Run.objects.get(subject=f"server:{domain.home}").wakes


@pytest.mark.django_db
@pytest.mark.parametrize("name", CHANGES)
def test_a_change_wakes_its_server_and_no_other_and_is_one_event(
    firm: Domain, anna: Mailbox, alias: Alias, name: str
) -> None:
    for home in (firm.home, uuid4()):
        Run.objects.create(program="Keep", subject=f"server:{home}", step="rest", due_at=TOMORROW)
    before = set(Event.objects.values_list("pk", flat=True))
    CHANGES[name](firm, anna, alias)
    assert wakes(firm) == 1
    assert Run.objects.get(subject=f"server:{firm.home}").due_at < TOMORROW
    assert not Run.objects.exclude(subject=f"server:{firm.home}").filter(wakes__gt=0, program="Keep").exists()
    event = Event.objects.exclude(pk__in=before).get()
    assert (event.action, event.by, event.account_id) == (name, BY, firm.account_id)
    assert event.subject.partition(":")[0] in ("domain", "mailbox", "server")


@pytest.mark.django_db
def test_what_gives_things_back_wakes_it_too(firm: Domain, anna: Mailbox) -> None:
    Run.objects.create(program="Keep", subject=f"server:{firm.home}", step="rest", due_at=TOMORROW)
    row, _secret = actions.add_app_password(mailbox=anna, label="x", by=BY)
    actions.suspend_mailbox(mailbox=anna, by=BY)
    set_way_out(firm)
    actions.invite(mailbox=anna, to="anna@elsewhere.test", by=BY)
    acts = (
        lambda: actions.revoke_app_password(app_password=row, by=BY),
        lambda: actions.resume_mailbox(mailbox=anna, by=BY),
        lambda: actions.set_sender(home=firm.home, sender_domain=firm, by=BY),
        lambda: actions.remove_way_out(home=firm.home, by=BY),
        lambda: actions.set_password(token=last_token(), password=PASSWORD),
        lambda: actions.remove_mailbox(mailbox=anna, by=BY),
        lambda: actions.restore_mailbox(mailbox=anna, most=PLENTY, by=BY),
    )
    for act in acts:
        before = wakes(firm)
        act()
        assert wakes(firm) == before + 1


def test_each_change_and_nothing_else_is_among_them() -> None:
    given_back = {
        "revoke_app_password", "resume_mailbox", "restore_mailbox", "remove_way_out", "set_sender", "set_password",
        "invite", "open_invitation", "forget_invitations", "purge_mailboxes", "what_is_lost", "Most",
        "note_letters", "forget_letters", "hand_over_records", "unslow_mailbox",
        "bring_back", "order_erasures", "confirm_erased", "forget_home", "forget_erasures", "look_for_late_erasures",
    }  # fmt: skip
    assert len(set(actions.__all__) - given_back) == len(CHANGES)


@pytest.mark.django_db
@pytest.mark.parametrize("format", ["plain", "json"])
def test_no_secret_is_in_any_row_statement_letter_or_line_of_the_log(
    firm: Domain, anna: Mailbox, format: str
) -> None:
    with the_log(format) as log, CaptureQueriesContext(connection) as asked:
        _row, app_password = actions.add_app_password(mailbox=anna, label="telephone", by=BY)
        actions.invite(mailbox=anna, to="anna@elsewhere.test", by=BY)
        token = last_token()
        actions.set_password(token=token, password=PASSWORD)
        with pytest.raises(Spent):
            actions.set_password(token=token, password=PASSWORD)
        set_way_out(firm)
        with pytest.raises(Refusal):
            set_way_out(firm, access_key=SECRET_KEY)
        last_token()
    secrets = (app_password, token, PASSWORD, SECRET_KEY, PASSWORD_OF_SES)
    statements = "\n".join(one["sql"] for one in asked)
    for place in (every_row(), statements, all_letters(1)):
        assert "anna" in place
        assert not [secret for secret in secrets if secret in place]
    assert not [secret for secret in secrets if secret in log.getvalue()]
    assert token in all_letters(0)


def all_letters(start: int) -> str:
    return "\n".join(str(one.message()) for one in letters_sent.outbox[start:])


@pytest.mark.django_db
def test_a_letter_row_and_an_event_name_no_token(anna: Mailbox) -> None:
    actions.invite(mailbox=anna, to="anna@elsewhere.test", by=BY)
    out = io.StringIO()
    json.dump([list(Letter.objects.values_list("context")), list(Event.objects.values_list("facts"))], out)
    assert last_token() not in out.getvalue()
    assert ACCESS_KEY not in out.getvalue()


# --- several at once


def outcomes(work: Callable[[int], object]) -> list[Any]:
    """What came of each: what was given back, or the refusal."""

    def tried(n: int) -> object:
        try:
            return work(n)
        except Refusal as refusal:
            return refusal

    return all_at_once(tried)


@pytest.mark.django_db(transaction=True)
def test_of_several_who_add_a_domain_one_has_it() -> None:
    accounts = [Account.objects.create(name=f"a{n}") for n in range(MANY)]
    found = outcomes(lambda n: actions.add_domain(account=accounts[n], home=uuid4(), name="firm.test", by=BY))
    assert len([one for one in found if isinstance(one, Domain)]) == 1
    assert len([one for one in found if isinstance(one, Taken)]) == MANY - 1
    assert Event.objects.filter(action="domain.added").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_mailbox_and_alias_made_at_once_one_has_the_address(firm: Domain) -> None:
    def make(n: int) -> object:
        if n % 2:
            return add(firm, "anna")
        return actions.add_alias(domain=firm, local="anna", targets=["x@y.test"], by=BY)

    found = outcomes(make)
    assert len([one for one in found if not isinstance(one, Refusal)]) == 1
    assert Mailbox.objects.count() + Alias.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_plan_holds_when_many_mailboxes_are_made_at_once(firm: Domain) -> None:
    found = outcomes(lambda n: add(firm, f"person{n}", most=Most(2, PLENTY.disk)))
    assert len([one for one in found if isinstance(one, TooMany)]) == MANY - 2
    assert Mailbox.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_so_does_the_number_of_app_passwords(anna: Mailbox) -> None:
    for n in range(AppPassword.MOST - 1):
        actions.add_app_password(mailbox=anna, label=str(n), by=BY)
    outcomes(lambda n: actions.add_app_password(mailbox=anna, label="x", by=BY))
    assert AppPassword.objects.count() == AppPassword.MOST


@pytest.mark.django_db(transaction=True)
def test_of_several_who_use_a_link_one_chooses_the_password(anna: Mailbox) -> None:
    actions.invite(mailbox=anna, to="anna@elsewhere.test", by=BY)
    token = last_token()
    found = outcomes(lambda n: actions.set_password(token=token, password=f"{PASSWORD} {n}"))
    assert len([one for one in found if isinstance(one, Spent)]) == MANY - 1
    assert Event.objects.filter(action="mailbox.password_set").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_halves_of_a_circle_are_not_made_at_once(firm: Domain, anna: Mailbox) -> None:
    one = actions.add_alias(domain=firm, local="one", targets=["anna@firm.test"], by=BY)
    two = actions.add_alias(domain=firm, local="two", targets=["anna@firm.test"], by=BY)

    def cross(n: int) -> object:
        mine, other = (one, two) if n % 2 else (two, one)
        return actions.change_alias(alias=mine, targets=[other.address], by=BY)

    outcomes(cross)
    targets = {row.local: row.targets for row in Alias.objects.all()}
    assert targets != {"one": ["two@firm.test"], "two": ["one@firm.test"]}
