"""The operations of SNS and STS: each takes what was asked and gives what the vendor would answer, or raises AwsError."""

from __future__ import annotations

from typing import Any

from sandbox.aws import notices
from sandbox.aws.cloud import Call
from sandbox.aws.errors import AwsError
from sandbox.aws.lists import page
from sandbox.aws.topics import PENDING

Answer = dict[str, Any]
SUBSCRIPTIONS = 100  # on a page


def get_caller_identity(call: Call) -> Answer:
    return {"UserId": call.key.user_id, "Account": call.account, "Arn": call.key.arn}


def create_topic(call: Call) -> Answer:
    arn = call.cloud.topics.make(call.account, call.region, call.given["Name"])
    for name, value in call.given.get("Attributes", {}).items():
        call.cloud.topics.set(arn, name, value)
    return {"TopicArn": arn}


def _own(call: Call) -> str:
    """Another account's topic is only for those whom its policy names, and nobody's does here."""
    arn = str(call.given["TopicArn"])
    parts = arn.split(":")
    if len(parts) != 6 or parts[3] != call.region:
        raise AwsError("InvalidParameter", "Invalid parameter: TopicArn")
    if parts[4] != call.account:
        says = f"User: {call.key.arn} is not authorized to perform this on resource: {arn}"
        raise AwsError("AuthorizationError", says, 403)
    return arn


def set_topic_attributes(call: Call) -> Answer:
    call.cloud.topics.set(_own(call), call.given["AttributeName"], call.given.get("AttributeValue", ""))
    return {}


def get_topic_attributes(call: Call) -> Answer:
    topic = call.cloud.topics.get(_own(call))
    told = {"TopicArn": topic["arn"], "Owner": topic["account"], "Policy": topic["policy"]}
    return {"Attributes": {**told, "SignatureVersion": topic["version"]}}


def delete_topic(call: Call) -> Answer:
    call.cloud.topics.delete(_own(call))
    return {}


def subscribe(call: Call) -> Answer:
    """The endpoint is asked whether it agrees; asked again, it is told again."""
    endpoint = call.given.get("Endpoint", "")
    found = call.cloud.topics.subscribe(_own(call), call.given["Protocol"], endpoint)
    if not found["confirmed"]:
        notices.ask(call.cloud, found, call.url)
    told = found["confirmed"] or call.given.get("ReturnSubscriptionArn")
    return {"SubscriptionArn": found["arn"] if told else "pending confirmation"}


def confirm_subscription(call: Call) -> Answer:
    authenticated = call.given.get("AuthenticateOnUnsubscribe") == "true"
    return {"SubscriptionArn": call.cloud.topics.confirm(_own(call), call.given["Token"], authenticated)}


def list_subscriptions_by_topic(call: Call) -> Answer:
    call.cloud.topics.get(_own(call))
    rows = [
        {
            "SubscriptionArn": row["arn"] if row["confirmed"] else PENDING,
            "Owner": call.account,
            "Protocol": row["protocol"],
            "Endpoint": row["endpoint"],
            "TopicArn": row["topic"],
        }
        for row in call.cloud.topics.subscriptions(_own(call))
    ]
    return page(rows, {**call.given, "PageSize": SUBSCRIPTIONS}, "Subscriptions")


def unsubscribe(call: Call) -> Answer:
    """No message follows, because whoever ends it is signed in."""
    call.cloud.topics.unsubscribe(call.given["SubscriptionArn"])
    return {}


def _named(*works: Any) -> dict[str, Any]:
    return {"".join(word.capitalize() for word in work.__name__.split("_")): work for work in works}


OPERATIONS = {
    "sts": _named(get_caller_identity),
    "sns": _named(
        create_topic, set_topic_attributes, get_topic_attributes, delete_topic, subscribe, confirm_subscription,
        list_subscriptions_by_topic, unsubscribe,
    ),
}  # fmt: skip
