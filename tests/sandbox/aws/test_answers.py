"""Every answer, good or bad, is one that the vendor's own description of its services knows."""

import json

import pytest
from botocore.exceptions import ClientError

from sandbox.aws import ses as operations
from sandbox.aws import sns as others
from tests.sandbox.aws.conforms import error_codes, faults
from tests.sandbox.aws.place import REGION, Endpoint, allow

SET, NAME = "mailat", "all.test"


@pytest.fixture
def heard(place, key):
    """Clients whose answers are looked at as they come over the wire; the names of the operations that were."""
    seen: dict[str, list[str]] = {}

    def look(response_dict, operation_name="", event_name="", **_):
        service, name = event_name.split(".")[1:3]
        if response_dict["status_code"] == 200:
            seen.setdefault(name, []).extend(faults(SERVICES[service], name, response_dict["body"]))

    clients = [place.boto(service, key) for service in ("sesv2", "sns", "sts")]
    for client in clients:
        client.meta.events.register("before-parse", look)
    return (*clients, seen)


SERVICES = {"sesv2": "sesv2", "sns": "sns", "sts": "sts"}


def test_every_operation_answers_as_described(place, key, heard, endpoint: Endpoint):
    ses, sns, sts, seen = heard
    sts.get_caller_identity()
    ses.put_account_details(MailType="MARKETING", WebsiteURL="https://all.test", ProductionAccessEnabled=True)
    ses.put_account_suppression_attributes(SuppressedReasons=["COMPLAINT"])
    ses.get_account()
    ses.create_configuration_set(ConfigurationSetName=SET)
    ses.get_configuration_set(ConfigurationSetName=SET)
    tokens = ses.create_email_identity(EmailIdentity=NAME, ConfigurationSetName=SET)["DkimAttributes"][
        "Tokens"
    ]
    place.enter_dkim(NAME, tokens)
    ses.get_email_identity(EmailIdentity=NAME)
    ses.create_email_identity(EmailIdentity=f"anna@{NAME}")
    ses.list_email_identities()
    ses.put_email_identity_dkim_attributes(EmailIdentity=NAME, SigningEnabled=False)
    ses.put_email_identity_dkim_signing_attributes(EmailIdentity=NAME, SigningAttributesOrigin="AWS_SES")
    ses.put_email_identity_mail_from_attributes(EmailIdentity=NAME, MailFromDomain=f"bounce.{NAME}")
    ses.put_email_identity_configuration_set_attributes(EmailIdentity=NAME, ConfigurationSetName=SET)
    ses.get_email_identity(EmailIdentity=NAME)
    topic = sns.create_topic(Name="feedback")["TopicArn"]
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=open_policy(topic))
    sns.get_topic_attributes(TopicArn=topic)
    subscription = sns.subscribe(
        TopicArn=topic, Protocol="http", Endpoint=endpoint.url, ReturnSubscriptionArn=True
    )
    (asked,) = endpoint.wait()
    sns.confirm_subscription(TopicArn=topic, Token=asked["Token"])
    sns.list_subscriptions_by_topic(TopicArn=topic)
    wish = {"Enabled": True, "MatchingEventTypes": ["BOUNCE"], "SnsDestination": {"TopicArn": topic}}
    names = {"ConfigurationSetName": SET, "EventDestinationName": "us"}
    ses.create_configuration_set_event_destination(**names, EventDestination=wish)
    ses.update_configuration_set_event_destination(**names, EventDestination=wish)
    ses.get_configuration_set_event_destinations(ConfigurationSetName=SET)
    place.post("feedback", account=key["account"], region=REGION, sender=f"anna@{NAME}", kind="complaint")
    ses.list_suppressed_destinations(Reasons=["COMPLAINT"])
    ses.delete_suppressed_destination(EmailAddress="reader0@outside.test")
    sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    sns.delete_topic(TopicArn=topic)
    ses.delete_configuration_set(ConfigurationSetName=SET)
    ses.delete_email_identity(EmailIdentity=NAME)
    assert {name: wrong for name, wrong in seen.items() if wrong} == {}
    assert set(seen) == {*operations.OPERATIONS, *others.OPERATIONS["sns"], *others.OPERATIONS["sts"]}


def open_policy(topic):
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "ses.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


BAD = [
    ("get_email_identity", {"EmailIdentity": "no.test"}, "NotFoundException"),
    ("delete_email_identity", {"EmailIdentity": "no.test"}, "NotFoundException"),
    ("create_email_identity", {"EmailIdentity": "no"}, "BadRequestException"),
    (
        "create_email_identity",
        {"EmailIdentity": "no.test", "ConfigurationSetName": "no"},
        "NotFoundException",
    ),
    ("get_configuration_set", {"ConfigurationSetName": "no"}, "NotFoundException"),
    ("get_configuration_set_event_destinations", {"ConfigurationSetName": "no"}, "NotFoundException"),
    ("list_suppressed_destinations", {"NextToken": "nowhere"}, "InvalidNextTokenException"),
    ("delete_suppressed_destination", {"EmailAddress": "no@no.test"}, "NotFoundException"),
    ("put_account_details", {"MailType": "MARKETING", "WebsiteURL": "no"}, "BadRequestException"),
]
BAD_SNS = [
    ("create_topic", {"Name": "no such name"}, "InvalidParameter"),
    ("get_topic_attributes", {"TopicArn": "arn:aws:sns:{region}:{account}:no"}, "NotFound"),
    ("get_topic_attributes", {"TopicArn": "arn:aws:sns:{region}:123456789012:no"}, "AuthorizationError"),
    ("get_topic_attributes", {"TopicArn": "no"}, "InvalidParameter"),
    (
        "subscribe",
        {"TopicArn": "arn:aws:sns:{region}:{account}:no", "Protocol": "http", "Endpoint": "http://x/"},
        "NotFound",
    ),
    (
        "confirm_subscription",
        {"TopicArn": "arn:aws:sns:{region}:{account}:no", "Token": "no"},
        "InvalidParameter",
    ),
]


@pytest.mark.parametrize(
    ("service", "call", "given", "code"),
    [("sesv2", *one) for one in BAD] + [("sns", *one) for one in BAD_SNS],
)
def test_every_refusal_has_a_code_that_is_described(place, key, service, call, given, code):
    filled = {name: value.format(region=REGION, account=key["account"]) for name, value in given.items()}
    with pytest.raises(ClientError) as caught:
        getattr(place.boto(service, key), call)(**filled)
    told = caught.value.response
    assert told["Error"]["Code"] == code
    assert code in error_codes(service, "".join(word.capitalize() for word in call.split("_")))
    assert told["Error"]["Message"]


def test_what_is_there_already_is_not_made_twice(place, key):
    ses = place.boto("sesv2", key)
    works = [
        lambda: ses.create_email_identity(EmailIdentity="twice.test"),
        lambda: ses.create_configuration_set(ConfigurationSetName="twice"),
    ]
    for work in works:
        work()
        with pytest.raises(ClientError) as caught:
            work()
        assert caught.value.response["Error"]["Code"] == "AlreadyExistsException"


def test_a_list_comes_in_pages(place, key):
    ses = place.boto("sesv2", key)
    for number in range(5):
        ses.create_email_identity(EmailIdentity=f"page{number}.test")
    pages = [ses.list_email_identities(PageSize=2)]
    while "NextToken" in pages[-1]:
        pages.append(ses.list_email_identities(PageSize=2, NextToken=pages[-1]["NextToken"]))
    assert [len(page["EmailIdentities"]) for page in pages] == [2, 2, 1]


def test_an_operation_that_is_not_played_says_so(place, key):
    with pytest.raises(ClientError) as caught:
        place.boto("sesv2", key).list_contact_lists()
    assert caught.value.response["Error"]["Code"] in ("UnknownOperationException", "AccessDeniedException")


@pytest.mark.parametrize(
    ("service", "call", "given", "action", "code"),
    [
        ("sesv2", "get_account", {}, "ses:GetAccount", "AccessDeniedException"),
        (
            "sesv2",
            "get_email_identity",
            {"EmailIdentity": "firm.test"},
            "ses:GetEmailIdentity",
            "AccessDeniedException",
        ),
        ("sns", "create_topic", {"Name": "t"}, "SNS:CreateTopic", "AuthorizationError"),
    ],
)
def test_a_user_may_do_what_the_policy_names_and_is_told_what_is_missing(
    place, service, call, given, action, code
):
    poor = place.key(policy=allow("ses:ListEmailIdentities"))
    with pytest.raises(ClientError, match=f"is not authorized to perform: {action} on resource") as caught:
        getattr(place.boto(service, poor), call)(**given)
    assert caught.value.response["Error"]["Code"] == code
    assert place.boto("sesv2", poor).list_email_identities()["EmailIdentities"] == []
    assert place.boto("sts", poor).get_caller_identity()["Account"] == poor["account"]
