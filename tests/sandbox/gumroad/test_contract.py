"""What our client takes for granted of Gumroad's API, asked of the stand-in; or of the real one, for whoever has a seller there.

For the real one set GUMROAD_CONTRACT_TOKEN (a seller's own, with view_sales) and GUMROAD_CONTRACT_PRODUCT (the id of a test
membership, sold at least once), and GUMROAD_CONTRACT_URL if it is not https://api.gumroad.com/v2. Nothing is changed there.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
import requests

from clients.errors import Gone, Refused
from clients.gumroad import Gumroad as Client
from sandbox.gumroad.pings import RESOURCES
from tests.sandbox.gumroad.conftest import PRODUCT, TOKEN, Browser

REAL = os.environ.get("GUMROAD_CONTRACT_TOKEN", "")
STATUSES = {
    "alive", "pending_cancellation", "pending_failure", "failed_payment", "fixed_subscription_period_ended", "cancelled",
}  # fmt: skip
OF_A_SALE = {
    "id", "email", "seller_id", "created_at", "price", "product_id", "product_name", "product_permalink", "variants",
    "purchase_email", "order_id", "disputed", "dispute_won", "card", "custom_fields", "subscription_id", "cancelled",
    "ended", "dead", "recurring_charge",
}  # fmt: skip
OF_A_SUBSCRIBER = {
    "id", "email", "product_id", "product_name", "user_id", "user_email", "purchase_ids", "created_at",
    "user_requested_cancellation_at", "charge_occurrence_count", "recurrence", "cancelled_at", "ended_at", "failed_at",
    "free_trial_ends_at", "status",
}  # fmt: skip


@dataclass
class Contract:
    """The API of somebody who has sold something."""

    url: str
    token: str
    product: str

    def get(self, path: str, **params: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return requests.get(self.url + path, params=params, headers=headers, timeout=20)

    def sales(self, **params: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.get("/sales", product_id=self.product, **params).json()
        assert answer["success"] is True
        return answer


@pytest.fixture
def contract(request: pytest.FixtureRequest) -> Contract:
    if REAL:
        url = os.environ.get("GUMROAD_CONTRACT_URL", "https://api.gumroad.com/v2")
        return Contract(url.rstrip("/"), REAL, os.environ["GUMROAD_CONTRACT_PRODUCT"])
    browser: Browser = request.getfixturevalue("browser")
    for number in range(12):
        browser.buy(email=f"alice{number}@example.test", tier="Plus")
    browser.buy(email="bob@example.test", giftee_email="charlie@example.test")
    ended = browser.buy(email="dora@example.test", quantity=2, account_email="c@example.test")[
        "subscription_id"
    ]
    browser.act(ended, "cancel")
    return Contract(request.getfixturevalue("api_url"), TOKEN, PRODUCT)


@pytest.fixture
def asked(contract: Contract) -> Iterator[Client]:
    with Client(contract.token, contract.url, timeout=(5, 20)) as client:
        yield client


def test_the_seller_is_named(contract: Contract):
    user = contract.get("/user").json()["user"]
    assert user["user_id"]


def test_sales_come_by_ten_the_newest_first_and_lead_on_by_a_key(contract: Contract):
    first = contract.sales()
    moments = [sale["created_at"] for sale in first["sales"]]
    assert 1 <= len(moments) <= 10
    assert moments == sorted(moments, reverse=True)
    assert ("next_page_key" in first) == ("next_page_url" in first)
    if key := first.get("next_page_key"):
        assert len(moments) == 10
        second = contract.sales(page_key=key)["sales"]
        assert not {sale["id"] for sale in second} & {sale["id"] for sale in first["sales"]}


def test_a_sale_has_what_we_read_and_is_the_same_alone(contract: Contract):
    for listed in contract.sales()["sales"]:
        assert set(listed) >= OF_A_SALE
        assert isinstance(listed["price"], int)
        assert isinstance(listed["variants"], dict)
        alone = contract.get(f"/sales/{quote(listed['id'], safe='')}").json()["sale"]
        assert {name: alone.get(name) for name in OF_A_SALE} == {name: listed[name] for name in OF_A_SALE}


def test_days_leave_out_what_is_older_and_what_is_of_the_day_before_which(contract: Contract, asked: Client):
    tomorrow = datetime.now(UTC).date() + timedelta(days=2)
    assert contract.sales(after=tomorrow.isoformat())["sales"] == []
    assert next(iter(asked.sales(after=date(2011, 1, 1), before=tomorrow)))
    assert contract.sales(before="2011-01-01")["sales"] == []


def test_every_sale_of_a_subscription_leads_to_a_subscriber(contract: Contract, asked: Client):
    for sale in contract.sales()["sales"]:
        answer = contract.get(f"/subscribers/{quote(sale['subscription_id'], safe='')}").json()
        told = answer.get("subscriber") or answer["subscribers"]
        assert set(told) >= OF_A_SUBSCRIBER
        assert told["status"] in STATUSES
        assert sale["id"] in told["purchase_ids"]
        read = asked.subscriber(sale["subscription_id"])
        assert (read.id, read.product_id, read.status) == (told["id"], told["product_id"], told["status"])


def test_listed_subscribers_are_those_with_access(contract: Contract, asked: Client):
    listed = list(asked.subscribers(contract.product))
    assert all(one.product_id == contract.product for one in listed)
    assert {one.status for one in listed} <= {"alive", "pending_cancellation", "pending_failure"}
    assert all(one.failed_at is None and one.ended_at is None for one in listed)


def test_what_is_not_there_is_gone_with_status_200(contract: Contract, asked: Client):
    for path in ("/sales/bm8tc3VjaC1zYWxlLWhlcmU=", "/subscribers/bm8tc3VjaC1zdWJzLWhlcmU="):
        answer = contract.get(path)
        assert (answer.status_code, answer.json()["success"]) == (200, False)
    with pytest.raises(Gone):
        asked.sale("bm8tc3VjaC1zYWxlLWhlcmU=")
    with pytest.raises(Gone):
        asked.subscriber("bm8tc3VjaC1zdWJzLWhlcmU=")


@pytest.mark.parametrize("bad", [{"after": "yesterday"}, {"before": "31.12.2026"}, {"page_key": "x"}])
def test_bad_parameters_are_answered_400(contract: Contract, bad: dict[str, str]):
    assert contract.get("/sales", **bad).status_code == 400


def test_a_wrong_token_is_refused(contract: Contract):
    with Client("not-the-token", contract.url) as stranger, pytest.raises(Refused) as refused:
        next(iter(stranger.sales()))
    assert refused.value.code == "401"


@pytest.mark.parametrize("name", RESOURCES)
def test_it_tells_who_is_told_of_each_kind_of_event(contract: Contract, name: str):
    answer = contract.get("/resource_subscriptions", resource_name=name).json()
    assert answer["success"] is True
    assert all(one["resource_name"] == name for one in answer["resource_subscriptions"])


def test_nobody_can_be_told_of_what_does_not_exist(contract: Contract):
    assert contract.get("/resource_subscriptions", resource_name="weather").json()["success"] is False
