"""What the store tells is read by the product itself, as in production."""

from collections.abc import Callable
from typing import Any

import pytest

from billing.actions import keep_ping
from billing.models import Ping, Subscription
from tests.billing.conftest import FORM, work_on
from tests.sandbox.gumroad.conftest import PRODUCT, SELLER, TOKEN, Browser, Receiver

pytestmark = pytest.mark.django_db
Read = Callable[[int], list[Ping]]


@pytest.fixture
def read(receiver: Receiver, api_url: str, settings: Any) -> Read:
    """Waits for so many pings, and reads them in the order in which they came."""
    settings.GUMROAD_API_URL, settings.GUMROAD_TOKEN = api_url, TOKEN
    settings.GUMROAD_PRODUCT_ID, settings.GUMROAD_SELLER_ID = PRODUCT, SELLER

    def read(count: int) -> list[Ping]:
        receiver.wait(count)
        return [work_on(keep_ping(body=body, content_type=FORM)) for body in receiver.bodies]

    return read


def test_a_test_purchase_that_is_cancelled_begins_nothing(browser: Browser, read: Read) -> None:
    its_id = browser.buy(email="seller@example.com")["subscription_id"]
    browser.act(its_id, "cancel")
    read(2)
    assert set(Ping.objects.values_list("kind", "became")) == {
        ("sale", Ping.Became.IGNORED), ("cancellation", Ping.Became.PUZZLING),
    }  # fmt: skip
    assert not Subscription.objects.exists()


def test_a_gift_is_paid_for_by_the_sale_of_its_giver(browser: Browser, read: Read) -> None:
    browser.buy(giftee_email="bob@example.test")
    assert [ping.became for ping in read(1)] == [Ping.Became.APPLIED]
    giver, _receivers = browser.state()["sales"]
    row = Subscription.objects.get()
    assert (row.email, row.charged_at.isoformat().partition("+")[0]) == (
        "bob@example.test", giver["created_at"].removesuffix("Z"),
    )  # fmt: skip
