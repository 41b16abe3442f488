"""The internet's page and doors, which are there also where there are no hosts."""

from __future__ import annotations

import re

import pytest


def test_names_are_entered_seen_and_removed(browser):
    added = browser.post(
        "/internet/api/names", json={"name": "Firm.test", "type": "mx", "value": "10 post.firm.test"}
    )
    record = {"name": "firm.test", "type": "MX", "value": "10 post.firm.test."}
    assert (added.status_code, added.get_json()) == (201, {"names": [record]})
    assert {**record, "source": "entered"} in browser.get("/internet/api/names").get_json()["names"]
    removed = browser.delete("/internet/api/names", json={"name": "firm.test"})
    assert removed.get_json() == {"removed": 1}
    assert "firm.test" not in {
        each["name"] for each in browser.get("/internet/api/names").get_json()["names"]
    }


def test_a_zone_can_be_pasted_on_the_page(browser):
    pasted = browser.post(
        "/internet/api/names",
        data={"zone": "firm.test. IN MX 10 post.firm.test.\npost.firm.test. A 10.0.0.1"},
    )
    assert pasted.status_code == 303
    page = browser.get("/internet/").text
    assert "10 post.firm.test." in page
    assert page.count(">entered<") == 2


def test_a_mistake_is_told_where_it_was_made(browser):
    wrong = {"name": "firm.test", "type": "A", "value": "nowhere"}
    page, answer = (
        browser.post("/internet/api/names", data=wrong),
        browser.post("/internet/api/names", json=wrong),
    )
    assert (page.status_code, answer.status_code) == (400, 400)
    assert 'role="alert"' in page.text
    assert answer.get_json()["error"].startswith("firm.test A: ")


@pytest.mark.parametrize(
    "wish", [{}, {"from": "a@outside.test"}, {"from": 1, "to": "b@firm.test"}, {"from": "a@x", "to": []}]
)
def test_a_letter_that_says_too_little_is_refused(browser, wish):
    assert browser.post("/internet/api/send", json=wish).status_code == 400


def test_without_hosts_what_needs_their_network_says_so(browser):
    sent = browser.post("/internet/api/send", json={"from": "tom@outside.test", "to": ["anna@firm.test"]})
    assert sent.status_code == 503
    assert "network of Debian hosts" in sent.get_json()["error"]
    assert "no network that they share" in browser.get("/internet/").text


def test_a_key_of_the_sending_service_is_told_once(browser):
    made = browser.post(
        "/internet/api/ses/users", json={"region": "eu-west-1", "domains": ["Firm.test"]}
    ).get_json()
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", made["access_key"])
    assert (len(made["secret"]), len(made["smtp_password"]), made["smtp_password"][0]) == (40, 44, "B")
    told = browser.get("/internet/api/ses/users").text + browser.get("/internet/").text
    assert made["access_key"] in told
    assert made["secret"] not in told
    assert made["smtp_password"] not in told


def test_a_key_is_for_a_region_that_there_is(browser):
    assert (
        browser.post("/internet/api/ses/users", json={"region": "mars-1", "domains": ["a.test"]}).status_code
        == 400
    )


def test_faults_are_counted_and_taken_back(browser):
    assert browser.post("/internet/api/ses/faults", json={"kind": "throttle", "times": 2}).status_code == 201
    assert browser.get("/internet/api/ses/faults").get_json()["faults"] == {"throttle": 2}
    assert "(454, to be tried again), 2 times" in browser.get("/internet/").text
    browser.delete("/internet/api/ses/faults")
    assert browser.get("/internet/api/ses/faults").get_json()["faults"] == {}
    assert browser.post("/internet/api/ses/faults", json={"kind": "fire"}).status_code == 400


def test_a_page_from_elsewhere_enters_no_name(browser):
    elsewhere = {"Origin": "https://charlie.test"}
    wish = {"name": "firm.test", "type": "A", "value": "10.0.0.1"}
    assert browser.post("/internet/api/names", json=wish, headers=elsewhere).status_code == 403
