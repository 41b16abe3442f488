"""The test mail on the assistant's page, what is taken to Amazon, and that every word is there."""

import json
from datetime import timedelta
from inspect import isfunction

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account, User
from clients import aws_policy
from dashboard import sending_words
from dashboard.mail import trial
from domains.models import Domain, Letter
from engine.models import Run
from sending import refusals
from sending.programs.check import CheckCredentials
from sending.programs.watch import WatchSending
from tests.dashboard import mail_world, sending_world
from tests.dashboard.test_pages import text


@pytest.fixture
def firm(account: Account) -> Domain:
    return mail_world.domain(mail_world.serving(account))


def page_of(firm: Domain) -> str:
    return f"/mail/sending/{firm.home}"


def asked(firm: Domain, to: str = "alice@elsewhere.test") -> dict[str, str]:
    return {"do": "test", "to": to, "from_domain": str(firm.pk)}


def test_a_test_mail_is_asked_for_and_waited_for(as_alice: Client, firm: Domain, alice: User) -> None:
    sending_world.works(firm)
    Letter.objects.all().delete()
    assert f'value="{alice.email}"' in as_alice.get(page_of(firm)).content.decode()
    page = as_alice.post(page_of(firm), asked(firm), follow=True)
    row = Letter.objects.get()
    assert (row.to, row.sender, row.by) == (
        "alice@elsewhere.test",
        "postmaster@firm.example",
        f"user:{alice.pk}",
    )
    assert "To alice@elsewhere.test: the server sends it within a minute" in text(page)


@pytest.mark.parametrize(
    ("code", "answer", "words"),
    [
        (250, "250 Ok 0102018f-42", "Amazon took it, and said “250 Ok 0102018f-42”."),
        (554, "554 Message rejected: Email address is not verified.", "only to addresses that are verified at Amazon"),
        (454, "454 Throttling failure: Daily message quota exceeded", "The quota of step 3 is used up"),
        (550, "5.1.1 no", "Amazon refused it: “550 5.1.1 no”."),
        (0, "no route", "it did not reach Amazon. no route"),
    ],
)  # fmt: skip
def test_amazons_answer_is_told_in_words(
    as_alice: Client, firm: Domain, code: int, answer: str, words: str
) -> None:
    sending_world.works(firm)
    sending_world.letter(firm, code, answer)
    assert words in text(as_alice.get(page_of(firm)))


def test_a_test_mail_of_which_nothing_is_heard_is_given_up(as_alice: Client, firm: Domain) -> None:
    sending_world.works(firm)
    sending_world.letter(firm, -1, asked_at=timezone.now() + timedelta(seconds=1))
    assert "within a minute" in text(as_alice.get(page_of(firm)))
    Letter.objects.filter(answered_at=None).update(asked_at=timezone.now() - timedelta(minutes=20))
    Letter.objects.exclude(answered_at=None).delete()
    assert "the server told nothing of it" in text(as_alice.get(page_of(firm)))


def test_a_letter_that_a_program_sent_is_not_the_persons_test(as_alice: Client, firm: Domain) -> None:
    sending_world.letter(firm, by="program:CheckCredentials", to="success@simulator.amazonses.com")
    assert "simulator" not in text(as_alice.get(page_of(firm)))


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("bo@firm.example", "Mail to your own domain does not leave the server"),
        ("nonsense", "nonsense"),
    ],
)
def test_a_test_mail_that_would_show_nothing_is_refused(
    as_alice: Client, firm: Domain, to: str, why: str
) -> None:
    sending_world.works(firm)
    Letter.objects.all().delete()
    answer = as_alice.post(page_of(firm), asked(firm, to))
    assert answer.status_code == 422
    assert why in answer.content.decode()
    assert not Letter.objects.exists()


def test_without_a_way_out_there_is_no_test_mail(as_alice: Client, firm: Domain) -> None:
    answer = as_alice.post(page_of(firm), asked(firm))
    assert (answer.status_code, Letter.objects.count()) == (422, 0)
    assert "a key must be tried first" in text(answer)


def test_the_policy_is_the_customers_own_shown_and_as_a_file(
    as_alice: Client, firm: Domain, alice: User
) -> None:
    answer = as_alice.get(f"{page_of(firm)}/policy.json?region=eu-west-1")
    wanted = aws_policy.policy(region="eu-west-1", domains=["firm.example"], testers=[alice.email])
    assert json.loads(answer.content) == wanted
    assert answer["Content-Type"].startswith("application/json")
    assert answer["Content-Disposition"] == 'attachment; filename="mailat-sending-policy.json"'
    shown = as_alice.get(f"{page_of(firm)}?region=eu-west-1").content.decode()
    assert "arn:aws:ses:eu-west-1:*:identity/firm.example" in shown
    assert "https://eu-west-1.console.aws.amazon.com/cloudformation/home" in shown


def test_the_template_makes_a_user_and_no_key(as_alice: Client, firm: Domain) -> None:
    answer = as_alice.get(f"{page_of(firm)}/template.json?region=eu-west-1")
    kinds = {one["Type"] for one in json.loads(answer.content)["Resources"].values()}
    assert kinds == {"AWS::IAM::User", "AWS::IAM::ManagedPolicy"}
    assert answer["Content-Disposition"] == 'attachment; filename="mailat-sending-template.json"'


def test_a_region_that_is_none_is_not_taken(as_alice: Client, firm: Domain, alice: User) -> None:
    answer = as_alice.get(f"{page_of(firm)}/policy.json?region=moon-1")
    wanted = aws_policy.policy(region="eu-central-1", domains=["firm.example"], testers=[alice.email])
    assert json.loads(answer.content) == wanted


def test_the_text_for_amazon_names_the_customers_domains_and_server(as_alice: Client, firm: Domain) -> None:
    said = as_alice.get(page_of(firm)).content.decode()
    assert "mailboxes for our people at firm.example." in said


def test_every_refusal_has_its_sentences() -> None:
    codes = {*refusals.CODES.values(), "permission", "refused", "no_server", "no_domain", "smtp"}
    assert codes == set(sending_words.OBSTACLES)
    assert "(unheard_of)" in sending_words.told({"code": "unheard_of", "facts": {}}).what


def test_every_step_of_a_trial_is_shown() -> None:
    steps = {name for name, one in vars(CheckCredentials).items() if isfunction(one) and name[0] != "_"}
    assert steps - {"prepare"} == {step for shown in trial.STAGES.values() for step in shown}


def test_every_permission_that_we_ask_for_has_its_purpose() -> None:
    policy = aws_policy.policy(region="eu-central-1", domains=["firm.example"])
    wanted = {action for one in policy["Statement"] for action in one["Action"]}
    assert wanted == set(sending_words.PERMISSIONS)


def test_what_amazon_finds_wrong_and_we_do_not_know_is_told_as_it_is() -> None:
    assert "REPLICATION_ACCESS_DENIED" in sending_words.look("REPLICATION_ACCESS_DENIED")


def test_while_somebody_looks_amazon_is_asked_again(as_alice: Client, firm: Domain) -> None:
    sending_world.works(firm)
    in_ten = timezone.now() + timedelta(minutes=10)
    run = Run.objects.create(
        program=WatchSending.__name__, subject=f"sending:{firm.home}", step="look", due_at=in_ten
    )
    as_alice.get(f"{page_of(firm)}/live")
    run.refresh_from_db()
    assert run.due_at <= timezone.now()


def test_a_look_of_a_moment_ago_is_not_repeated(as_alice: Client, firm: Domain) -> None:
    sending_world.works(firm)
    due = timezone.now() + timedelta(minutes=14, seconds=50)
    run = Run.objects.create(
        program=WatchSending.__name__, subject=f"sending:{firm.home}", step="look", due_at=due
    )
    as_alice.get(f"{page_of(firm)}/live")
    run.refresh_from_db()
    assert run.due_at == due
