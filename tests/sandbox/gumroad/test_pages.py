"""People buy, cancel and sell on pages."""

import re
from html import unescape
from urllib.parse import quote

import pytest

from sandbox.gumroad.sights import day_and_time
from tests.sandbox.gumroad.conftest import Browser, Receiver, eventually

STORE = "/gumroad/l/mailat"


def checked(page: str) -> set[str]:
    return {re.search(r'value="([^"]*)"', tag)[1] for tag in re.findall(r"<input[^>]* checked", page)}


def pay(browser: Browser, link: str = STORE, **form: str):
    given = {"email": "alice@example.test", "name": "Alice", "tier": "Basic", "recurrence": "monthly", **form}
    return browser.client.post(link, data=given)


def test_the_link_chooses_tier_and_address(browser: Browser):
    page = browser.client.get(f"{STORE}?variant=Plus&email=alice@example.test&wanted=true").text
    assert checked(page) == {"Plus", "monthly"}
    assert 'value="alice@example.test"' in page
    assert "no card" in page


def test_paying_leads_to_thanks_and_tells_the_seller(browser: Browser, receiver: Receiver):
    answer = pay(browser, f"{STORE}?variant=Plus&checkout_ref=r7&wanted=true", tier="Plus")
    assert answer.status_code == 303
    page = browser.client.get(answer.location).text
    assert "on its way" in page
    assert 'href="http://mailat.test"' in page
    assert "/mail/?to=" in page
    (ping,) = receiver.wait(1)
    assert {key: value for key, value in ping.items() if key.startswith("url_params")} == {
        "url_params[variant]": "Plus",
        "url_params[checkout_ref]": "r7",
    }


def test_a_mistake_keeps_what_was_typed(browser: Browser):
    answer = pay(browser, email="alice at example", tier="Pro", recurrence="yearly")
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert checked(answer.text) == {"Pro", "yearly"}
    assert 'value="alice at example"' in answer.text


def test_what_was_typed_is_never_markup(browser: Browser):
    bad = "<script>alert(1)</script>"
    assert bad not in pay(browser, email=bad, name=bad, tier=bad).text
    its_id = browser.buy(email=f"{bad}@example.test", full_name=bad, url_params={bad: bad})["subscription_id"]
    for path in ("/gumroad/seller", f"/gumroad/subscriptions/{its_id}/manage", f"/gumroad/thanks/{its_id}"):
        page = browser.client.get(path).text
        assert bad not in page
        assert bad in unescape(page)


def test_the_buyer_cancels_and_comes_back(browser: Browser):
    its_id = browser.buy()["subscription_id"]
    page = f"/gumroad/subscriptions/{quote(its_id, safe='')}/manage"
    assert ">Cancel<" in browser.client.get(page).text
    assert "until the end of the paid period" in browser.client.post(page, data={"act": "cancel"}).text
    assert browser.client.post(page, data={"act": "cancel"}).status_code == 409
    assert "active" in browser.client.post(page, data={"act": "restart"}).text
    answer = browser.client.post(page, data={"act": "change", "tier": "Pro", "recurrence": "monthly"}).text
    assert "changed from Basic to Pro" in answer
    assert browser.client.post(page, data={"act": "refund"}).status_code == 422


def test_the_seller_presses_every_button(browser: Browser, receiver: Receiver):
    bought = browser.buy()
    subscription = {"subscription": bought["subscription_id"]}
    sale = {**subscription, "sale_id": bought["sale_id"]}
    presses = [
        {**subscription, "act": "renew"}, {**sale, "act": "refund", "amount_cents": "100"},
        {**sale, "act": "refund", "amount_cents": ""}, {**sale, "act": "resend"}, {"act": "test-ping"},
        {"act": "endpoint-on"}, {"act": "endpoint-off"},
        {**sale, "act": "dispute"}, {**sale, "act": "dispute_won"}, {**subscription, "act": "cancel"},
        {**subscription, "act": "end"}, {**subscription, "act": "restart"}, {**subscription, "act": "fail"},
        {"act": "fault", "kind": "drop", "times": "2", "seconds": ""}, {"act": "clear-faults"},
    ]  # fmt: skip
    for press in presses:
        answer = browser.client.post("/gumroad/seller", data=press)
        assert answer.status_code == 200, (press, answer.text)
        assert 'role="status"' in answer.text
    assert browser.client.post("/gumroad/seller", data={**sale, "act": "refund"}).status_code == 409
    assert browser.client.post("/gumroad/seller", data={"act": "fault", "kind": "x"}).status_code == 409


def test_the_log_of_pings_shows_answers_and_never_the_address(browser: Browser, receiver: Receiver):
    receiver.statuses = [404]
    browser.buy()
    eventually(lambda: browser.state_of_pings() == ["lost"])
    page = browser.client.get("/gumroad/seller").text
    assert "404 said" in page
    assert "word-that-nobody-may-read" not in page


@pytest.mark.parametrize(
    "path", ["/gumroad/l/other", "/gumroad/thanks/none", "/gumroad/subscriptions/none/manage"]
)
def test_pages_of_what_is_not_there_are_not_found(browser: Browser, path: str):
    assert browser.client.get(path).status_code == 404


def test_a_page_from_elsewhere_changes_nothing(browser: Browser):
    from_elsewhere = {"Origin": "https://charlie.test"}
    for path in (STORE, "/gumroad/seller", "/gumroad/sandbox/buy"):
        assert browser.client.post(path, headers=from_elsewhere).status_code == 403
    assert browser.state()["subscriptions"] == []


def test_moments_are_told_to_people_and_to_machines(browser: Browser):
    browser.buy()
    said = re.findall(r'<time datetime="([^"]+)">([^<]+)</time>', browser.client.get("/gumroad/seller").text)
    assert said
    for exact, words in said:
        assert day_and_time(exact) == words
    assert day_and_time("2026-11-01T09:05:07Z") == "Sun 1 Nov 2026, 09:05:07 UTC"


def test_every_field_has_a_label(browser: Browser):
    its_id = browser.buy()["subscription_id"]
    for path in (STORE, "/gumroad/seller", f"/gumroad/subscriptions/{its_id}/manage"):
        page = browser.client.get(path).text
        fields = re.findall(r'<(?:input|select)(?![^>]*type="hidden")[^>]* id="([^"]+)"', page)
        assert fields
        assert set(fields) <= set(re.findall(r'<label for="([^"]+)"', page))
