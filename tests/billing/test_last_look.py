"""Nobody's server is deleted over a ping that Gumroad could not be asked about; of whom nothing was heard, the day stays."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from billing import actions
from billing.models import Ping, Subscription
from billing.programs import PATIENCE
from engine.models import Alarm, Run
from engine.program import Done, Hop, Nap, Next
from servers.models import Destruction, Server
from servers.programs.destroy import DOUBTED_AT_MOST, Destroy
from tests.billing.conftest import Deliver, work_on
from tests.billing.shop import Bought, Shop
from tests.billing.year import work_on_all
from tests.servers.conftest import program

pytestmark = pytest.mark.django_db
Became, Status = Ping.Became, Subscription.Status
BEGIN = Hop("begin")


@pytest.fixture
def bought(shop: Shop, deliver: Deliver, db: None) -> Bought:
    """It has a server, has ended, and its day has come."""
    deliver(shop.buy()[0])
    actions.make_server(subscription=Subscription.objects.get(), name="bakery", place="fsn1", by="user:1")
    deliver(shop.end(shop.bought["sub1=="], days_ago=7)[0])
    Subscription.objects.update(checked_at=timezone.now() - timedelta(minutes=9))
    is_due()
    return shop.bought["sub1=="]


def is_due(ago: timedelta = timedelta(seconds=1)) -> None:
    Destruction.objects.update(due_at=timezone.now() - ago)


def the_day_comes() -> Next:
    """What the program of the deletion does then."""
    outcome: Next = program(Destroy, Server.objects.get()).wait_grace()
    return outcome


def alarms() -> list[str]:
    return list(Alarm.objects.filter(closed_at=None, key__contains="unasked").values_list("says", flat=True))


@pytest.fixture(params=[503, 401])
def no_answer(shop: Shop, bought: Bought, request: pytest.FixtureRequest) -> Iterator[pytest.MonkeyPatch]:
    """Gumroad is away, or our token was revoked; until it is undone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shop, "answer", lambda path: (request.param, {}))
        yield patch


@pytest.mark.parametrize("told", [0, 1], ids=["restarted", "charged"])
def test_a_return_that_gumroad_could_not_be_asked_about_is_waited_for(
    shop: Shop, deliver: Deliver, bought: Bought, no_answer: pytest.MonkeyPatch, told: int
) -> None:
    ping = deliver(shop.restart(bought)[told])
    assert ping.became == Became.NEW
    for _ in range(2):
        assert isinstance(the_day_comes(), Nap)
    assert len(alarms()) == 1
    assert "alice@example.test" in alarms()[0]

    no_answer.undo()
    work_on(ping)
    assert Subscription.objects.get().status == Status.ALIVE
    assert (the_day_comes(), alarms()) == (Done("kept"), [])


def test_one_that_was_only_kept_is_waited_for_too(shop: Shop, bought: Bought) -> None:
    """No worker has read it yet."""
    actions.keep_ping(body=shop.restart(bought)[0], content_type="application/x-www-form-urlencoded")
    assert isinstance(the_day_comes(), Nap)


def test_of_whom_nothing_was_heard_the_day_stays(no_answer: pytest.MonkeyPatch) -> None:
    assert (the_day_comes(), alarms()) == (BEGIN, [])


def test_what_is_told_of_others_keeps_nobody(
    shop: Shop, deliver: Deliver, no_answer: pytest.MonkeyPatch
) -> None:
    for body in (*shop.buy(email="bob@example.test"), b"no ping", b"resource_name=sale&sale_id=x"):
        deliver(body)
    assert the_day_comes() == BEGIN


def test_what_came_before_the_last_answer_keeps_nobody(
    shop: Shop, deliver: Deliver, bought: Bought, no_answer: pytest.MonkeyPatch
) -> None:
    ping = deliver(shop.ping(bought, "subscription_ended"))
    Ping.objects.filter(pk=ping.pk).update(received_at=timezone.now() - timedelta(minutes=10))
    assert the_day_comes() == BEGIN


def test_a_ping_that_says_nothing_new_is_waited_for_until_that_is_known(
    shop: Shop, deliver: Deliver, bought: Bought, no_answer: pytest.MonkeyPatch
) -> None:
    ping = deliver(shop.ping(bought, "subscription_restarted"))
    assert isinstance(the_day_comes(), Nap)
    no_answer.undo()
    assert work_on(ping).became == Became.APPLIED
    assert (the_day_comes(), alarms()) == (BEGIN, [])


def test_a_charge_that_gumroad_knows_nothing_of_is_nothing(
    shop: Shop, deliver: Deliver, bought: Bought, no_answer: pytest.MonkeyPatch
) -> None:
    """Somebody may know the webhook's secret."""
    forged = deliver(b"resource_name=sale&sale_id=none&subscription_id=sub1%3D%3D")
    assert isinstance(the_day_comes(), Nap)
    no_answer.undo()
    Ping.objects.filter(pk=forged.pk).update(received_at=timezone.now() - PATIENCE)
    Subscription.objects.update(checked_at=timezone.now() - PATIENCE * 2)
    assert work_on(forged).became == Became.PUZZLING
    assert (the_day_comes(), alarms()) == (BEGIN, [])


def test_another_answer_of_gumroads_is_answer_enough(
    shop: Shop, deliver: Deliver, bought: Bought, no_answer: pytest.MonkeyPatch
) -> None:
    """The ping waits for its next try, and meanwhile the subscription was asked about."""
    deliver(shop.ping(bought, "subscription_restarted"))
    assert isinstance(the_day_comes(), Nap)
    no_answer.undo()
    actions.ask_again(subscription=Subscription.objects.get(), by="user:9")
    work_on_all("AskAgain")
    assert (the_day_comes(), alarms()) == (BEGIN, [])


def test_it_is_waited_for_three_days_and_not_longer(
    shop: Shop, deliver: Deliver, bought: Bought, no_answer: pytest.MonkeyPatch
) -> None:
    deliver(shop.restart(bought)[0])
    is_due(DOUBTED_AT_MOST - timedelta(minutes=1))
    assert isinstance(the_day_comes(), Nap)
    is_due(DOUBTED_AT_MOST)
    assert the_day_comes() == BEGIN
    assert timedelta(days=3) == DOUBTED_AT_MOST
    assert len(alarms()) == 1, "nobody could say whether that was right"


def test_before_the_day_nothing_is_doubted(
    shop: Shop, deliver: Deliver, bought: Bought, no_answer: pytest.MonkeyPatch
) -> None:
    deliver(shop.restart(bought)[0])
    Destruction.objects.update(due_at=timezone.now() + timedelta(hours=1))
    assert isinstance(the_day_comes(), Nap)
    assert (alarms(), Run.objects.filter(program="Destroy", finished_at=None).count()) == ([], 1)
