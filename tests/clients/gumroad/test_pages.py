"""One page of the list of sales, as reconciliation reads it."""

from datetime import date
from typing import Any

import pytest

from clients.errors import Refused, TryLater
from clients.gumroad import Gumroad

SALE = {"id": "S==", "product_id": "P==", "subscription_id": "G==", "variants": {"Tier": "Plus"}}


def test_a_page_leads_to_the_next_and_the_last_to_none(vendor: Any, gumroad: Gumroad) -> None:
    vendor.says("/v2/sales?after=2026-11-01", {"success": True, "sales": [SALE], "next_page_key": "k 1"})
    vendor.says("/v2/sales?after=2026-11-01&page_key=k+1", {"success": True, "sales": []})
    first = gumroad.sales_page(after=date(2026, 11, 1))
    assert ([sale.id for sale in first.sales], first.key, first.strange) == (["S=="], "k 1", ())
    assert gumroad.sales_page(after=date(2026, 11, 1), key="k 1").key == ""


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"product_id": "P=="}, "“id” is missing"),
        ({**SALE, "quantity": "two"}, "“quantity” is not a number"),
        ({**SALE, "quantity": True}, "“quantity” is not a number"),
        ({**SALE, "created_at": "yesterday"}, "“created_at” is not a time"),
        ("a text", "there is no object"),
        (None, "there is no object"),
    ],
)
def test_one_sale_that_cannot_be_read_hides_no_other(
    vendor: Any, gumroad: Gumroad, row: object, why: str
) -> None:
    vendor.says("/v2/sales", {"success": True, "sales": [SALE, row, SALE]})
    page = gumroad.sales_page()
    assert len(page.sales) == 2
    assert [told.why.endswith(why) for told in page.strange] == [True]


@pytest.mark.parametrize(("told", "quantity"), [({}, 1), ({"quantity": None}, 1), ({"quantity": 3}, 3)])
def test_how_many_were_bought(vendor: Any, gumroad: Gumroad, told: dict[str, Any], quantity: int) -> None:
    vendor.says("/v2/sales", {"success": True, "sales": [{**SALE, **told}]})
    assert gumroad.sales_page().sales[0].quantity == quantity


@pytest.mark.parametrize("key", ["k", 7, ["k"]])
def test_a_list_that_leads_nowhere_is_strange(vendor: Any, gumroad: Gumroad, key: object) -> None:
    vendor.says("/v2/sales?page_key=k", {"success": True, "sales": [], "next_page_key": key})
    with pytest.raises(TryLater, match="no end"):
        gumroad.sales_page(key="k")


def test_a_key_that_is_too_old_is_refused_and_a_slow_query_is_not(vendor: Any, gumroad: Gumroad) -> None:
    vendor.says("/v2/sales?page_key=k", {"status": 400, "error": "Invalid page_key."}, status=400)
    with pytest.raises(Refused, match="page_key"):
        gumroad.sales_page(key="k")
    vendor.says("/v2/sales", {"status": 400, "error": "Request timed out. Try a narrower range."}, status=400)
    with pytest.raises(TryLater):
        gumroad.sales_page()
