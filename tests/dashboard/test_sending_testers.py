"""The assistant in Amazon's sandbox: who has not proven themselves is not written to, and how they can is offered."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account, Membership, User
from clients import aws_policy
from dashboard import sending_words
from dashboard.mail.testers import TROUBLES
from domains.models import Domain, Letter
from engine.models import Run
from sending import models, refusals
from servers.models import Server
from tests.dashboard import mail_world, sending_world
from tests.dashboard.sending_world import refused
from tests.dashboard.test_pages import text

ELSEWHERE = "alice@elsewhere.test"


@pytest.fixture
def firm(account: Account) -> Domain:
    """All is set up, and the account is in the sandbox."""
    one = mail_world.domain(mail_world.serving(account))
    sending_world.works(one)
    sending_world.standing(one, production=False, review="")
    mail_world.in_force(Server.objects.get(pk=one.home))
    Letter.objects.all().delete()
    return one


def page_of(firm: Domain) -> str:
    return f"/mail/sending/{firm.home}"


def typed(firm: Domain, do: str, to: str = ELSEWHERE) -> dict[str, str]:
    return {"do": do, "to": to, "from_domain": str(firm.pk)}


def proving(firm: Domain, address: str = ELSEWHERE, **fields: Any) -> models.Tester:
    given = {"region": "eu-central-1", "by": "user:1", "read_at": timezone.now(), **fields}
    return models.Tester.objects.create(home=firm.home, account=firm.account, address=address, **given)


def said(page: Any) -> str:
    return text(page).replace("&#x27;", "'")


def test_the_page_says_so_before_somebody_tries(as_alice: Client, firm: Domain) -> None:
    page = as_alice.get(page_of(firm))
    assert "only to addresses that have proven themselves to it" in said(page)
    assert "Amazon's letter goes to the address below, whoever reads it." in said(page)
    assert 'value="tester">Ask Amazon to write to this address' in page.content.decode()


def test_in_production_nobody_is_offered_it(as_alice: Client, firm: Domain) -> None:
    sending_world.standing(firm)
    proving(firm)
    page = as_alice.get(page_of(firm))
    assert "Ask Amazon" not in text(page)
    as_alice.post(page_of(firm), typed(firm, "test"))
    assert Letter.objects.get().to == ELSEWHERE


def test_a_mail_to_whom_has_not_proven_themselves_is_refused_with_the_way(
    as_alice: Client, firm: Domain
) -> None:
    answer = as_alice.post(page_of(firm), typed(firm, "test"))
    assert answer.status_code == 422
    assert "Choose “Ask Amazon to write to this address”." in said(answer)
    assert f'value="{ELSEWHERE}"' in answer.content.decode()
    assert not Letter.objects.exists()


def test_asked_it_is_waited_for_and_then_the_mail_may_go(as_alice: Client, firm: Domain, alice: User) -> None:
    page = as_alice.post(page_of(firm), typed(firm, "tester"), follow=True)
    row = models.Tester.objects.get()
    assert (row.address, row.by) == (ELSEWHERE, f"user:{alice.pk}")
    assert Run.objects.get(subject=f"tester:{row.pk}").args == {"sender": str(firm.pk), "anew": False}
    assert "That is nobody's of your account" in said(page)
    assert f"Amazon is being asked to write to {ELSEWHERE}." in said(page)
    assert 'data-poll="2"' in page.content.decode()

    models.Tester.objects.update(read_at=timezone.now())
    page = as_alice.get(page_of(firm))
    assert f"Waiting for the click in Amazon's letter to {ELSEWHERE}." in said(page)
    assert "Waiting until the address has proven itself to Amazon." in said(page)
    assert 'data-poll="20"' in page.content.decode()

    models.Tester.objects.update(verified_at=timezone.now())
    assert f"{ELSEWHERE} has proven itself" in said(as_alice.get(page_of(firm)))
    as_alice.post(page_of(firm), typed(firm, "test"))
    assert Letter.objects.get().to == ELSEWHERE


def test_somebody_of_the_account_is_told_to_follow_the_link(
    as_alice: Client, firm: Domain, alice: User
) -> None:
    page = as_alice.post(page_of(firm), typed(firm, "tester", alice.email.upper()), follow=True)
    assert f"Amazon is being asked to write to {alice.email}. Follow the link in its letter" in said(page)


def test_a_refusal_stands_beside_the_address(as_alice: Client, firm: Domain) -> None:
    proving(firm)
    answer = as_alice.post(page_of(firm), typed(firm, "tester"))
    assert answer.status_code == 422
    assert "You can ask once more at" in said(answer)
    answer = as_alice.post(page_of(firm), typed(firm, "tester", "nonsense"))
    assert "is no mail address" in said(answer)
    answer = as_alice.post(page_of(firm), typed(firm, "tester", "bo@firm.example"))
    assert "Mail to your own domain does not leave the server" in said(answer)


def test_after_an_hour_amazon_can_be_asked_once_more_by_a_button(as_alice: Client, firm: Domain) -> None:
    row = proving(firm)
    again = f'form="tester-form" name="to" value="{ELSEWHERE}"'
    assert again not in as_alice.get(page_of(firm)).content.decode()
    models.Tester.objects.update(asked_at=timezone.now() - timedelta(minutes=61))
    assert again in as_alice.get(page_of(firm)).content.decode()
    as_alice.post(page_of(firm), {"do": "tester", "to": ELSEWHERE})
    assert Run.objects.get(subject=f"tester:{row.pk}").args == {"sender": str(firm.pk), "anew": True}


@pytest.mark.parametrize("code", sorted({*refusals.CODES.values(), "permission", "refused", *TROUBLES}))
def test_each_trouble_has_its_sentence_and_a_next_step(as_alice: Client, firm: Domain, code: str) -> None:
    trouble = refused(code, says="Hear <us>", action="ses:CreateEmailIdentity")
    proving(firm, trouble=trouble)
    page = as_alice.get(page_of(firm))
    lines = said(page).replace("&lt;", "<").replace("&gt;", ">")
    assert f"{ELSEWHERE} has not proven itself." in lines
    assert "Something keeps it from use" not in lines
    assert ("Ask Amazon to write once more" in lines) == (code in TROUBLES)
    known = sending_words.told(trouble) if code not in TROUBLES else sending_words.Told(*TROUBLES[code])
    assert str(known.what) in lines
    assert str(known.todo) in lines


def test_the_policy_to_copy_is_opened_and_names_who_was_asked_for(
    as_alice: Client, firm: Domain, alice: User, bob: User
) -> None:
    assert "<details open><summary>By hand" not in as_alice.get(page_of(firm)).content.decode()
    proving(firm, trouble=refused("permission", action="ses:CreateEmailIdentity"))
    page = as_alice.get(page_of(firm)).content.decode()
    assert "<details open><summary>By hand" in page
    assert f"identity/{ELSEWHERE}" in page
    assert "The user at Amazon has an older policy" in page
    wanted = aws_policy.policy(
        region="eu-central-1", domains=["firm.example"], testers=[ELSEWHERE, alice.email]
    )
    assert json.loads(as_alice.get(f"{page_of(firm)}/policy.json").content) == wanted
    template = as_alice.get(f"{page_of(firm)}/template.json").content.decode()
    assert ELSEWHERE in template
    assert alice.email in template
    assert bob.email not in template, "a member is no owner"


def test_in_production_the_policy_names_no_person(as_alice: Client, firm: Domain) -> None:
    sending_world.standing(firm)
    proving(firm)
    wanted = aws_policy.policy(region="eu-central-1", domains=["firm.example"])
    assert json.loads(as_alice.get(f"{page_of(firm)}/policy.json").content) == wanted


def test_what_has_no_room_in_the_policy_is_left_out_and_the_domains_stay(
    as_alice: Client, firm: Domain
) -> None:
    for number in range(25):
        mail_world.domain(Server.objects.get(pk=firm.home), f"a-rather-long-name-of-a-domain-{number}.example")  # fmt: skip
    for number in range(10):
        proving(firm, f"{'x' * 50}{number}@elsewhere.test", asked_at=timezone.now() - timedelta(hours=number))
    text_of = json.dumps(
        json.loads(as_alice.get(f"{page_of(firm)}/policy.json").content), separators=(",", ":")
    )
    assert len(text_of) <= aws_policy.MOST_LETTERS
    assert "domain-24.example" in text_of
    named = [number for number in range(10) if f"{'x' * 50}{number}@" in text_of]
    assert named == list(range(len(named)))
    assert 0 < len(named) < 10


def test_owners_whom_no_policy_can_name_do_no_harm(as_alice: Client, firm: Domain, account: Account) -> None:
    for mail in ("o'hara*@elsewhere.test", "boss@firm.example"):
        user = User.objects.create_user(mail)
        Membership.objects.create(account=account, user=user, role="owner")
    shown = as_alice.get(f"{page_of(firm)}/policy.json").content.decode()
    assert "hara" not in shown
    assert "boss@" not in shown


def test_while_somebody_waits_at_the_page_amazon_is_asked_again(as_alice: Client, firm: Domain) -> None:
    row = proving(firm, read_at=timezone.now() - timedelta(minutes=2))
    in_five = timezone.now() + timedelta(minutes=5)
    run = Run.objects.create(
        program="AskTester", subject=f"tester:{row.pk}", step="wait_click", due_at=in_five
    )
    as_alice.get(f"{page_of(firm)}/live")
    run.refresh_from_db()
    assert run.due_at <= timezone.now()
    Run.objects.filter(pk=run.pk).update(due_at=in_five)
    models.Tester.objects.update(read_at=timezone.now())
    as_alice.get(f"{page_of(firm)}/live")
    run.refresh_from_db()
    assert run.due_at == in_five, "it was looked a moment ago"


@pytest.mark.parametrize(("name", "status"), [("bob", 403), ("charlie", 404)])
def test_who_is_no_owner_asks_for_nobody(
    client: Client, firm: Domain, bob: User, charlie: User, name: str, status: int
) -> None:
    client.force_login({"bob": bob, "charlie": charlie}[name])
    assert client.post(page_of(firm), typed(firm, "tester")).status_code == status
    assert not models.Tester.objects.exists()
