"""What is read of a ping's bytes, whatever they are."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.pings import (
    MOST_BYTES,
    AboutSale,
    AboutSubscription,
    NotForUs,
    Puzzling,
    Reading,
    meaning,
    read,
)
from tests.billing.shop import encode

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
# As Gumroad's encoder writes it, with invented values.
REAL = (
    b"seller_id=kL0psVL2admJSYRNs-OCMg%3D%3D&product_id=32-nPAicqbLj8B_WswVlMw%3D%3D&product_name=Mailat"
    b"&permalink=mailat&product_permalink=https%3A%2F%2Fmailat.gumroad.com%2Fl%2Fmailat&email=alice%40example.test"
    b"&price=3900&currency=usd&quantity=1&card%5Bvisual%5D=%2A%2A%2A%2A%204242&card%5Btype%5D=visa&card%5Bbin%5D="
    b"&order_number=524459935&sale_id=FO8TXN-dbxYaBdahG97Y-Q%3D%3D&sale_timestamp=2026-11-01T10%3A00%3A00Z"
    b"&full_name=Alice%20B%C3%A4cker&subscription_id=GDzW4_aBdQc-o7Gbjng7lw%3D%3D&url_params%5Bcheckout_ref%5D=abc123"
    b"&variants%5BTier%5D=Plus&is_gift_receiver_purchase=false&refunded=false&resource_name=sale&disputed=false"
)


def test_a_real_sale() -> None:
    reading = read(REAL, FORM)
    assert reading.fields["card"] == {"visual": "**** 4242", "type": "visa", "bin": ""}
    assert reading.fields["variants"] == {"Tier": "Plus"}
    assert reading.fields["url_params"] == {"checkout_ref": "abc123"}
    assert reading.fields["full_name"] == "Alice Bäcker"
    assert (reading.kind, reading.retries) == ("sale", "")
    assert meaning(reading) == AboutSale("FO8TXN-dbxYaBdahG97Y-Q==")


def test_a_repeated_attempt_means_the_same_and_says_that_it_is_one() -> None:
    reading = read(REAL + b"&retry_count=2", FORM)
    assert reading.retries == "2"
    assert meaning(reading) == meaning(read(REAL, FORM))


@pytest.mark.parametrize("kind", ["refund", "dispute", "dispute_won"])
def test_whatever_happens_to_a_sale_is_about_the_sale(kind: str) -> None:
    assert meaning(read(REAL.replace(b"=sale&", f"={kind}&".encode()), FORM)) == AboutSale(
        "FO8TXN-dbxYaBdahG97Y-Q=="
    )


@pytest.mark.parametrize("kind", ["cancellation", "subscription_ended", "subscription_restarted"])
def test_whatever_happens_to_a_subscription_is_about_the_subscription(kind: str) -> None:
    body = encode(
        {"subscription_id": "GDzW4==", "user_id": None, "purchase_ids": ["a==", "b=="], "resource_name": kind}
    )
    reading = read(body, FORM)
    assert reading.fields["purchase_ids"] == ["a==", "b=="]
    assert reading.fields["user_id"] == ""
    assert meaning(reading) == AboutSubscription("GDzW4==")


def test_a_change_of_plan_says_which_tier_it_announces() -> None:
    fields = {
        "subscription_id": "S==",
        "resource_name": "subscription_updated",
        "effective_as_of": "2026-10-01T10:00:00Z",
        "old_plan": {"tier": {"id": "A==", "name": "Basic"}, "price_cents": 1900},
        "new_plan": {"tier": {"id": "B==", "name": "Pro"}, "price_cents": 7900},
    }
    announced = AboutSubscription("S==", announces="Pro", instead_of="Basic", at="2026-10-01T10:00:00Z")
    assert meaning(read(encode(fields), FORM)) == announced
    assert meaning(read(json.dumps(fields).encode(), JSON)) == announced


@pytest.mark.parametrize(
    "plan", [None, "Pro", {"tier": "Pro"}, {"tier": {"name": ""}}, {"tier": {"name": ["x"]}}]
)
def test_a_change_of_plan_without_a_tier_is_still_announced(plan: object) -> None:
    fields = {"subscription_id": "S==", "resource_name": "subscription_updated", "new_plan": plan}
    found = meaning(read(json.dumps(fields).encode(), JSON))
    assert found == AboutSubscription("S==", announces="an unnamed tier")


def test_brackets_in_the_name_of_a_checkout_field_are_restored() -> None:
    body = encode({"custom_fields": {"Domain [main]": "x"}, "Domain [main]": "x"})
    assert b"%255Bmain%255D" in body
    assert read(body, FORM).fields == {"custom_fields": {"Domain [main]": "x"}, "Domain [main]": "x"}


def test_json_reads_the_same_as_a_form() -> None:
    fields = {"sale_id": "S==", "test": True, "price": 3900, "card": {"bin": None}, "purchase_ids": ["a"]}
    assert read(json.dumps(fields).encode(), JSON) == read(encode(fields), FORM)
    assert read(json.dumps(fields).encode(), "") == read(encode(fields), FORM), "whatever it calls itself"


def test_a_purchase_by_the_seller_is_a_test() -> None:
    assert isinstance(meaning(read(REAL + b"&test=true", FORM)), NotForUs)


def test_the_test_button_sends_the_last_sale_without_a_kind() -> None:
    body = REAL.replace(b"&resource_name=sale", b"") + b"&test=true"
    assert isinstance(meaning(read(body, FORM)), NotForUs)


def test_without_a_kind_and_without_a_test_a_person_looks() -> None:
    assert isinstance(meaning(read(REAL.replace(b"&resource_name=sale", b""), FORM)), Puzzling)


def test_a_checkout_field_named_test_makes_no_sale_a_test() -> None:
    body = REAL + b"&custom_fields%5Btest%5D=true&test=true"
    assert isinstance(meaning(read(body, FORM)), AboutSale)


def test_a_checkout_field_named_like_an_id_is_told_of() -> None:
    body = encode({"sale_id": "other==", "custom_fields": {"sale_id": "other=="}, "resource_name": "sale"})
    found = meaning(read(body, FORM))
    assert isinstance(found, Puzzling)
    assert "checkout field" in found.why


def test_a_checkout_field_that_did_not_win_does_no_harm() -> None:
    body = encode({"sale_id": "real==", "custom_fields": {"sale_id": "other=="}, "resource_name": "sale"})
    assert meaning(read(body, FORM)) == AboutSale("real==")


@pytest.mark.parametrize("its_id", ["", "../user", "a b", "a\x00b", "é", "=", "x" * 71, "a===", "a=b", "a\n"])
def test_what_is_no_id_is_asked_of_nobody(its_id: str) -> None:
    assert isinstance(meaning(read(encode({"sale_id": its_id, "resource_name": "sale"}), FORM)), Puzzling)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \n",
        b"{",
        b"[1]",
        b'"sale"',
        b"null",
        b'{"a":' * 100_000,
        b'{"a": ' + b"9" * 5_000 + b"}",
        b"{\xff}",
        b"&".join([b"a=1"] * 6_000),
        REAL + b"&x=" + b"y" * MOST_BYTES,
    ],
)
def test_what_cannot_be_read_is_told_of(body: bytes) -> None:
    content_type = JSON if body[:1] in b'["n' and body.strip() else FORM
    assert isinstance(meaning(read(body, content_type)), Puzzling)


KEYS = st.one_of(
    st.sampled_from(
        ["resource_name", "sale_id", "subscription_id", "test", "custom_fields", "new_plan", "a"]
    ),
    st.text(max_size=12),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
KINDS = st.sampled_from(["sale", "refund", "cancellation", "subscription_updated", "subscription_ended"])


def plain(value: Any) -> bool:
    """Whether a database can hold every text of it."""
    if isinstance(value, str):
        return "\x00" not in value and value.encode("utf-8", "surrogatepass") == value.encode(
            "utf-8", "ignore"
        )
    if isinstance(value, list):
        return all(map(plain, value))
    return all(plain(key) and plain(inner) for key, inner in value.items())


def check(reading: Reading) -> None:
    assert plain(reading.fields)
    assert isinstance(meaning(reading), AboutSale | AboutSubscription | NotForUs | Puzzling)


@given(st.binary(max_size=300), st.sampled_from([FORM, JSON, "", "text/plain; charset=x"]))
def test_no_bytes_are_too_strange(body: bytes, content_type: str) -> None:
    check(read(body, content_type))


@given(st.text(alphabet='ab[]=&%5BD01+;{}":,', max_size=80))
def test_no_form_is_too_strange(body: str) -> None:
    check(read(body.encode(), FORM))


@given(st.dictionaries(KEYS, VALUES, max_size=6), KINDS)
def test_no_json_is_too_strange(fields: dict[str, Any], kind: str) -> None:
    check(read(json.dumps({**fields, "resource_name": kind}).encode(), JSON))


NAMES = st.text(alphabet="abcT []é", min_size=1, max_size=8).filter(str.strip)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)


@given(
    st.dictionaries(
        NAMES, TEXTS | st.dictionaries(NAMES, TEXTS, min_size=1, max_size=3), min_size=1, max_size=5
    )
)
def test_what_gumroad_encodes_is_read_back(fields: dict[str, Any]) -> None:
    assert read(encode(fields), FORM).fields == fields
