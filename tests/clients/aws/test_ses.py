"""SES and SNS as the assistant uses them, from a new account to feedback."""

from datetime import UTC, datetime, timedelta

import pytest

from clients import aws_errors as reasons
from clients import aws_ses
from clients.aws import Aws, Credentials
from clients.aws_records import Standing
from clients.errors import Gone
from tests.sandbox.aws.place import REGION, allow

SET = "mailat-sending"


@pytest.fixture
def aws(place, key):
    return Aws(Credentials(key["access_key"], key["secret"], REGION), place.api)


@pytest.mark.parametrize(
    ("state", "production", "sending", "enforcement", "review"),
    [
        ("sandbox", False, True, "HEALTHY", ""),
        ("pending", False, True, "HEALTHY", "PENDING"),
        ("denied", False, True, "HEALTHY", "DENIED"),
        ("production", True, True, "HEALTHY", "GRANTED"),
        ("under_review", True, True, "PROBATION", "GRANTED"),
        ("paused", True, False, "SHUTDOWN", "GRANTED"),
        ("switched_off", True, False, "HEALTHY", "GRANTED"),
    ],
)
def test_the_standing_of_an_account(place, key, aws, state, production, sending, enforcement, review):
    place.choose(key, state)
    found = aws.ses.account()
    assert (found.production, found.sending_enabled, found.enforcement, found.review) == (
        production,
        sending,
        enforcement,
        review,
    )
    assert bool(found.case) == bool(review)
    assert found.suppresses == ("BOUNCE", "COMPLAINT")


def test_what_is_left_of_a_day(place, key, aws):
    place.choose(key, "production", max24=1000, sent_before=990, rate=5)
    found = aws.ses.account()
    assert (found.max24, found.sent24, found.left24, found.rate) == (1000.0, 990.0, 10.0, 5.0)
    place.choose(key, "production", max24=-1)
    assert (aws.ses.account().max24, aws.ses.account().left24) == (None, None)
    assert Standing.read({}).left24 == 0.0


def test_production_is_asked_for_once(aws):
    wish = {"mail_type": "TRANSACTIONAL", "website": "https://firm.test", "use_case": "Letters of a bakery"}
    aws.ses.ask_for_production(**wish, contacts=["alice@firm.test"])
    found = aws.ses.account()
    assert (found.review, found.mail_type, found.production) == ("PENDING", "TRANSACTIONAL", False)
    with pytest.raises(reasons.AlreadyAsked):
        aws.ses.ask_for_production(**wish)


def test_a_domain_from_its_records_to_its_end(place, aws):
    made = aws.ses.ensure_identity("bakery.test")
    assert (made.kind, made.verified, made.status, len(made.tokens)) == ("DOMAIN", False, "PENDING", 3)
    again = aws.ses.ensure_identity("bakery.test")
    assert (again.tokens, again.why) == (made.tokens, "HOST_NOT_FOUND")
    for name, target in again.cnames.items():
        place.enter(name, "CNAME", f"{target}.")
    found = aws.ses.identity("bakery.test")
    assert (found.verified, found.status, found.dkim_status, found.why) == (True, "SUCCESS", "SUCCESS", "")
    assert abs(datetime.now(UTC) - found.checked_at) < timedelta(hours=1)
    aws.ses.set_mail_from("bakery.test", "bounce.bakery.test", strict=True)
    found = aws.ses.identity("bakery.test")
    assert (found.mail_from, found.mail_from_status) == ("bounce.bakery.test", "PENDING")
    aws.ses.set_mail_from("bakery.test", "")
    aws.ses.switch_dkim("bakery.test", on=False)
    found = aws.ses.identity("bakery.test")
    assert (found.mail_from, found.dkim_on) == ("", False)
    aws.ses.renew_dkim("bakery.test")
    (listed,) = aws.ses.identities()
    assert (listed.name, listed.status, listed.sending_enabled) == ("bakery.test", "SUCCESS", True)
    aws.ses.delete_identity("bakery.test")
    for late in (aws.ses.identity, aws.ses.delete_identity):
        with pytest.raises(Gone):
            late("bakery.test")


def test_an_address_has_no_records(aws):
    made = aws.ses.ensure_identity("alice@home.test")
    assert (made.kind, made.cnames) == ("EMAIL_ADDRESS", {})


def test_feedback_is_wired_and_can_be_wired_again(place, key, aws, endpoint):
    for _ in range(2):
        aws.ses.ensure_configuration_set(SET)
        topic = aws.sns.ensure_topic(SET, account=key["account"], configuration_set=SET)
        aws.ses.ensure_destination(SET, "mailat", topic=topic, types=("BOUNCE", "COMPLAINT"))
    assert topic == f"arn:aws:sns:{REGION}:{key['account']}:{SET}"
    (destination,) = aws.ses.destinations(SET)
    assert (destination.topic, destination.types, destination.enabled) == (
        topic,
        ("BOUNCE", "COMPLAINT"),
        True,
    )
    arn = aws.sns.subscribe(topic, endpoint.url)
    assert [one.confirmed for one in aws.sns.subscriptions(topic)] == [False]
    (asked,) = endpoint.wait()
    assert aws.sns.confirm(topic, asked["Token"]) == arn
    (found,) = aws.sns.subscriptions(topic)
    assert (found.arn, found.endpoint, found.confirmed) == (arn, endpoint.url, True)
    aws.ses.ensure_identity("wired.test")
    aws.ses.use_configuration_set("wired.test", SET)
    assert aws.ses.identity("wired.test").configuration_set == SET
    wish = {"account": key["account"], "region": REGION, "sender": "anna@wired.test", "kind": "complaint"}
    assert place.post("feedback", **wish)["told"] == 1
    aws.ses.use_configuration_set("wired.test", "")
    assert place.post("feedback", **wish)["told"] == 0
    aws.sns.unsubscribe(arn)
    assert list(aws.sns.subscriptions(topic)) == []
    for _ in range(2):
        aws.sns.delete_topic(topic)
    with pytest.raises(Gone):
        list(aws.sns.subscriptions(topic))
    aws.ses.delete_configuration_set(SET)
    for late in (aws.ses.destinations, aws.ses.delete_configuration_set):
        with pytest.raises(Gone):
            late(SET)


def test_a_token_that_was_made_up_confirms_nothing(key, aws, endpoint):
    topic = aws.sns.ensure_topic(SET, account=key["account"], configuration_set=SET)
    aws.sns.subscribe(topic, endpoint.url)
    with pytest.raises(Exception, match="Token"):
        aws.sns.confirm(topic, "0" * 192)
    assert [one.confirmed for one in aws.sns.subscriptions(topic)] == [False]


def test_the_suppression_list_is_seen_and_left(place, key, aws):
    aws.ses.ensure_identity("list.test")
    wish = {"account": key["account"], "region": REGION, "sender": "anna@list.test"}
    place.post("feedback", **wish, kind="bounce", recipients=["gone@outside.test"])
    (found,) = aws.ses.suppressed()
    assert (found.address, found.reason) == ("gone@outside.test", "BOUNCE")
    assert abs(datetime.now(UTC) - found.since) < timedelta(hours=1)
    aws.ses.allow_again("gone@outside.test")
    assert list(aws.ses.suppressed()) == []
    with pytest.raises(Gone):
        aws.ses.allow_again("gone@outside.test")


def test_long_lists_are_read_to_their_end(aws, monkeypatch):
    monkeypatch.setattr(aws_ses, "PAGE", 2)
    for number in range(5):
        aws.ses.ensure_identity(f"n{number}.test")
    assert [one.name for one in aws.ses.identities()] == [f"n{number}.test" for number in range(5)]


def test_missing_permissions_are_named_one_by_one(place):
    poor = place.key(policy=allow("ses:GetAccount"))
    aws = Aws(Credentials(poor["access_key"], poor["secret"], REGION), place.api)
    missing = []
    for call in (
        aws.ses.account,
        lambda: aws.ses.ensure_identity("firm.test"),
        lambda: aws.ses.identity("firm.test"),
        lambda: aws.ses.ensure_configuration_set(SET),
        lambda: aws.sns.ensure_topic(SET, account=poor["account"], configuration_set=SET),
    ):
        try:
            call()
        except reasons.MissingPermission as error:
            missing.append((error.action, error.resource))
    base = f"{REGION}:{poor['account']}"
    assert missing == [
        ("ses:CreateEmailIdentity", f"arn:aws:ses:{base}:identity/firm.test"),
        ("ses:GetEmailIdentity", f"arn:aws:ses:{base}:identity/firm.test"),
        ("ses:CreateConfigurationSet", f"arn:aws:ses:{base}:configuration-set/{SET}"),
        ("sns:CreateTopic", f"arn:aws:sns:{base}:{SET}"),
    ]
