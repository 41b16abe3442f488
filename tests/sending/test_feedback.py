"""Bounces and complaints come signed by Amazon, count once, and name no recipient; everything else is not listened to."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from domains.models import Domain
from sending import feedback
from sending.models import Feedback, Notice, Topic
from tests.sandbox.aws.place import REGION, Endpoint, Place
from tests.sending.conftest import paste, work


@pytest.fixture
def endpoint(settings: Any) -> Iterator[Endpoint]:
    """Where Amazon's messages arrive in this test, to be handed to our door or not."""
    made = Endpoint()
    settings.BASE_URL = made.url.removesuffix("/hook")
    yield made
    made.close()


@pytest.fixture
def topic(amazon: Place, endpoint: Endpoint, firm: Domain, client: Client) -> Topic:
    """One that is agreed to."""
    paste(firm, amazon.key())
    made = Topic.objects.get(home=firm.home)
    (asked,) = endpoint.wait(lambda told: told["Type"] == "SubscriptionConfirmation")
    assert hand_in(client, made, asked) == 200
    made.refresh_from_db()
    assert made.confirmed_at
    assert made.subscription.startswith(made.arn)
    return made


def hand_in(client: Client, topic: Topic, told: dict[str, Any]) -> int:
    """What Amazon posts to our door, and the work on it."""
    path = f"/hooks/ses/{topic.home}/{topic.token}"
    status = client.post(path, json.dumps(told), content_type="text/plain; charset=UTF-8").status_code
    work()
    return int(status)


def complain(place: Place, endpoint: Endpoint, topic: Topic, **more: object) -> dict[str, Any]:
    """Somebody complains of Anna's mail; the signed message."""
    before = len(endpoint.got)
    wish = {"region": REGION, "sender": "anna@firm.test", "kind": "complaint", **more}
    place.post("feedback", account=topic.arn.split(":")[4], **wish)
    count = sum(1 for _headers, body in endpoint.got[:before] if json.loads(body)["Type"] == "Notification")
    return endpoint.wait(lambda told: told["Type"] == "Notification", count + 1)[-1]


def test_a_complaint_counts_once_however_often_it_comes(
    amazon: Place, endpoint: Endpoint, topic: Topic, client: Client
) -> None:
    told = complain(amazon, endpoint, topic)
    assert [hand_in(client, topic, told) for _ in range(3)] == [200, 200, 200]

    (one,) = Feedback.objects.all()
    assert (one.kind, one.sender, one.home) == ("complaint", "anna@firm.test", topic.home)


def test_no_recipient_is_kept(amazon: Place, endpoint: Endpoint, topic: Topic, client: Client) -> None:
    told = complain(amazon, endpoint, topic, recipients=["charlie@stranger.test"])
    assert "charlie@stranger.test" in told["Message"]
    hand_in(client, topic, told)

    kept = str(list(Notice.objects.values())) + str(list(Feedback.objects.values()))
    assert "charlie" not in kept


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({"Message": "{}"}, "refused: forged"),
        ({"Signature": "AAAA"}, "refused: forged"),
        ({"Timestamp": "2020-01-01T00:00:00.000Z"}, "refused: old"),
        ({"SigningCertURL": "https://sns.example.test/x.pem"}, "refused: certificate"),
    ],
)
def test_what_amazon_did_not_sign_is_kept_for_nothing(
    amazon: Place, endpoint: Endpoint, topic: Topic, client: Client, change: dict[str, str], verdict: str
) -> None:
    told = complain(amazon, endpoint, topic)
    hand_in(client, topic, {**told, **change})

    assert not Feedback.objects.exists()
    assert Notice.objects.latest("received_at").verdict == verdict


def test_a_recorded_message_with_another_number_is_refused(
    amazon: Place, endpoint: Endpoint, topic: Topic, client: Client
) -> None:
    told = complain(amazon, endpoint, topic)
    hand_in(client, topic, told)
    hand_in(client, topic, {**told, "MessageId": "00000000-0000-4000-8000-000000000000"})
    assert Feedback.objects.count() == 1


@pytest.mark.parametrize("body", ["", "[]", "{", "null", '{"MessageId": 5}', "\x00"])
def test_what_is_no_message_is_refused_at_the_door(topic: Topic, client: Client, body: str) -> None:
    path = f"/hooks/ses/{topic.home}/{topic.token}"
    assert client.post(path, body, content_type="text/plain").status_code == 400


def test_another_topic_another_token_and_another_method_are_refused(
    amazon: Place, endpoint: Endpoint, topic: Topic, client: Client
) -> None:
    told = complain(amazon, endpoint, topic)
    assert hand_in(client, topic, {**told, "TopicArn": topic.arn + "x"}) == 400
    path = f"/hooks/ses/{topic.home}/"
    assert client.post(f"{path}wrong", json.dumps(told), content_type="text/plain").status_code == 404
    assert client.get(f"{path}{topic.token}").status_code == 405
    assert Notice.objects.count() == 1  # the agreement


def test_mail_of_another_server_of_the_same_account_is_not_ours(
    amazon: Place, endpoint: Endpoint, topic: Topic, client: Client, firm: Domain
) -> None:
    told = complain(amazon, endpoint, topic)
    firm.name = "elsewhere.test"
    firm.save()
    hand_in(client, topic, told)
    assert not Feedback.objects.exists()


def test_before_the_senders_address_its_name_may_stand(firm: Domain) -> None:
    """As in the examples of https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-examples.html."""
    notice = Notice.objects.create(home=firm.home, message="one")
    told = {"complaint": {"complainedRecipients": [{}]}, "mail": {"source": "Anna <Anna@Firm.test>"}}
    (one,) = feedback.note(notice, json.dumps({"eventType": "Complaint", **told}))
    assert one.sender == "anna@firm.test"
