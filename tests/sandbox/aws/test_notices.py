"""Messages of SNS: asked for, agreed to, signed, brought again until they are taken, and from nobody but SES."""

import json
import pathlib
import re
from datetime import UTC, datetime, timedelta

import pytest
import requests
from botocore.exceptions import ClientError

from clients import sns_messages
from tests.sandbox.aws.place import REGION, Endpoint, Place, notes

SET, SENDER = "mailat", "anna@firm.test"


def topic_for(place, key, endpoint, source=None, types=("BOUNCE", "COMPLAINT")):
    """A topic with a subscription that waits, fed by the configuration set of firm.test."""
    sns, ses = place.boto("sns", key), place.boto("sesv2", key)
    topic = sns.create_topic(Name="feedback")["TopicArn"]
    source = source or f"arn:aws:ses:{REGION}:{key['account']}:configuration-set/{SET}"
    condition = {"StringEquals": {"aws:SourceAccount": key["account"], "aws:SourceArn": source}}
    statement = {
        "Effect": "Allow", "Principal": {"Service": "ses.amazonaws.com"}, "Action": "sns:Publish", "Resource": topic,
        "Condition": condition,
    }  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint.url)
    ses.create_configuration_set(ConfigurationSetName=SET)
    ses.create_email_identity(EmailIdentity="firm.test", ConfigurationSetName=SET)
    wish = {"Enabled": True, "MatchingEventTypes": list(types), "SnsDestination": {"TopicArn": topic}}
    ses.create_configuration_set_event_destination(
        ConfigurationSetName=SET, EventDestinationName="us", EventDestination=wish
    )
    return topic


def say(place, key, kind="complaint", **more):
    wish = {"account": key["account"], "region": REGION, "sender": SENDER, "kind": kind, **more}
    return place.post("feedback", **wish)


def agree(place, key, topic, endpoint):
    (asked,) = endpoint.wait(lambda told: told["Type"] == "SubscriptionConfirmation")
    place.boto("sns", key).confirm_subscription(
        TopicArn=topic, Token=asked["Token"], AuthenticateOnUnsubscribe="true"
    )
    return asked


@pytest.mark.parametrize("version", ["1", "2"])
def test_feedback_comes_signed_to_who_agreed(place, key, endpoint, version):
    topic = topic_for(place, key, endpoint)
    place.boto("sns", key).set_topic_attributes(
        TopicArn=topic, AttributeName="SignatureVersion", AttributeValue=version
    )
    assert say(place, key)["told"] == 0
    agree(place, key, topic, endpoint)
    assert say(place, key)["told"] == 1
    (told,) = endpoint.wait(notes)
    headers, body = endpoint.got[-1]
    assert (told["SignatureVersion"], headers["x-amz-sns-message-type"]) == (version, "Notification")
    assert headers["Content-Type"] == "text/plain; charset=UTF-8"
    notice = sns_messages.verify(body, base=place.api)
    assert (notice.topic, notice.account, notice.id) == (
        topic,
        key["account"],
        headers["x-amz-sns-message-id"],
    )
    event = json.loads(notice.text)
    assert event["eventType"] == "Complaint"
    assert event["complaint"]["complainedRecipients"] == [{"emailAddress": "reader0@outside.test"}]
    assert event["mail"]["source"] == SENDER
    assert event["mail"]["tags"]["ses:configuration-set"] == [SET]


def test_who_asks_is_asked_back_and_an_answer_is_signed_too(place, key, endpoint):
    topic = topic_for(place, key, endpoint)
    (told,) = endpoint.wait()
    notice = sns_messages.verify(endpoint.got[0][1], base=place.api)
    assert (notice.kind, notice.token) == ("SubscriptionConfirmation", told["Token"])
    listed = place.boto("sns", key).list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert [one["SubscriptionArn"] for one in listed] == ["PendingConfirmation"]
    assert requests.get(told["SubscribeURL"], timeout=9).status_code == 200
    listed = place.boto("sns", key).list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert listed[0]["SubscriptionArn"].startswith(topic)


def test_a_subscription_that_was_agreed_to_signed_in_is_not_ended_by_a_link(place, key, endpoint):
    topic = topic_for(place, key, endpoint)
    agree(place, key, topic, endpoint)
    say(place, key)
    (told,) = endpoint.wait(notes)
    assert requests.get(told["UnsubscribeURL"], timeout=9).status_code == 403
    assert say(place, key)["told"] == 1
    arn = place.boto("sns", key).list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"][0][
        "SubscriptionArn"
    ]
    place.boto("sns", key).unsubscribe(SubscriptionArn=arn)
    assert say(place, key)["told"] == 0


def test_what_is_not_taken_is_brought_again_with_the_same_id(place, key):
    endpoint = Endpoint(200, 500, 503)
    topic = topic_for(place, key, endpoint)
    agree(place, key, topic, endpoint)
    say(place, key)
    thrice = endpoint.wait(notes, count=3)
    assert len({told["MessageId"] for told in thrice}) == 1
    assert len({told["Signature"] for told in thrice}) == 1
    endpoint.close()


def test_what_waits_is_brought_after_a_new_start(tmp_path: pathlib.Path, endpoint):
    first = Place(tmp_path / "home")
    key = first.key()
    topic = topic_for(first, key, endpoint)
    agree(first, key, topic, endpoint)
    first.world.aws._postman.close()
    say(first, key)
    assert [one["state"] for one in first.get("messages")["messages"]] == ["waiting", "delivered"]
    first.close()
    second = Place(tmp_path / "home")
    endpoint.wait(notes)
    second.close()


def test_a_message_can_be_brought_again_as_by_who_recorded_it(place, key, endpoint):
    topic = topic_for(place, key, endpoint)
    agree(place, key, topic, endpoint)
    say(place, key)
    endpoint.wait(notes)
    number = place.get("messages")["messages"][0]["id"]
    place.post("messages/again", id=number)
    first, second = endpoint.wait(notes, count=2)
    assert first == second


def test_only_the_configuration_set_that_a_topic_names_may_publish(place, key, endpoint):
    with pytest.raises(ClientError, match="Could not publish"):
        topic_for(
            place, key, endpoint, source=f"arn:aws:ses:{REGION}:{key['account']}:configuration-set/other"
        )


def test_a_topic_whose_policy_is_taken_back_hears_no_more(place, key, endpoint):
    topic = topic_for(place, key, endpoint)
    agree(place, key, topic, endpoint)
    nobody = json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
    )
    place.boto("sns", key).set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=nobody)
    assert say(place, key)["told"] == 0


def test_each_kind_of_event_is_told_to_who_wants_it(place, key, endpoint):
    topic = topic_for(place, key, endpoint, types=("BOUNCE", "DELIVERY"))
    agree(place, key, topic, endpoint)
    told = {
        kind: say(place, key, kind)["told"]
        for kind in ("complaint", "bounce", "soft_bounce", "delivery", "send")
    }
    assert told == {"complaint": 0, "bounce": 1, "soft_bounce": 1, "delivery": 1, "send": 0}
    events = [json.loads(one["Message"]) for one in endpoint.wait(notes, count=3)]
    assert sorted(event["eventType"] for event in events) == ["Bounce", "Bounce", "Delivery"]
    kinds = {event["bounce"]["bounceType"] for event in events if "bounce" in event}
    assert kinds == {"Permanent", "Transient"}


def test_feedback_comes_in_numbers_each_of_a_letter_of_its_own(place, key, endpoint):
    topic = topic_for(place, key, endpoint)
    agree(place, key, topic, endpoint)
    made = say(place, key, times=7)
    assert (len(set(made["letters"])), made["told"]) == (7, 7)
    heard = [json.loads(one["Message"])["mail"]["messageId"] for one in endpoint.wait(notes, count=7)]
    assert sorted(heard) == sorted(made["letters"])


def test_hard_bounces_and_complaints_are_suppressed_as_the_account_wants(place, key, endpoint):
    topic_for(place, key, endpoint)
    ses = place.boto("sesv2", key)

    def listed():
        return {
            one["EmailAddress"]: one["Reason"]
            for one in ses.list_suppressed_destinations()["SuppressedDestinationSummaries"]
        }

    say(place, key, "complaint", recipients=["a@outside.test"])
    say(place, key, "bounce", recipients=["b@outside.test"])
    say(place, key, "soft_bounce", recipients=["c@outside.test"])
    assert listed() == {"a@outside.test": "COMPLAINT", "b@outside.test": "BOUNCE"}
    ses.put_account_suppression_attributes(SuppressedReasons=[])
    say(place, key, "bounce", recipients=["d@outside.test"])
    assert "d@outside.test" not in listed()


def test_the_certificate_is_where_messages_say_and_nowhere_else(place, key, endpoint):
    topic_for(place, key, endpoint)
    (told,) = endpoint.wait()
    assert re.fullmatch(rf"{place.api}/SimpleNotificationService-[0-9a-f]{{32}}\.pem", told["SigningCertURL"])
    assert b"BEGIN CERTIFICATE" in requests.get(told["SigningCertURL"], timeout=9).content
    assert requests.get(f"{place.api}/SimpleNotificationService-{'0' * 32}.pem", timeout=9).status_code == 404
    assert sns_messages.verify(
        endpoint.got[0][1], base=place.api, now=datetime.now(UTC) + timedelta(minutes=59)
    )


@pytest.mark.parametrize(
    "wish", [{"kind": "joy"}, {"sender": "eve@else.test"}, {"times": 0}, {"times": "x"}, {"letter": "01"}]
)
def test_feedback_that_cannot_be_is_refused(place, key, endpoint, wish):
    topic_for(place, key, endpoint)
    with pytest.raises(AssertionError, match="error"):
        say(place, key, **wish)
