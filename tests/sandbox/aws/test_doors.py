"""The page and its doors, as people use them who try the product."""

import json
import re

import pytest
import requests
from botocore.exceptions import ClientError

from sandbox.aws.regions import STATES
from tests.sandbox.aws.place import REGION, allow


def page(place):
    answer = requests.get(f"{place.api}/", timeout=9)
    assert answer.status_code == 200
    return answer.text


def press(place, path, **fields):
    """A form of the page."""
    return requests.post(f"{place.api}/api/{path}", data=fields, timeout=9, allow_redirects=False)


def test_an_empty_page_says_how_to_begin(place):
    if not place.get("accounts")["accounts"]:
        assert "Make a key, and one is made with it" in page(place)


def test_a_key_is_made_on_the_page_and_told_once(place):
    made = press(place, "keys", user="anna", kind="user", policy=json.dumps(allow("ses:GetAccount")))
    assert made.status_code == 200
    found = re.search(
        r"Account (\d{12}), access key (AKIA\w{16}), secret ([\w/+]{40}): shown only now", made.text
    )
    assert found
    again = page(place)
    assert found[1] in again
    assert found[2] in again
    assert found[3] not in again
    assert "ses:GetAccount" in again


def test_every_state_is_chosen_on_the_page_and_seen_there(place, key):
    for state, words in STATES.items():
        chosen = press(
            place,
            "regions",
            account=key["account"],
            region=REGION,
            state=state,
            max24="",
            rate="",
            sent_before="",
        )
        assert chosen.status_code == 303
        assert f"{REGION}: {words}" in page(place)


def test_a_key_is_switched_off_and_deleted_on_the_page(place, key):
    assert press(place, "keys/switch", access_key=key["access_key"], active="false").status_code == 303
    assert f'Switch on <span class="visually-hidden">{key["access_key"]}' in page(place)
    assert press(place, "keys/remove", access_key=key["access_key"], active="false").status_code == 303
    assert key["access_key"] not in page(place)


def test_a_second_key_of_a_user_may_do_what_the_first_may(place):
    first = place.key(policy=allow("ses:ListEmailIdentities"))
    second = place.key(account=first["account"])
    assert second["access_key"] != first["access_key"]
    assert place.boto("sesv2", second).list_email_identities()["EmailIdentities"] == []
    with pytest.raises(ClientError, match="not authorized"):
        place.boto("sesv2", second).get_account()


def test_a_policy_is_replaced_on_the_page(place, key):
    wish = {"account": key["account"], "user": "mailat-sending"}
    assert (
        press(place, "users", **wish, policy=json.dumps(allow("ses:ListEmailIdentities"))).status_code == 303
    )
    assert "ses:ListEmailIdentities" in page(place)
    wrong = press(place, "users", **wish, policy="{")
    assert wrong.status_code == 400
    assert "the policy is not JSON" in wrong.text


def test_an_identity_is_verified_and_complained_of_on_the_page(place, key):
    wish = {"account": key["account"], "region": REGION}
    assert press(place, "identities", **wish, name="page.test").status_code == 303
    assert "page.test in eu-central-1: SUCCESS" in page(place)
    assert (
        press(place, "feedback", **wish, sender="anna@page.test", kind="complaint", times="3").status_code
        == 303
    )
    assert "reader2@outside.test" in page(place)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("keys", {"kind": "magic"}),
        ("keys", {"account": "1"}),
        ("keys", {"policy": "[]"}),
        (
            "keys",
            {
                "policy": '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "NotAction": "*", "Resource": "*"}]}'
            },
        ),
        ("keys/switch", {"access_key": "AKIA"}),
        ("regions", {"account": "1", "region": REGION, "state": "sandbox"}),
        ("identities", {"account": "1", "region": REGION, "name": "x.test"}),
        ("feedback", {"kind": "complaint"}),
        ("clock", {"seconds": "soon"}),
    ],
)
def test_a_wish_that_cannot_be_met_is_told_to_people_and_programs(place, path, fields):
    told = press(place, path, **fields)
    assert (told.status_code, 'role="alert"' in told.text) == (400, True)
    answer = requests.post(f"{place.api}/api/{path}", json=fields, timeout=9)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_pages_from_elsewhere_change_nothing(place):
    elsewhere = {"Origin": "https://charlie.test"}
    assert requests.post(f"{place.api}/api/keys", json={}, headers=elsewhere, timeout=9).status_code == 403


def test_a_link_of_a_message_that_is_none_confirms_nothing(place):
    for action in ("ConfirmSubscription", "Unsubscribe"):
        assert requests.get(f"{place.api}/?Action={action}&Token=x", timeout=9).status_code in (400, 404)


def test_a_key_of_the_internets_page_speaks_to_the_api_too(place):
    wish = {"region": "eu-west-1", "domains": ["old.test"]}
    made = requests.post(f"{place.url}/internet/api/ses/users", json=wish, timeout=9).json()
    ses = place.boto("sesv2", made, "eu-west-1")
    with pytest.raises(ClientError, match="not authorized to perform: ses:GetAccount"):
        ses.get_account()
    account = place.boto("sts", made).get_caller_identity()["Account"]
    assert place.cloud.regions.get(account, "eu-west-1").production
    one = place.cloud.identities.get(account, "eu-west-1", "old.test")
    assert place.cloud.identities.may_speak(one)
    url = f"{place.url}/internet/api/ses/users/{made['access_key']}"
    requests.put(url, json={"domains": ["new.test"]}, timeout=9).raise_for_status()
    assert [each.name for each in place.cloud.identities.all(account)] == ["new.test"]
    requests.delete(url, timeout=9).raise_for_status()
    assert place.cloud.iam.key(made["access_key"]) is None
