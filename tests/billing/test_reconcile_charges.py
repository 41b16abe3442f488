"""What charges say of plan and money is found by reconciliation where no ping told of it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from billing import actions, reconcile
from billing.models import Ping, Reconciliation, Subscription
from servers.models import PlanChange
from tests.billing.conftest import Deliver, work_on
from tests.billing.reconciling import open_alarms, receipt, reconciled
from tests.billing.shop import Shop

pytestmark = pytest.mark.django_db
Status = Subscription.Status


def test_a_charge_of_another_plan_that_no_ping_told_of_is_found(shop: Shop, deliver: Deliver) -> None:
    deliver(shop.buy()[0])
    row, bought = Subscription.objects.get(), shop.bought["sub1=="]
    actions.make_server(subscription=row, name="bakery", place="fsn1", by="user:1")
    deliver(shop.announce(bought, "Basic"))
    bought.tier = "Pro"
    shop.charge(bought)
    assert reconciled().repaired == 1
    row.refresh_from_db()
    assert (row.plan, row.next_plan) == ("pro", "")
    assert PlanChange.objects.get().after == "pro"


def test_a_change_taken_back_is_forgotten_with_the_charge_of_the_old_plan(
    shop: Shop, deliver: Deliver
) -> None:
    deliver(shop.buy()[0])
    deliver(shop.announce(shop.bought["sub1=="], "Basic"))
    assert reconciled().repaired == 0
    assert Subscription.objects.get().next_plan == "basic"
    shop.charge(shop.bought["sub1=="])
    assert reconciled().repaired == 1
    assert Subscription.objects.get().next_plan == ""


def test_money_that_went_back_without_a_ping_is_found(shop: Shop, deliver: Deliver) -> None:
    deliver(shop.buy()[0])
    shop.refund("sale1==", in_full=True)
    reconciled()
    shop.charge(shop.bought["sub1=="])
    assert reconciled().repaired == 1
    assert Subscription.objects.get().returned == ""
    shop.refund("sale2==", in_full=True)
    assert reconciled().repaired == 1
    assert Subscription.objects.get().returned == "refunded"
    assert reconciled().repaired == 0


def test_money_that_went_back_to_who_gave_a_gift_is_found(shop: Shop, deliver: Deliver) -> None:
    deliver(shop.give("giver@example.test", "bob@example.test")[0])
    shop.refund("sale1==", in_full=True)
    assert reconciled().repaired == 1
    assert Subscription.objects.get().returned == "refunded"
    assert reconciled().repaired == 0


def test_a_gift_whose_charge_the_api_does_not_show_yet_is_waited_for(shop: Shop, deliver: Deliver) -> None:
    (body,) = shop.give("giver@example.test", "bob@example.test")
    shop.hidden.add("sale1==")
    ping = deliver(body)
    assert (ping.became, Subscription.objects.count()) == (Ping.Became.NEW, 0)
    shop.hidden.clear()
    assert work_on(ping).became == Ping.Became.APPLIED


def test_one_that_begins_again_without_a_charge_is_found_though_it_has_no_server(
    shop: Shop, deliver: Deliver
) -> None:
    deliver(shop.buy()[0])
    bought = shop.bought["sub1=="]
    reconciled()
    _dispute_is_lost, ended = shop.dispute(bought)
    deliver(ended)
    row = Subscription.objects.get()
    assert (row.status, row.returned, row.server) == (Status.ENDED, "disputed", None)
    shop.win(bought)
    assert reconciled().repaired == 1
    row.refresh_from_db()
    assert (row.status, row.returned) == (Status.ALIVE, "")


def test_a_charge_that_the_api_does_not_show_keeps_nobody_from_following_an_end(
    shop: Shop, deliver: Deliver
) -> None:
    deliver(shop.buy()[0])
    shop.hidden.add("sale1==")
    deliver(shop.end(shop.bought["sub1=="])[0])
    assert Subscription.objects.get().status == Status.ENDED


def test_a_charge_that_is_older_than_the_list_is_read_by_its_id(shop: Shop, deliver: Deliver) -> None:
    deliver(shop.buy()[0])
    reconciled()
    shop.refund("sale1==", in_full=True)
    row = reconciled()
    assert (row.sales, row.repaired) == (0, 1)
    assert Subscription.objects.get().returned == "refunded"


def test_a_sale_of_long_ago_is_found_when_the_product_is_put_right(shop: Shop, settings: Any) -> None:
    shop.buy(product="renewed==", days_ago=40)
    assert reconciled().puzzling == 1
    settings.GUMROAD_PRODUCT_ID = "renewed=="
    assert reconciled().repaired == 1
    assert Subscription.objects.get().status == Status.ALIVE
    assert not open_alarms()
    assert reconciled().puzzled_since is None


@pytest.mark.parametrize(
    "told",
    [
        {"variants": [1]},
        {"created_at": "some day"},
        {"variants": [1], "created_at": None},
        {"seller_id": "another=="},
        {"subscription_id": None},
        {"subscription_id": None, "created_at": None},
    ],
)
def test_a_sale_of_long_ago_that_needs_a_person_is_read_again_until_it_is_understood(
    shop: Shop, told: dict[str, object]
) -> None:
    shop.buy(days_ago=40)
    shop.spoiled["sale1=="] = told
    for _ in range(2):
        assert reconciled().puzzling == 1
    shop.spoiled.clear()
    assert receipt(reconciled()) == (1, 0, 1, 0, "")


def test_while_the_list_never_comes_what_we_hold_is_looked_at_each_night(
    shop: Shop, deliver: Deliver
) -> None:
    for email in ("alice@example.test", "bob@example.test"):
        deliver(shop.buy(email=email)[0])
    shop.slow_list = True
    shop.end(shop.bought["sub1=="])
    first = reconciled(steps=20)
    assert Subscription.objects.get(gumroad_id="sub1==").status == Status.ENDED
    assert (first.ended_at, first.error[:6]) == (None, "waits:")
    Reconciliation.objects.update(began_at=timezone.now() - timedelta(hours=13))
    assert reconciled(steps=2).ended_at
    shop.end(shop.bought["sub2=="])
    reconciled(steps=20)
    assert not Subscription.objects.exclude(status=Status.ENDED).exists()
    assert not reconcile.succeeded().exists()


def test_a_list_that_came_late_is_read_to_its_end(shop: Shop, deliver: Deliver) -> None:
    deliver(shop.buy()[0])
    shop.buy(email="bob@example.test")
    shop.slow_list = True
    reconciled(steps=5)
    shop.slow_list = False
    assert receipt(reconciled()) == (2, 1, 1, 0, "")
