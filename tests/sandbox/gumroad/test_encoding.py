"""The bytes of a ping are those of the vendor's encoder."""

from sandbox.gumroad.encoding import encode


def test_a_line_is_encoded_as_the_vendor_does_it():
    fields = {
        "seller_id": "Xy_3-z==", "email": "alice@example.test", "price": 1900, "discover_fee_charged": False,
        "can_contact": True, "card": {"visual": "**** 4242", "bin": None}, "url_params": {"from": "the landing page"},
        "purchase_ids": ["A==", "B=="], "user_id": None, "resource_name": "sale",
    }  # fmt: skip
    assert encode(fields).decode() == (
        "seller_id=Xy_3-z%3D%3D&email=alice%40example.test&price=1900&discover_fee_charged=false&can_contact=true"
        "&card%5Bvisual%5D=%2A%2A%2A%2A%204242&card%5Bbin%5D=&url_params%5Bfrom%5D=the%20landing%20page"
        "&purchase_ids%5B%5D=A%3D%3D&purchase_ids%5B%5D=B%3D%3D&user_id=&resource_name=sale"
    )


def test_brackets_within_a_name_are_encoded_twice():
    fields = {"custom_fields": {"Domain [main]": "a.test"}, "Domain [main]": "a.test"}
    assert encode(fields).decode() == (
        "custom_fields%5BDomain%20%255Bmain%255D%5D=a.test&Domain%20%255Bmain%255D=a.test"
    )


def test_what_is_deeper_comes_after_what_is_not():
    plan = {"tier": {"id": "T==", "name": "Plus"}, "price_cents": 3900}
    assert encode({"new_plan": plan}).decode() == (
        "new_plan%5Bprice_cents%5D=3900&new_plan%5Btier%5D%5Bid%5D=T%3D%3D&new_plan%5Btier%5D%5Bname%5D=Plus"
    )


def test_letters_of_all_languages_are_utf_8():
    assert encode({"full_name": "Zoë ~ ß-._"}) == b"full_name=Zo%C3%AB%20~%20%C3%9F-._"
