"""SNS as the way of SES's events to us. Source: https://docs.aws.amazon.com/sns/latest/api/."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from clients.aws_calls import Caller
from clients.aws_records import Subscription
from clients.errors import TryLater

MOST_PAGES = 1000


class Sns:
    """One account in one region. Every call raises the reasons of clients.aws_errors, or TryLater, Refused or Gone."""

    def __init__(self, caller: Caller) -> None:
        self._call = caller.call

    def ensure_topic(self, name: str, *, account: str, configuration_set: str) -> str:
        """The topic's ARN; only this account's configuration set may publish to it, and it signs with SHA-256."""
        topic = str(self._call("create_topic", Name=name)["TopicArn"])
        policy = json.dumps(topic_policy(topic, account, configuration_set))
        self._set(topic, "Policy", policy)
        self.sign_anew(topic)
        return topic

    def sign_anew(self, topic: str) -> None:
        """With SHA-256; raises Gone if there is no such topic."""
        self._set(topic, "SignatureVersion", "2")

    def _set(self, topic: str, name: str, value: str) -> None:
        self._call("set_topic_attributes", TopicArn=topic, AttributeName=name, AttributeValue=value)

    def subscribe(self, topic: str, url: str) -> str:
        """Asks for the topic's messages at this address, which gets a SubscriptionConfirmation first; the subscription's ARN."""
        protocol = urlsplit(url).scheme
        answer = self._call(
            "subscribe", TopicArn=topic, Protocol=protocol, Endpoint=url, ReturnSubscriptionArn=True
        )
        return str(answer["SubscriptionArn"])

    def confirm(self, topic: str, token: str) -> str:
        """Agrees to a subscription by the token that came; afterwards only the account can end it, not whoever has the link."""
        answer = self._call(
            "confirm_subscription", TopicArn=topic, Token=token, AuthenticateOnUnsubscribe="true"
        )
        return str(answer["SubscriptionArn"])

    def subscriptions(self, topic: str) -> Iterator[Subscription]:
        """Who gets the topic's messages, also those that have not agreed yet; raises Gone if there is no such topic."""
        for page in self._pages(topic):
            for row in page.get("Subscriptions", ()):
                yield Subscription(row["SubscriptionArn"], row["Protocol"], row["Endpoint"])

    def unsubscribe(self, subscription: str) -> None:
        """Nothing is sent there any more; one that is gone already is no error."""
        self._call("unsubscribe", SubscriptionArn=subscription)

    def delete_topic(self, topic: str) -> None:
        """With its subscriptions; one that is gone already is no error."""
        self._call("delete_topic", TopicArn=topic)

    def _pages(self, topic: str) -> Iterator[dict[str, Any]]:
        token = ""
        for _ in range(MOST_PAGES):
            page = self._call(
                "list_subscriptions_by_topic", TopicArn=topic, **({"NextToken": token} if token else {})
            )
            yield page
            token = str(page.get("NextToken", ""))
            if not token:
                return
        raise TryLater("Amazon's list has no end", code="strange", retry_after=60)


def topic_policy(topic: str, account: str, configuration_set: str) -> dict[str, Any]:
    """Who may publish: SES, on behalf of one configuration set of one account.

    Source: https://docs.aws.amazon.com/ses/latest/dg/event-publishing-add-event-destination-sns.html.
    """
    region = topic.split(":")[3]
    source = f"arn:aws:ses:{region}:{account}:configuration-set/{configuration_set}"
    statement = {
        "Sid": "OnlyOwnSending",
        "Effect": "Allow",
        "Principal": {"Service": "ses.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic,
        "Condition": {"StringEquals": {"aws:SourceAccount": account, "aws:SourceArn": source}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}
