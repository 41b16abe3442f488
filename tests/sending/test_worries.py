"""What goes wrong with an account at Amazon is told to its owners once, and once more when it is over."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Event
from clients.aws_policy import policy
from domains.models import Domain
from engine.models import Run
from sending import worries, worry_letters
from sending.models import Credentials, Standing, Worry
from tests.sandbox.aws.place import REGION, Place
from tests.sending.conftest import answer, fresh, paste
from tests.sending.test_check import without
from tests.sending.watching import Watched


@pytest.fixture
def watched(amazon: Place, firm: Domain) -> Watched:
    return Watched(amazon, firm)


Do = Callable[[Watched], object]
CASES: dict[str, tuple[Do, Do, str]] = {
    "paused": (lambda w: w.is_now("paused"), lambda w: w.is_now("production"), "Amazon has paused sending"),
    "review": (
        lambda w: w.is_now("under_review"),
        lambda w: w.is_now("production"),
        "Amazon is reviewing your account",
    ),
    "quota": (
        lambda w: w.is_now("production", sent_before=40_000),
        lambda w: w.is_now("production", sent_before=34_000),
        "Of the 50,000 recipients that Amazon allows your account in a day, 40,000 are used.",
    ),
}


@pytest.mark.parametrize("code", CASES)
def test_it_begins_is_told_once_is_over_and_told_once(watched: Watched, code: str) -> None:
    begin, end, says = CASES[code]
    begin(watched)
    watched.look(2)
    assert (watched.open, watched.letters) == ([code], ["sending_trouble"])
    assert watched.last.to == "alice@example.test"
    assert watched.last.context["says"].startswith(says)
    assert watched.last.context["url"] == f"/mail/sending/{watched.firm.home}"

    end(watched)
    watched.look(2)
    assert (watched.open, watched.letters) == ([], ["sending_trouble", "sending_well"])
    names = Event.objects.filter(account_id=watched.firm.account_id, action__startswith="sending.").order_by(
        "id"
    )
    assert list(names.values_list("action", flat=True)) == ["sending.trouble_began", "sending.trouble_ended"]


def test_it_is_told_again_when_it_comes_again(watched: Watched) -> None:
    for state in ("paused", "production", "paused"):
        watched.is_now(state)
        watched.look()
    assert watched.letters == ["sending_trouble", "sending_well", "sending_trouble"]
    assert Worry.objects.filter(code="paused").count() == 2


def test_a_healthy_account_worries_nobody(watched: Watched) -> None:
    watched.look(2)
    assert not Worry.objects.exists()
    assert watched.letters == []


def test_a_key_that_was_switched_off_is_told_when_it_lasts(watched: Watched) -> None:
    watched.switch_key(active=False)
    watched.look(2)
    assert (watched.open, watched.letters) == ([], [])
    watched.later().look(2)
    assert (watched.open, watched.letters) == (["key_stopped"], ["sending_trouble"])
    assert "no longer knows the access key" in watched.last.context["says"]
    assert watched.key["access_key"] not in str(watched.last.context)

    watched.switch_key(active=True)
    watched.look(2)
    assert (watched.open, watched.letters) == ([], ["sending_trouble", "sending_well"])


def test_while_it_is_not_sure_it_looks_again_soon(watched: Watched) -> None:
    watched.switch_key(active=False)
    watched.look()
    due = Run.objects.get(subject=f"sending:{watched.firm.home}", finished_at=None).due_at
    assert due is not None
    assert due < timezone.now() + timedelta(seconds=400)


def test_a_hiccup_tells_nobody(watched: Watched) -> None:
    watched.switch_key(active=False)
    watched.look()
    watched.switch_key(active=True)
    watched.look()
    watched.switch_key(active=False)
    watched.later().look()
    assert (watched.open, watched.letters) == ([], [])
    assert Worry.objects.filter(code="key_stopped", over_at=None).count() == 1


def test_an_amazon_that_wants_fewer_calls_changes_nothing(watched: Watched) -> None:
    watched.is_now("paused")
    watched.look()
    watched.is_now("throttled")
    assert "fewer calls" in watched.later().try_to_look()
    assert (watched.open, watched.letters) == (["paused"], ["sending_trouble"])


def test_while_the_key_is_refused_nothing_is_said_of_what_cannot_be_seen(watched: Watched) -> None:
    watched.is_now("under_review")
    watched.look()
    watched.switch_key(active=False)
    watched.look().later().look()
    assert watched.open == ["key_stopped", "review"]
    assert watched.letters == ["sending_trouble"] * 2


def test_a_permission_that_was_taken_away_is_named(amazon: Place, firm: Domain) -> None:
    watched = Watched(amazon, firm)
    account = watched.key["account"]
    least = policy(region=REGION, domains=[firm.name], account=account)
    less = {**least, "Statement": [without(one, "sns:CreateTopic") for one in least["Statement"]]}
    amazon.post("users", account=account, user="mailat-sending", policy=less)
    watched.look()
    since = Standing.objects.get(home=firm.home).trouble_at
    watched.later().look()
    assert watched.open == ["key_stopped"]
    assert "no longer allows the key of your server to do sns:CreateTopic" in watched.last.context["says"]
    assert "waits on your server" not in watched.last.context["next"]
    assert Standing.objects.get(home=firm.home).trouble_at == since


def test_what_is_paused_is_no_longer_told_as_reviewed(watched: Watched) -> None:
    for state in ("under_review", "paused", "production"):
        watched.is_now(state)
        watched.look()
    assert watched.letters == ["sending_trouble", "sending_trouble", "sending_well"]


def test_who_switched_sending_off_is_told_apart(watched: Watched) -> None:
    watched.is_now("switched_off")
    watched.look()
    assert watched.last.context["says"] == "Sending is switched off in your AWS account."
    assert "waits on your server, for five days" in watched.last.context["next"]


def test_around_the_line_of_the_quota_nothing_begins_and_ends_again(watched: Watched) -> None:
    for sent in (39_000, 40_100, 38_000, 40_200, 36_000):
        watched.is_now("production", sent_before=sent)
        watched.look()
    assert watched.letters == ["sending_trouble"]
    assert watched.open == ["quota"]


def test_where_there_is_no_limit_no_quota_ends(watched: Watched) -> None:
    watched.is_now("production", max24=-1, sent_before=1_000_000)
    watched.look()
    assert watched.open == []


def test_a_domain_that_lost_its_records_is_told_when_it_lasts_and_when_they_are_back(
    watched: Watched,
) -> None:
    watched.lose_records()
    watched.look(2)
    assert watched.letters == []
    watched.later().look(2)
    assert watched.open == ["domain"]
    assert watched.last.context["says"].startswith("Amazon no longer")
    assert "firm.test" in watched.last.context["says"]

    watched.enter_records()
    watched.look()
    assert watched.letters == ["sending_trouble", "sending_well"]


def test_a_domain_that_never_had_its_records_worries_nobody(
    amazon: Place, firm: Domain, watched: Watched
) -> None:
    Domain.objects.create(account=firm.account, home=firm.home, name="new.test")
    watched.look().later().look()
    assert not Worry.objects.exists()


def test_a_domain_that_goes_takes_its_worry_with_it(watched: Watched, firm: Domain) -> None:
    watched.lose_records()
    watched.look().later().look()
    firm.identity.delete()
    worries.look(watched.row, answered=False)
    assert (watched.open, watched.letters) == ([], ["sending_trouble"])


def test_an_old_key_is_told_once_and_then_each_quarter(watched: Watched) -> None:
    Credentials.objects.update(added_at=timezone.now() - timedelta(days=91))
    watched.look(2)
    assert (watched.open, watched.letters) == (["key_old"], ["sending_trouble"])
    watched.later(timedelta(days=89)).look()
    assert watched.letters == ["sending_trouble"]
    watched.later(timedelta(days=1)).look(2)
    assert watched.letters == ["sending_trouble"] * 2


def test_a_new_key_ends_the_worry_about_the_old_one_without_a_word(watched: Watched, firm: Domain) -> None:
    Credentials.objects.update(added_at=timezone.now() - timedelta(days=91))
    watched.look()
    paste(firm, watched.amazon.key(account=watched.key["account"]))
    answer(firm.home)
    assert (watched.open, watched.letters) == ([], ["sending_trouble"])


def test_a_new_key_in_place_of_one_that_was_switched_off_makes_it_well(
    watched: Watched, firm: Domain
) -> None:
    watched.switch_key(active=False)
    watched.look().later().look()
    row = paste(firm, watched.amazon.key(account=watched.key["account"]))
    watched.look()
    assert watched.open == ["key_stopped"]
    answer(firm.home)
    assert fresh(row).state == "in_use"
    assert (watched.open, watched.letters) == ([], ["sending_trouble", "sending_well"])


@pytest.mark.parametrize("case", worry_letters.WORDS)
def test_each_case_has_words_without_holes(case: str) -> None:
    code, _dot, which = case.partition(".")
    facts = {
        "key": "MPLE",
        "why": which,
        "by": which,
        "region": REGION,
        "action": "sns:CreateTopic",
        "sent": 4000,
    }
    facts |= {
        "most": 5000,
        "bounces": 40,
        "complaints": 1,
        "days": 91,
        "domain": "firm.test",
        "verified": not which,
    }
    said = worry_letters.says(code, facts), worry_letters.advice(code, facts)
    assert not any("…" in one or "%(" in one or "%%" in one for one in said)
    assert case == worry_letters._case(code, facts)
