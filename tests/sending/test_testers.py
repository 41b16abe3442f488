"""In the sandbox, a first test mail: an address is asked for, follows the link in Amazon's letter, and is written to."""

from datetime import timedelta
from typing import Any

import pytest
import requests
from django.utils import timezone

from audit.models import Event
from clients.aws_policy import policy
from domains.models import Domain, Letter
from domains.refusals import BadName, Refusal, TooMany
from engine.models import Run
from sandbox.aws.sending import Sending
from sandbox.internet import headers
from sending import actions, models, tasks, testers
from sending.models import Credentials, Standing
from tests.sandbox.aws.place import REGION, Place
from tests.sending.conftest import BY, due_now, paste
from tests.sending.test_check import answer, without

ALICE = "alice@elsewhere.test"


@pytest.fixture
def key(amazon: Place, firm: Domain) -> dict[str, Any]:
    """In use, in the sandbox; the records of firm.test are there, and the policy names Alice's address."""
    requests.delete(f"{amazon.url}/mail/api/messages", timeout=20)
    account = amazon.post("accounts")["account"]
    made = amazon.key(account=account, policy=allowed(account, ALICE))
    paste(firm, made)
    answer(firm.home)
    tokens = amazon.cloud.identities.get(account, REGION, "firm.test").tokens
    amazon.enter_dkim("firm.test", tokens)
    return made


def allowed(account: str, *addresses: str) -> dict[str, Any]:
    return policy(region=REGION, domains=["firm.test"], account=account, testers=addresses)


def ask(firm: Domain, address: str = ALICE) -> models.Tester:
    row = testers.ask(account=firm.account, home=firm.home, address=address, sender=firm, by=BY)
    due_now()
    row.refresh_from_db()
    return row


def letters(amazon: Place) -> list[dict[str, Any]]:
    asked = requests.get(f"{amazon.url}/mail/api/messages", params={"to": ALICE}, timeout=20)
    return list(asked.json()["messages"])


def click(amazon: Place) -> None:
    requests.get(letters(amazon)[0]["links"][0], timeout=20).raise_for_status()


def amazons_answer(amazon: Place, key: dict[str, Any], letter: Letter) -> str:
    """What SES says to the server's letter; nothing where it takes it."""
    message = headers.read(f"From: {letter.sender}\r\nTo: {letter.to}\r\n\r\nA test\r\n".encode())
    sending = Sending(amazon.cloud)
    known = sending.key(key["access_key"])
    assert known
    return sending.refusal(known, REGION, [letter.sender], [letter.to], message)


def the_letter() -> Letter:
    return Letter.objects.get(to=ALICE)


def test_from_asked_to_a_test_mail_that_amazon_takes(
    amazon: Place, firm: Domain, key: dict[str, Any]
) -> None:
    assert testers.must_prove(Standing.objects.get(home=firm.home), firm.home, ALICE)
    row = ask(firm)
    assert (row.verified_at, row.trouble, row.region) == (None, None, REGION)
    assert len(letters(amazon)) == 1
    assert not Letter.objects.filter(to=ALICE).exists()
    trial = Letter(sender="postmaster@firm.test", to=ALICE)
    assert "not verified" in amazons_answer(amazon, key, trial)

    click(amazon)
    due_now()
    row.refresh_from_db()
    assert row.verified_at
    letter = the_letter()
    assert (letter.sender, letter.by) == ("postmaster@firm.test", BY)
    assert amazons_answer(amazon, key, letter) == ""
    assert not testers.must_prove(Standing.objects.get(home=firm.home), firm.home, ALICE)
    assert Run.objects.get(program="AskTester").outcome == "written to"
    assert {"tester.asked", "tester.proven"} <= set(Event.objects.values_list("action", flat=True))


def test_in_production_nobody_has_to_prove_anything(firm: Domain, key: dict[str, Any]) -> None:
    Standing.objects.update(production=True)
    assert not testers.must_prove(Standing.objects.get(home=firm.home), firm.home, ALICE)
    assert not testers.must_prove(None, firm.home, ALICE)


def test_an_address_that_was_proven_at_amazons_own_pages_gets_no_letter(
    amazon: Place, firm: Domain, key: dict[str, Any]
) -> None:
    amazon.post("identities", account=key["account"], region=REGION, name=ALICE)
    assert ask(firm).verified_at
    assert letters(amazon) == []
    assert the_letter().to == ALICE


def test_a_key_that_may_not_names_what_it_lacks_and_goes_on_with_the_new_policy(
    amazon: Place, firm: Domain, key: dict[str, Any]
) -> None:
    amazon.post("users", account=key["account"], user="mailat-sending", policy=allowed(key["account"]))
    row = ask(firm)
    assert row.trouble["code"] == "permission"
    assert row.trouble["facts"]["action"] == "ses:CreateEmailIdentity"
    assert row.trouble["facts"]["resource"].endswith(f":identity/{ALICE}")
    due_now()
    assert Event.objects.filter(action="tester.refused").count() == 1, "it is the same refusal"
    amazon.post("users", account=key["account"], user="mailat-sending", policy=allowed(key["account"], ALICE))
    due_now()
    click(amazon)
    due_now()
    row.refresh_from_db()
    assert (bool(row.verified_at), row.trouble) == (True, None)


def test_who_may_make_an_address_and_not_look_at_it_is_told_so(
    amazon: Place, firm: Domain, key: dict[str, Any]
) -> None:
    whole = allowed(key["account"], ALICE)
    less = {**whole, "Statement": [without(one, "ses:GetEmailIdentity") for one in whole["Statement"]]}
    amazon.post("users", account=key["account"], user="mailat-sending", policy=less)
    assert ask(firm).trouble["facts"]["action"] == "ses:GetEmailIdentity"


def test_a_lost_letter_is_written_again_after_an_hour_and_the_old_link_is_dead(
    amazon: Place, firm: Domain, key: dict[str, Any]
) -> None:
    ask(firm)
    with pytest.raises(TooMany, match="You can ask once more at"):
        ask(firm)
    assert len(letters(amazon)) == 1
    old = letters(amazon)[0]["links"][0]
    models.Tester.objects.update(asked_at=timezone.now() - timedelta(minutes=61))
    ask(firm)
    assert len(letters(amazon)) == 2
    assert requests.get(old, timeout=20).status_code == 410
    click(amazon)
    due_now()
    assert models.Tester.objects.get().verified_at


def test_whoever_has_clicked_before_they_ask_again_keeps_the_proof(
    amazon: Place, firm: Domain, key: dict[str, Any]
) -> None:
    ask(firm)
    click(amazon)
    models.Tester.objects.update(asked_at=timezone.now() - timedelta(minutes=61))
    assert ask(firm).verified_at
    assert len(letters(amazon)) == 1


def test_a_link_that_nobody_follows_within_a_day_is_given_up(
    amazon: Place, firm: Domain, key: dict[str, Any]
) -> None:
    row = ask(firm)
    models.Tester.objects.update(asked_at=timezone.now() - timedelta(hours=25))
    due_now()
    row.refresh_from_db()
    assert row.trouble["code"] == "tester_late"
    assert Run.objects.get(program="AskTester").finished_at
    assert ask(firm).trouble is None, "it can be asked for anew at once"
    assert len(letters(amazon)) == 2


def test_an_address_that_somebody_removes_at_amazon_is_said(
    amazon: Place, firm: Domain, key: dict[str, Any]
) -> None:
    row = ask(firm)
    amazon.boto("sesv2", key).delete_email_identity(EmailIdentity=ALICE)
    due_now()
    row.refresh_from_db()
    assert row.trouble["code"] == "tester_gone"


def test_five_letters_an_hour_and_no_more(firm: Domain, key: dict[str, Any]) -> None:
    for number in range(testers.MOST_IN_AN_HOUR):
        testers.ask(account=firm.account, home=firm.home, address=f"a{number}@elsewhere.test", by=BY)
    with pytest.raises(TooMany, match="at most 5 addresses an hour"):
        ask(firm)
    models.Tester.objects.update(asked_at=timezone.now() - timedelta(hours=2))
    for number in range(testers.MOST_IN_AN_HOUR):
        testers.ask(account=firm.account, home=firm.home, address=f"b{number}@elsewhere.test", by=BY)
    models.Tester.objects.update(asked_at=timezone.now() - timedelta(hours=2))
    with pytest.raises(TooMany, match="There are 10 such addresses already"):
        ask(firm)


@pytest.mark.parametrize(
    ("address", "error"), [("nobody", BadName), ("a b@elsewhere.test", BadName), ("anna@firm.test", Refusal)]
)
def test_what_cannot_prove_itself_is_refused(
    firm: Domain, key: dict[str, Any], address: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        ask(firm, address)
    assert not models.Tester.objects.exists()


def test_without_a_key_nobody_is_asked(firm: Domain) -> None:
    with pytest.raises(Refusal, match="Enter an access key first"):
        ask(firm)


def test_when_the_sending_ends_the_addresses_leave_and_nobody_waits(
    amazon: Place, firm: Domain, key: dict[str, Any]
) -> None:
    ask(firm)
    actions.remove(home=firm.home, by=BY)
    assert not models.Tester.objects.exists()
    click(amazon)
    due_now()
    assert Run.objects.get(program="AskTester").outcome == "forgotten"
    assert not Letter.objects.filter(to=ALICE).exists()


def test_the_clock_removes_addresses_of_servers_without_a_key(firm: Domain, key: dict[str, Any]) -> None:
    ask(firm)
    tasks.forget()
    assert models.Tester.objects.exists()
    Credentials.objects.update(state="ended")
    tasks.forget()
    assert not models.Tester.objects.exists()


def test_an_address_that_was_proven_elsewhere_proves_nothing_here(firm: Domain, key: dict[str, Any]) -> None:
    ask(firm)
    models.Tester.objects.update(region="eu-west-1", verified_at=timezone.now())
    assert testers.must_prove(Standing.objects.get(home=firm.home), firm.home, ALICE)
    due_now()
    assert models.Tester.objects.get().trouble["code"] == "no_key"
