"""Pings are sent, sent again, lost, doubled and turned round as the vendor's are."""

import json
import socket
from base64 import b64encode

import pytest

from billing import pings as reader
from sandbox.gumroad import Gumroad
from sandbox.gumroad.hiding import hide
from sandbox.gumroad.pings import RESOURCES
from tests.sandbox.gumroad.conftest import PRODUCT, SELLER, Browser, Receiver, eventually


def test_a_sale_says_what_was_sold_and_where_the_buyer_came_from(browser: Browser, receiver: Receiver):
    bought = browser.buy(tier="Plus", full_name="Alice Baker", url_params={"checkout_ref": "r1"})
    (ping,) = receiver.wait(1)
    assert (ping["seller_id"], ping["product_id"], ping["price"]) == (SELLER, PRODUCT, "3900")
    assert (ping["sale_id"], ping["subscription_id"]) == (bought["sale_id"], bought["subscription_id"])
    assert bought["sale_id"].endswith("==")
    assert (ping["variants[Tier]"], ping["url_params[checkout_ref]"]) == ("Plus", "r1")
    assert (ping["full_name"], ping["card[bin]"], ping["refunded"]) == ("Alice Baker", "", "false")
    assert not {"retry_count", "is_recurring_charge", "test"} & set(ping)


def test_our_own_reader_understands_every_kind(browser: Browser, receiver: Receiver):
    its_id = browser.buy()["subscription_id"]
    acts = {
        "upgrade": {"tier": "Pro"},
        "refund": {"amount_cents": 1},
        "dispute": {},
        "dispute_won": {},
        "cancel": {},
    }
    for what, how in acts.items():
        browser.act(its_id, what, **how)
        eventually(lambda: set(browser.state_of_pings()) == {"delivered"})
    readings = [reader.read(body, "application/x-www-form-urlencoded") for body in receiver.bodies]
    meanings = [reader.meaning(reading) for reading in readings]
    assert all(isinstance(one, reader.AboutSale | reader.AboutSubscription) for one in meanings)
    assert {reading.kind for reading in readings} == set(RESOURCES)


@pytest.mark.parametrize("status", [499, 500, 502, 503, 504])
def test_some_answers_bring_the_ping_again_three_times(store, browser, receiver, status):
    receiver.statuses = [status] * 4
    browser.buy()
    for number, wait in enumerate((60, 180, 600), start=1):
        receiver.wait(number)
        eventually(lambda n=number: len(browser.state()["pings"][0]["attempts"]) == n)
        store.age(wait - 50)
        assert len(receiver.bodies) == number
        store.age(50)
    receiver.wait(4)
    eventually(lambda: browser.state_of_pings() == ["lost"])
    assert [ping.get("retry_count") for ping in receiver.pings] == [None, "1", "2", "3"]
    first, *others = receiver.bodies
    assert all(other.startswith(first + b"&retry_count=") for other in others)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422, 429, 501, 505])
def test_every_other_answer_loses_the_ping(browser, receiver, status):
    receiver.statuses = [status]
    browser.buy()
    eventually(lambda: browser.state_of_pings() == ["lost"])
    assert [one["status"] for one in browser.state()["pings"][0]["attempts"]] == [status]


def test_nobody_at_the_address_means_again(open_store):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        browser = Browser(open_store(ping_url=f"http://127.0.0.1:{taken.getsockname()[1]}/secret-word"))
        browser.buy()
        eventually(lambda: browser.state()["pings"][0]["retries"] == 1)
    (attempt,) = browser.state()["pings"][0]["attempts"]
    assert attempt["status"] is None
    assert "secret-word" not in json.dumps(browser.state())


def test_an_answer_that_takes_too_long_means_again(open_store, receiver):
    receiver.hangs.clear()
    browser = Browser(open_store(timeout=(0.1, 0.1)))
    browser.buy()
    eventually(lambda: browser.state()["pings"][0]["retries"] == 1)
    assert browser.state_of_pings() == ["waiting"]


def test_what_waits_survives_a_restart_and_a_new_address(open_store, receiver):
    first = open_store(ping_url="http://127.0.0.1:9/old", sale_delay=3600)
    Browser(first).buy()
    first.close()
    assert not receiver.bodies
    second = open_store(sale_delay=3600)
    second.age(3600)
    receiver.wait(1)
    eventually(lambda: Browser(second).state_of_pings() == ["delivered"])


def test_a_redirect_is_followed_with_the_same_body(browser, receiver):
    receiver.statuses, receiver.location = [302], "/elsewhere"
    browser.buy()
    receiver.wait(2)
    assert receiver.paths[1] == "/elsewhere"
    assert receiver.bodies[0] == receiver.bodies[1]


def test_a_redirect_to_nowhere_means_again_and_not_at_once(browser, receiver):
    receiver.statuses, receiver.location = [302], "http://[nowhere"
    browser.buy()
    eventually(lambda: browser.state()["pings"][0]["retries"] == 1)
    assert browser.state_of_pings() == ["waiting"]
    assert len(receiver.bodies) == 1


def test_a_name_and_a_word_in_the_address_are_sent_as_such(open_store, receiver, ping_url):
    browser = Browser(open_store(ping_url=ping_url.replace("http://", "http://bob:word@")))
    browser.buy()
    receiver.wait(1)
    assert receiver.headers[0]["Authorization"] == "Basic " + b64encode(b"bob:word").decode()


def test_an_answer_that_repeats_the_address_is_shown_without_it(browser, receiver):
    receiver.statuses, receiver.says = [404], "<title>Page not found at {path}</title>"
    browser.buy()
    eventually(lambda: browser.state_of_pings() == ["lost"])
    shown = json.dumps(browser.state()) + browser.client.get("/gumroad/seller").text
    assert "Page not found" in shown
    assert "word-that-nobody-may-read" not in shown


def test_a_secret_is_hidden_however_it_is_written():
    url = "https://bob:long%20password@mailat.test/hooks/secret%2Dword?key=another-one"
    said = "secret-word secret%2Dword long password long%20password key=another-one hooks"
    assert hide(said, url).replace("(hidden)", "").split() == ["hooks"]


def test_a_double_is_the_same_twice(browser, receiver):
    browser.post("/faults", kind="duplicate")
    browser.buy()
    receiver.wait(2)
    assert receiver.bodies[0] == receiver.bodies[1]


def test_what_is_dropped_never_comes(browser, receiver):
    browser.post("/faults", kind="drop")
    bought = browser.buy()
    browser.act(bought["subscription_id"], "cancel")
    eventually(lambda: browser.state_of_pings() == ["dropped", "delivered"])
    assert receiver.kinds() == ["cancellation"]


def test_what_is_delayed_comes_later(store, browser, receiver):
    browser.post("/faults", kind="delay", seconds=300)
    bought = browser.buy()
    browser.act(bought["subscription_id"], "cancel")
    receiver.wait(1)
    store.age(300)
    receiver.wait(2)
    assert receiver.kinds() == ["cancellation", "sale"]


def test_what_is_turned_round_comes_last_first(browser, receiver):
    browser.post("/faults", kind="reverse", times=3)
    its_id = browser.buy()["subscription_id"]
    browser.act(its_id, "cancel")
    assert not receiver.bodies
    browser.act(its_id, "end")
    receiver.wait(3)
    assert receiver.kinds() == ["subscription_ended", "cancellation", "sale"]


def test_clearing_the_faults_lets_go_what_was_held_back(browser, receiver):
    browser.post("/faults", kind="reverse", times=5)
    browser.buy()
    browser.client.delete("/gumroad/sandbox/faults")
    receiver.wait(1)
    assert browser.state()["faults"] == []


def test_a_fault_that_cannot_be_is_refused(browser):
    for wish in (
        {"kind": "x"},
        {"kind": "drop", "times": 0},
        {"kind": "slow", "seconds": -1},
        {"kind": "reverse"},
    ):
        assert browser.refused("/faults", **wish)[0] == 400


def test_an_end_that_was_taken_back_is_not_told(open_store, receiver):
    store = open_store(event_delay=600)
    browser = Browser(store)
    its_id = browser.buy()["subscription_id"]
    for what in ("cancel", "end", "restart"):
        browser.act(its_id, what)
    store.age(600)
    receiver.wait(4)
    eventually(lambda: "waiting" not in browser.state_of_pings())
    assert sorted(receiver.kinds()) == ["cancellation", "sale", "sale", "subscription_restarted"]


def test_a_test_ping_is_the_last_sale_without_its_kind(browser, receiver):
    browser.buy(email="bob@example.test")
    browser.buy(custom_fields={"resource_name": "typed by the buyer"})
    receiver.wait(2)
    browser.post("/test-ping")
    ping = receiver.wait(3)[2]
    assert (ping["test"], ping["email"]) == ("true", "alice@example.test")
    assert ping["resource_name"] == "typed by the buyer"
    assert receiver.pings[1]["resource_name"] == "sale"


def test_with_the_second_channel_a_sale_is_told_twice_and_nothing_else(browser, receiver):
    browser.post("/ping-endpoint", on=True)
    bought = browser.buy()
    browser.act(bought["subscription_id"], "cancel")
    receiver.wait(3)
    eventually(lambda: set(browser.state_of_pings()) == {"delivered"})
    assert sorted(receiver.kinds()) == ["cancellation", "sale", "sale"]
    browser.post("/ping-endpoint", on=False)
    browser.buy(email="bob@example.test")
    receiver.wait(4)
    eventually(lambda: browser.state_of_pings() == ["delivered"] * 4)
    assert browser.refused("/ping-endpoint", on="yes")[0] == 400


def test_the_second_channel_follows_to_a_new_address(open_store, receiver):
    first = open_store(ping_url="http://127.0.0.1:9/old-address")
    Browser(first).post("/ping-endpoint", on=True)
    first.close()
    second = Browser(open_store())
    assert second.state()["ping_endpoint"]
    second.buy()
    receiver.wait(2)
    assert receiver.bodies[0] == receiver.bodies[1]


def test_a_checkout_field_hides_the_key_of_its_name(browser, receiver):
    browser.buy(custom_fields={"email": "charlie@example.test", "disputed": "true"})
    (ping,) = receiver.wait(1)
    assert ping["email"] == ping["custom_fields[email]"] == "charlie@example.test"
    assert ping["disputed"] == "false"


def test_the_seller_can_send_a_sale_again(browser, receiver):
    sale_id = browser.buy()["sale_id"]
    receiver.wait(1)
    browser.post(f"/resend/{sale_id}")
    receiver.wait(2)
    assert receiver.bodies[0] == receiver.bodies[1]
    assert browser.refused("/resend/none")[0] == 404


def test_who_asked_for_nothing_is_told_of_sales_by_the_settings_alone(
    tmp_path, receiver: Receiver, ping_url: str
):
    store = Gumroad(
        tmp_path, token="", ping_url=ping_url, control_url="", seller_id=SELLER, product_id=PRODUCT, sale_delay=0.0
    )  # fmt: skip
    browser = Browser(store)
    browser.act(browser.buy()["subscription_id"], "cancel")
    eventually(lambda: browser.state_of_pings() == ["delivered"])
    assert receiver.kinds() == ["sale"]
    store.close()
