"""An address is verified by the link in the vendor's letter, which works once, for a day, and for this identity alone."""

from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from tests.sandbox.aws.place import REGION, Place

ALICE = "alice@elsewhere.test"


@pytest.fixture
def ses(place: Place, key: dict[str, Any]) -> Any:
    requests.delete(f"{place.url}/mail/api/messages", timeout=20)
    return place.boto("sesv2", key)


def letters(place: Place, to: str = ALICE) -> list[dict[str, Any]]:
    return list(
        requests.get(f"{place.url}/mail/api/messages", params={"to": to}, timeout=20).json()["messages"]
    )


def link_of(place: Place, to: str = ALICE) -> str:
    (link,) = letters(place, to)[0]["links"]
    return str(link)


def verified(ses: Any, name: str = ALICE) -> bool:
    return bool(ses.get_email_identity(EmailIdentity=name)["VerifiedForSendingStatus"])


def test_a_letter_with_a_link_comes_and_whoever_follows_it_verifies_the_address(
    place: Place, ses: Any, key: dict[str, Any]
) -> None:
    ses.create_email_identity(EmailIdentity=ALICE)
    (letter,) = letters(place)
    assert letter["sender"] == "no-reply-aws@amazon.com"
    assert key["account"] in letter["text"]
    assert REGION in letter["subject"]
    assert not verified(ses)
    answer = requests.get(link_of(place), timeout=20)
    assert answer.status_code == 200
    assert f"{ALICE} is verified in {REGION}" in answer.text
    assert verified(ses)


def test_a_link_works_once_and_a_forged_one_never(place: Place, ses: Any) -> None:
    ses.create_email_identity(EmailIdentity=ALICE)
    link = link_of(place)
    for forged in (f"{link}x", link.partition("token=")[0] + "token=", link.partition("?")[0]):
        assert requests.get(forged, timeout=20).status_code == 404
    assert not verified(ses)
    assert [requests.get(link, timeout=20).status_code for _ in range(2)] == [200, 410]


def test_the_link_of_an_identity_that_was_made_anew_is_another(place: Place, ses: Any) -> None:
    ses.create_email_identity(EmailIdentity=ALICE)
    old = link_of(place)
    ses.delete_email_identity(EmailIdentity=ALICE)
    assert requests.get(old, timeout=20).status_code == 410
    ses.create_email_identity(EmailIdentity=ALICE)
    assert len(letters(place)) == 2
    assert requests.get(old, timeout=20).status_code == 410
    assert not verified(ses)
    assert requests.get(link_of(place), timeout=20).status_code == 200
    assert verified(ses)


def test_a_link_works_for_a_day(place: Place, ses: Any) -> None:
    ses.create_email_identity(EmailIdentity=ALICE)
    place.cloud.store.do("update aws_links set made = made - 90000")
    place.cloud.store.do("update aws_identities set made = made - 90000")
    assert requests.get(link_of(place), timeout=20).status_code == 410
    assert not verified(ses)


def test_who_is_there_already_gets_no_second_letter_and_a_domain_gets_none(place: Place, ses: Any) -> None:
    ses.create_email_identity(EmailIdentity=ALICE)
    with pytest.raises(ClientError, match="already exist"):
        ses.create_email_identity(EmailIdentity=ALICE)
    ses.create_email_identity(EmailIdentity="elsewhere.test")
    everybodys = requests.get(f"{place.url}/mail/api/messages", timeout=20).json()["messages"]
    assert [one["to"] for one in everybodys] == [ALICE]


def test_a_link_is_of_one_account_and_one_region(place: Place, ses: Any, key: dict[str, Any]) -> None:
    west, others = place.boto("sesv2", key, "eu-west-1"), place.boto("sesv2", place.key())
    for each in (west, others, ses):
        each.create_email_identity(EmailIdentity=ALICE)
    assert requests.get(link_of(place), timeout=20).status_code == 200
    assert [verified(each) for each in (ses, west, others)] == [True, False, False]
