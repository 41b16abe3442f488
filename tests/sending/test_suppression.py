"""Amazon's suppression list, shown to an owner for an hour, and an address that may be written to again."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Event
from clients.aws_policy import policy
from domains.models import Domain
from domains.refusals import Refusal
from engine.models import Run
from sending import actions, suppression, tasks
from sending.models import Suppression
from sending.programs import read_suppressed
from tests.sandbox.aws.place import REGION, Place
from tests.sending.conftest import BY, due_now, paste, work
from tests.sending.test_check import answer, without


@pytest.fixture
def key(amazon: Place, firm: Domain) -> dict[str, str]:
    """In use."""
    made = amazon.key()
    paste(firm, made)
    answer(firm.home)
    return made


def suppress(amazon: Place, key: dict[str, str], *addresses: str, reason: str = "BOUNCE") -> None:
    for each in addresses:
        amazon.cloud.sets.suppress(key["account"], REGION, each, reason)


def show(firm: Domain) -> Suppression:
    suppression.show(account=firm.account, home=firm.home, by=BY)
    due_now()
    return Suppression.objects.get(home=firm.home)


def addresses(row: Suppression) -> list[str]:
    return [one["address"] for one in row.entries]


def told() -> str:
    """All that stays when the list is gone."""
    return str(list(Event.objects.values())) + str(list(Run.objects.values()))


def test_the_list_is_read_newest_first_with_its_reasons(
    amazon: Place, firm: Domain, key: dict[str, str]
) -> None:
    suppress(amazon, key, "old@outside.test", reason="COMPLAINT")
    amazon.cloud.store.do("update aws_suppressed set at = at - 60")
    suppress(amazon, key, "new@outside.test")
    row = show(firm)
    assert [(one["address"], one["reason"]) for one in row.entries] == [
        ("new@outside.test", "BOUNCE"),
        ("old@outside.test", "COMPLAINT"),
    ]
    assert (row.more, row.trouble) == (False, None)
    read = Event.objects.get(action="suppression.read")
    assert read.facts["n"] == 2


def test_an_empty_list_is_read_as_one(firm: Domain, key: dict[str, str]) -> None:
    row = show(firm)
    assert row.read_at
    assert row.entries == []


def test_no_event_and_no_run_names_anybody(amazon: Place, firm: Domain, key: dict[str, str]) -> None:
    suppress(amazon, key, "somebody@outside.test")
    show(firm)
    suppression.allow(home=firm.home, address="somebody@outside.test", by=BY)
    due_now()
    suppression.forget(home=firm.home, by=BY)
    assert "suppression.allowed" in told()
    assert "somebody" not in told()


def test_of_a_long_list_the_newest_are_kept_and_the_rest_is_said(
    amazon: Place, firm: Domain, key: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clients.aws_ses.PAGE", 2)
    monkeypatch.setattr(read_suppressed, "MOST", 3)
    monkeypatch.setattr(read_suppressed, "AT_ONCE", 2)
    suppress(amazon, key, *(f"reader{n}@outside.test" for n in range(9)))
    row = show(firm)
    assert row.read_at is None
    assert Run.objects.get(program="ReadSuppressed").args["seen"] == 4
    for _ in range(2):
        due_now()
    row.refresh_from_db()
    assert addresses(row) == ["reader8@outside.test", "reader7@outside.test", "reader6@outside.test"]
    assert row.more
    assert "token" not in Run.objects.get(program="ReadSuppressed").args


def test_a_list_of_just_as_many_as_are_kept_is_whole(
    amazon: Place, firm: Domain, key: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_suppressed, "MOST", 2)
    suppress(amazon, key, "a@outside.test", "b@outside.test")
    assert not show(firm).more


def test_what_amazon_does_not_allow_is_named_and_can_be_asked_again(amazon: Place, firm: Domain) -> None:
    account = amazon.post("accounts")["account"]
    least = policy(region=REGION, domains=[firm.name], account=account)
    key = amazon.key(account=account, policy=least)
    paste(firm, key)
    answer(firm.home)
    less = {
        **least,
        "Statement": [without(one, "ses:ListSuppressedDestinations") for one in least["Statement"]],
    }
    amazon.post("users", account=account, user="mailat-sending", policy=less)
    row = show(firm)
    assert row.trouble["code"] == "permission"
    assert row.trouble["facts"]["action"] == "ses:ListSuppressedDestinations"
    assert Run.objects.get(program="ReadSuppressed").finished_at
    amazon.post("users", account=account, user="mailat-sending", policy=least)
    assert show(firm).read_at


def test_a_key_that_was_stopped_is_said(amazon: Place, firm: Domain, key: dict[str, str]) -> None:
    amazon.cloud.iam.switch(key["access_key"], False)
    assert show(firm).trouble["code"] == "wrong_key"


def test_while_amazon_wants_fewer_calls_it_is_asked_later(
    amazon: Place, firm: Domain, key: dict[str, str]
) -> None:
    suppress(amazon, key, "a@outside.test")
    amazon.choose(key, "throttled")
    row = show(firm)
    assert (row.read_at, row.trouble["code"]) == (None, "throttled")
    amazon.choose(key, "production")
    due_now()
    row.refresh_from_db()
    assert (addresses(row), row.trouble) == (["a@outside.test"], None)


def test_without_a_key_nobody_is_asked(firm: Domain) -> None:
    with pytest.raises(Refusal, match="no access key"):
        suppression.show(account=firm.account, home=firm.home, by=BY)
    assert not Suppression.objects.exists()


def test_a_key_that_ends_meanwhile_leaves_no_list(amazon: Place, firm: Domain, key: dict[str, str]) -> None:
    suppress(amazon, key, "a@outside.test")
    show(firm)
    actions.remove(home=firm.home, by=BY)
    assert not Suppression.objects.exists()
    due_now()
    assert not Suppression.objects.exists()


def test_asked_twice_it_is_read_once_and_not_again_within_a_minute(firm: Domain, key: dict[str, str]) -> None:
    for _ in range(2):
        suppression.show(account=firm.account, home=firm.home, by=BY)
    assert Event.objects.filter(action="suppression.asked").count() == 1
    due_now()
    with pytest.raises(Refusal, match="less than a minute ago"):
        suppression.show(account=firm.account, home=firm.home, by=BY)
    Suppression.objects.update(read_at=timezone.now() - timedelta(minutes=2))
    assert show(firm).read_at


def test_an_address_is_taken_off_at_amazon(amazon: Place, firm: Domain, key: dict[str, str]) -> None:
    suppress(amazon, key, "a@outside.test", "b@outside.test")
    show(firm)
    suppression.allow(home=firm.home, address="a@outside.test", by=BY)
    suppression.allow(home=firm.home, address="a@outside.test", by=BY)
    due_now()
    row = Suppression.objects.get()
    assert {one["address"]: one.get("again") for one in row.entries} == {
        "a@outside.test": "allowed",
        "b@outside.test": None,
    }
    left = amazon.cloud.sets.suppressed(key["account"], REGION)
    assert [one["EmailAddress"] for one in left] == ["b@outside.test"]
    assert Event.objects.filter(action="suppression.allow_asked", by=BY).count() == 1
    assert Event.objects.filter(action="suppression.allowed").count() == 1


def test_what_is_off_the_list_already_is_as_good(amazon: Place, firm: Domain, key: dict[str, str]) -> None:
    suppress(amazon, key, "a@outside.test")
    show(firm)
    amazon.cloud.sets.allow(key["account"], REGION, "a@outside.test")
    suppression.allow(home=firm.home, address="a@outside.test", by=BY)
    due_now()
    assert Suppression.objects.get().entries[0]["again"] == "allowed"


def test_amazons_refusal_stands_beside_the_address_and_it_can_be_tried_again(
    amazon: Place, firm: Domain, key: dict[str, str]
) -> None:
    suppress(amazon, key, "a@outside.test")
    show(firm)
    amazon.cloud.iam.switch(key["access_key"], False)
    suppression.allow(home=firm.home, address="a@outside.test", by=BY)
    due_now()
    entry = Suppression.objects.get().entries[0]
    assert (entry["again"], entry["trouble"]["code"]) == ("refused", "wrong_key")
    amazon.cloud.iam.switch(key["access_key"], True)
    suppression.allow(home=firm.home, address="a@outside.test", by=BY)
    due_now()
    assert Suppression.objects.get().entries[0]["again"] == "allowed"


def test_only_what_stands_on_the_list_is_taken_off(amazon: Place, firm: Domain, key: dict[str, str]) -> None:
    with pytest.raises(Refusal, match="not kept any more"):
        suppression.allow(home=firm.home, address="a@outside.test", by=BY)
    show(firm)
    with pytest.raises(Refusal, match="not kept any more"):
        suppression.allow(home=firm.home, address="a@outside.test", by=BY)


def test_while_an_address_is_taken_off_the_list_is_not_read_anew(
    amazon: Place, firm: Domain, key: dict[str, str]
) -> None:
    suppress(amazon, key, "a@outside.test")
    show(firm)
    suppression.allow(home=firm.home, address="a@outside.test", by=BY)
    with pytest.raises(Refusal, match="being asked to take an address off"):
        suppression.show(account=firm.account, home=firm.home, by=BY)


@pytest.mark.parametrize(("minutes", "left"), [(51, 0), (49, 1)])
def test_the_clock_lets_the_list_leave_within_the_hour(
    amazon: Place, firm: Domain, key: dict[str, str], minutes: int, left: int
) -> None:
    suppress(amazon, key, "a@outside.test")
    show(firm)
    Suppression.objects.update(asked_at=timezone.now() - timedelta(minutes=minutes))
    tasks.forget_suppressed()
    assert Suppression.objects.count() == left
    assert Event.objects.filter(action="suppression.forgotten", by="clock").count() == 1 - left


def test_what_is_asked_for_when_the_list_has_left_does_nothing(
    amazon: Place, firm: Domain, key: dict[str, str]
) -> None:
    suppress(amazon, key, "a@outside.test")
    show(firm)
    suppression.allow(home=firm.home, address="a@outside.test", by=BY)
    assert suppression.forget(home=firm.home, by=BY)
    assert not suppression.forget(home=firm.home, by=BY)
    work()
    assert Run.objects.get(program="AllowAgain").outcome == "forgotten"
    assert amazon.cloud.sets.suppressed(key["account"], REGION)
