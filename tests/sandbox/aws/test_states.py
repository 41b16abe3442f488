"""The states of an account in a region, as somebody trying the product chooses them."""

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.regions import STATES
from tests.sandbox.aws.place import OFF, REGION

DETAILS = {
    "MailType": "TRANSACTIONAL", "WebsiteURL": "https://firm.test", "ContactLanguage": "EN",
    "UseCaseDescription": "Letters of a bakery", "ProductionAccessEnabled": True,
}  # fmt: skip


def refused(work, **given):
    with pytest.raises(ClientError) as caught:
        work(**given)
    return caught.value.response["Error"]["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize(
    ("state", "production", "sending", "enforcement", "review", "most", "rate"),
    [
        ("sandbox", False, True, "HEALTHY", None, 200, 1),
        ("pending", False, True, "HEALTHY", "PENDING", 200, 1),
        ("denied", False, True, "HEALTHY", "DENIED", 200, 1),
        ("production", True, True, "HEALTHY", "GRANTED", 50_000, 14),
        ("under_review", True, True, "PROBATION", "GRANTED", 50_000, 14),
        ("paused", True, False, "SHUTDOWN", "GRANTED", 50_000, 14),
        ("switched_off", True, False, "HEALTHY", "GRANTED", 50_000, 14),
    ],
)
def test_an_account_says_in_which_state_it_is(
    place, key, state, production, sending, enforcement, review, most, rate
):
    place.choose(key, state)
    told = place.boto("sesv2", key).get_account()
    found = told["ProductionAccessEnabled"], told["SendingEnabled"], told["EnforcementStatus"]
    assert found == (production, sending, enforcement)
    assert told.get("Details", {}).get("ReviewDetails", {}).get("Status") == review
    assert (told["SendQuota"]["Max24HourSend"], told["SendQuota"]["MaxSendRate"]) == (most, rate)


def test_every_state_has_words_and_can_be_chosen(place, key):
    for state in STATES:
        place.choose(key, state)
        regions = place.get("accounts")["accounts"][-1]["regions"]
        assert [one["state"] for one in regions] == [state]


def test_an_account_begins_in_the_sandbox_and_later_regions_are_off(place, key):
    assert not place.boto("sesv2", key).get_account()["ProductionAccessEnabled"]
    assert refused(place.boto("sesv2", key, OFF).get_account) == ("UnrecognizedClientException", 403)
    assert refused(place.boto("sns", key, OFF).create_topic, Name="t") == ("InvalidClientTokenId", 403)
    place.choose(key, "sandbox", OFF)
    assert place.boto("sesv2", key, OFF).get_account()["SendQuota"]["Max24HourSend"] == 200


def test_a_region_that_is_off_still_has_an_account_behind_it(place, key):
    place.choose(key, "region_off")
    assert refused(place.boto("sesv2", key).get_account) == ("UnrecognizedClientException", 403)
    assert place.boto("sts", key, "us-east-1").get_caller_identity()["Account"] == key["account"]


def test_an_account_that_is_not_finished_is_known_and_may_do_nothing(place, key):
    place.choose(key, "not_signed_up")
    assert refused(place.boto("sesv2", key).get_account) == ("SubscriptionRequiredException", 403)
    assert refused(place.boto("sns", key).create_topic, Name="t") == ("OptInRequired", 403)
    assert place.boto("sts", key).get_caller_identity()["Account"] == key["account"]


def test_an_account_that_has_all_that_it_may_have_gets_no_more(place, key):
    place.choose(key, "full")
    ses = place.boto("sesv2", key)
    assert refused(ses.create_email_identity, EmailIdentity="x.test") == ("LimitExceededException", 400)
    assert refused(ses.create_configuration_set, ConfigurationSetName="x") == ("LimitExceededException", 400)
    assert refused(place.boto("sns", key).create_topic, Name="t") == ("TopicLimitExceeded", 403)
    assert ses.list_email_identities()["EmailIdentities"] == []


def test_too_many_calls_are_refused_in_each_services_words(place, key):
    place.choose(key, "throttled")
    assert refused(place.boto("sesv2", key).get_account) == ("TooManyRequestsException", 429)
    assert refused(place.boto("sns", key).create_topic, Name="t") == ("Throttling", 400)


def test_a_quota_of_ones_own_and_a_day_that_is_partly_used(place, key):
    place.choose(key, "production", max24=1000, rate=7, sent_before=900)
    assert place.boto("sesv2", key).get_account()["SendQuota"] == {
        "Max24HourSend": 1000.0, "MaxSendRate": 7.0, "SentLast24Hours": 900.0,
    }  # fmt: skip
    place.choose(key, "production", max24=-1)
    assert place.boto("sesv2", key).get_account()["SendQuota"]["Max24HourSend"] == -1


def test_production_is_asked_for_once_and_somebody_decides(place, key):
    client = place.boto("sesv2", key)
    client.put_account_details(**DETAILS)
    told = client.get_account()
    assert told["Details"]["ReviewDetails"]["Status"] == "PENDING"
    assert told["Details"]["UseCaseDescription"] == "Letters of a bakery"
    assert not told["ProductionAccessEnabled"]
    assert refused(client.put_account_details, **DETAILS) == ("ConflictException", 409)
    place.choose(key, "production")
    assert client.get_account()["ProductionAccessEnabled"]
    assert (
        refused(client.put_account_details, **{**DETAILS, "WebsiteURL": "firm"})[0] == "BadRequestException"
    )


def test_states_are_of_one_region(place, key):
    place.choose(key, "production")
    assert not place.boto("sesv2", key, "eu-west-1").get_account()["ProductionAccessEnabled"]


@pytest.mark.parametrize(
    "wish", [{"state": "happy"}, {"region": "mars-1"}, {"account": "1"}, {"max24": "many"}]
)
def test_what_there_is_not_cannot_be_chosen(place, key, wish):
    with pytest.raises(AssertionError, match="error"):
        place.post("regions", **{"account": key["account"], "region": REGION, "state": "sandbox", **wish})
