"""What is read of a good answer."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from clients.errors import Gone, TryLater
from clients.gumroad import Gumroad

SALE = {
    "id": "FO8TXN-dbxYaBdahG97Y-Q==",
    "product_id": "32-nPAicqbLj8B_WswVlMw==",
    "seller_id": "seller==",
    "email": "account@example.test",
    "purchase_email": "alice@example.test",
    "full_name": "Alice",
    "created_at": "2026-11-01T10:00:00Z",
    "subscription_id": "GDzW4==",
    "variants": {"Tier": "Plus"},
    "recurring_charge": True,
    "price": 3900,
}
SUBSCRIBER = {
    "id": "GDzW4==",
    "product_id": "32-nPAicqbLj8B_WswVlMw==",
    "status": "pending_cancellation",
    "email": "alice@example.test",
    "user_email": None,
    "recurrence": "monthly",
    "created_at": "2026-11-01T10:00:00.123Z",
    "cancelled_at": "2026-12-01T11:00:00+01:00",
    "purchase_ids": ["FO8TXN-dbxYaBdahG97Y-Q=="],
}


def test_a_sale_is_read_at_an_encoded_address(vendor: Any, gumroad: Gumroad) -> None:
    vendor.says("/v2/sales/FO8TXN-dbxYaBdahG97Y-Q%3D%3D", {"success": True, "sale": SALE})
    sale = gumroad.sale("FO8TXN-dbxYaBdahG97Y-Q==")
    assert (sale.id, sale.subscription_id, sale.variants) == (SALE["id"], "GDzW4==", {"Tier": "Plus"})
    assert (sale.seller_id, sale.name, sale.recurring) == ("seller==", "Alice", True)
    assert sale.created_at == datetime(2026, 11, 1, 10, tzinfo=UTC)
    assert sale.email == "alice@example.test", "the address typed at the checkout"


def test_the_token_travels_in_the_header_and_nowhere_else(vendor: Any, gumroad: Gumroad) -> None:
    vendor.says("/v2/sales/S", {"success": True, "sale": SALE})
    gumroad.sale("S")
    path, headers = vendor.asked[0]
    assert headers["Authorization"] == "Bearer secret-token-of-the-seller"
    assert "token" not in path


@pytest.mark.parametrize("hostile", ["../user", "a/b?c=d#e", "%2e%2e", "a b"])
def test_an_id_is_one_part_of_the_address_whatever_it_holds(
    vendor: Any, gumroad: Gumroad, hostile: str
) -> None:
    with pytest.raises(TryLater):
        gumroad.sale(hostile)
    path, _ = vendor.asked[0]
    assert path.startswith("/v2/sales/")
    assert path.count("/") == 3
    assert "?" not in path


@pytest.mark.parametrize("hostile", ["", ".", ".."])
def test_dots_are_no_id(vendor: Any, gumroad: Gumroad, hostile: str) -> None:
    with pytest.raises(Gone):
        gumroad.sale(hostile)
    assert vendor.asked == []


def test_keys_that_are_left_out_are_empty(vendor: Any, gumroad: Gumroad) -> None:
    vendor.says("/v2/sales/S", {"success": True, "sale": {"id": "S", "product_id": "P"}})
    sale = gumroad.sale("S")
    assert (sale.email, sale.subscription_id, sale.variants, sale.created_at) == ("", "", {}, None)
    assert not any((sale.refunded, sale.partly_refunded, sale.disputed, sale.dispute_won))


def test_a_gift_belongs_to_its_receiver(vendor: Any, gumroad: Gumroad) -> None:
    gift = {**SALE, "is_gift_sender_purchase": True, "giftee_email": "bob@example.test"}
    vendor.says("/v2/sales/S", {"success": True, "sale": gift})
    sale = gumroad.sale("S")
    assert (sale.email, sale.name, sale.received) == ("bob@example.test", "", False)
    vendor.says("/v2/sales/S", {"success": True, "sale": {**SALE, "is_gift_receiver_purchase": True}})
    assert gumroad.sale("S").received


@pytest.mark.parametrize("key", ["subscriber", "subscribers"])
def test_a_subscriber_is_read_under_either_key(vendor: Any, gumroad: Gumroad, key: str) -> None:
    vendor.says("/v2/subscribers/GDzW4%3D%3D", {"success": True, key: SUBSCRIBER})
    subscriber = gumroad.subscriber("GDzW4==")
    assert (subscriber.status, subscriber.email) == ("pending_cancellation", "alice@example.test")
    assert subscriber.cancelled_at == datetime(2026, 12, 1, 10, tzinfo=UTC)
    assert subscriber.purchase_ids == ("FO8TXN-dbxYaBdahG97Y-Q==",)
    assert (subscriber.ended_at, subscriber.failed_at) == (None, None)


def test_a_time_without_a_zone_is_utc(vendor: Any, gumroad: Gumroad) -> None:
    row = {**SUBSCRIBER, "cancelled_at": "2026-12-01T10:00:00"}
    vendor.says("/v2/subscribers/S", {"success": True, "subscriber": row})
    assert gumroad.subscriber("S").cancelled_at == datetime(2026, 12, 1, 10, tzinfo=UTC)


def test_text_that_no_database_can_hold_is_made_storable(vendor: Any, gumroad: Gumroad) -> None:
    vendor.says("/v2/sales/S", {"success": True, "sale": {**SALE, "full_name": "A\x00lice \ud800"}})
    assert gumroad.sale("S").name == "A\ufffdlice ?"


def test_sales_are_read_page_by_page(vendor: Any, gumroad: Gumroad) -> None:
    days = "after=2026-11-01&before=2026-11-21"
    first = {"success": True, "sales": [{**SALE, "id": "1"}], "next_page_key": "2026-1"}
    vendor.says(f"/v2/sales?{days}", first)
    vendor.says(f"/v2/sales?{days}&page_key=2026-1", {"success": True, "sales": [{**SALE, "id": "2"}]})
    found = gumroad.sales(after=date(2026, 11, 1), before=date(2026, 11, 21))
    assert [sale.id for sale in found] == ["1", "2"]


def test_a_page_that_names_itself_as_the_next_does_not_go_on_for_ever(vendor: Any, gumroad: Gumroad) -> None:
    page = {"success": True, "sales": [SALE], "next_page_key": "same"}
    vendor.says("/v2/sales", page)
    vendor.says("/v2/sales?page_key=same", page)
    with pytest.raises(TryLater, match="no end"):
        list(gumroad.sales())


def test_subscribers_are_read_page_by_page(vendor: Any, gumroad: Gumroad) -> None:
    path = "/v2/products/P%3D%3D/subscribers?paginated=true"
    first = {"success": True, "subscribers": [{**SUBSCRIBER, "id": "1"}], "next_page_key": "k"}
    vendor.says(path, first)
    vendor.says(f"{path}&page_key=k", {"success": True, "subscribers": [{**SUBSCRIBER, "id": "2"}]})
    assert [subscriber.id for subscriber in gumroad.subscribers("P==")] == ["1", "2"]
