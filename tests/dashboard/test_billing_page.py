"""The billing page says what stops, what stays, until when, how to take the mail along, and how to come back."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account
from billing.models import Subscription
from dashboard.subscriptions import CHARGED
from sandbox.gumroad.product import MONTHS
from servers import actions, resizing
from servers.models import Server
from tests.dashboard import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def post(account: Account) -> Server:
    server = world.running(account)
    world.subscription(account, server)
    return server


def shown(client: Client) -> str:
    return " ".join(client.get("/billing").content.decode().split())


def test_before_cancelling_all_of_it_is_said(as_alice: Client, post: Server):
    html = shown(as_alice)
    for words in (
        "Nothing changes until the day on which the next charge would have come",
        "Then for 7 days more",
        "A letter comes at once, three days before the deletion and one day before it",
        "nobody can bring them back",
        "What stays: your account, the record of who did what for a year, and a signed receipt",
        "you find everything as it was",
        "a new, empty server",
    ):
        assert words in html
    assert f"/servers/{post.pk}/exports" in html


def test_after_the_end_it_says_until_when(as_alice: Client, post: Server):
    now = timezone.now()
    Subscription.objects.update(status=Subscription.Status.ENDED, ended_at=now)
    actions.schedule_destruction(server=post, ended_at=now, reason="cancelled", by="gumroad")
    html = shown(as_alice)
    assert "What stays until then, and how to come back" in html
    assert "Renew at Gumroad" in html
    assert f"/servers/{post.pk}/exports" in html
    assert "What happens if I stop?" not in html


def test_an_ended_one_without_a_server_promises_nothing(as_alice: Client, account: Account):
    world.subscription(account, status=Subscription.Status.ENDED, ended_at=timezone.now() - timedelta(days=9))
    html = shown(as_alice)
    assert "how to come back" not in html
    assert "/exports" not in html


def test_what_is_paid_and_not_yet_done_leads_to_the_plan(as_alice: Client, post: Server):
    Subscription.objects.update(plan="plus")
    resizing.want_plan(server=post, plan="plus", by="gumroad")
    html = shown(as_alice)
    assert "You pay for Plus, and the server is Basic until it is changed." in html
    assert f"/servers/{post.pk}/plan" in html


def test_what_is_announced_is_told(as_alice: Client, post: Server):
    Subscription.objects.update(next_plan="pro")
    assert "From the next charge on it is Pro." in shown(as_alice)


@pytest.mark.parametrize(("recurrence", "words"), [
    ("monthly", "every month"), ("quarterly", "every three months"), ("biannually", "every six months"),
    ("yearly", "every year"), ("every_two_years", "every two years"),
])  # fmt: skip
def test_how_often_is_said_in_our_words(as_alice: Client, post: Server, recurrence: str, words: str):
    Subscription.objects.update(recurrence=recurrence)
    assert f"<dt>Charged</dt><dd>{words}</dd>" in shown(as_alice)


def test_a_word_of_gumroads_that_is_not_known_is_not_shown(as_alice: Client, post: Server):
    Subscription.objects.update(recurrence="every_blue_moon")
    html = shown(as_alice)
    assert "every_blue_moon" not in html
    assert "<dt>Charged</dt>" not in html


def test_there_are_words_for_each_recurrence_of_gumroad():
    assert set(CHARGED) == set(MONTHS)
