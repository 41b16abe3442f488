"""The policy for one customer, held against a stand-in that obeys policies: enough for all that is done, and for no more."""

import json
from itertools import product

import pytest

from clients import aws_policy
from clients.aws import Aws, Credentials
from clients.aws_errors import MissingPermission
from clients.aws_policy import NoPolicy, policy, quick_create_link, template, upload_link
from clients.aws_records import Subscription
from clients.errors import ClientError
from tests.sandbox.aws.place import REGION, Endpoint
from tests.sandbox.aws.test_sending import Sender

OWN, TESTER = ["firm.test", "shop.firm.test"], "alice@home.test"
NAME = aws_policy.CONFIGURATION_SET


def limited(place, made) -> tuple[dict, Aws]:
    """A key of a user with this policy, of which `made` makes the text for the account."""
    key = place.key()
    place.cloud.iam.put_user(key["account"], "mailat-sending", made(key["account"]))
    return key, Aws(Credentials(key["access_key"], key["secret"], REGION), place.api)


def plain(account):
    return policy(region=REGION, domains=OWN, account=account, testers=[TESTER])


def before_the_account_is_known(account):
    return policy(region=REGION, domains=OWN, testers=[TESTER])


def of_the_template(account):
    whole = json.loads(template(region=REGION, domains=OWN, testers=[TESTER]))
    return resolved(whole["Resources"]["Policy"]["Properties"]["PolicyDocument"], account)


def resolved(part, account):
    """As CloudFormation fills in what it knows."""
    if isinstance(part, dict) and set(part) == {"Fn::Sub"}:
        return part["Fn::Sub"].replace("${AWS::Partition}", "aws").replace("${AWS::AccountId}", account)
    if isinstance(part, dict):
        return {name: resolved(each, account) for name, each in part.items()}
    return [resolved(each, account) for each in part] if isinstance(part, list) else part


MADE = [plain, before_the_account_is_known, of_the_template]


def everything(aws, account, domain, endpoint_url):
    """All that the assistant does, one after another; each is a name and a call."""
    topic = f"arn:aws:sns:{REGION}:{account}:{NAME}"
    yield "standing", aws.ses.account
    yield (
        "production",
        lambda: aws.ses.ask_for_production(
            mail_type="TRANSACTIONAL", website="https://firm.test", use_case="x"
        ),
    )
    yield "set", lambda: aws.ses.ensure_configuration_set(NAME)
    yield "topic", lambda: aws.sns.ensure_topic(NAME, account=account, configuration_set=NAME)
    yield "destination", lambda: aws.ses.ensure_destination(NAME, "us", topic=topic)
    yield "destination again", lambda: aws.ses.ensure_destination(NAME, "us", topic=topic)
    yield "destinations", lambda: aws.ses.destinations(NAME)
    yield "subscribe", lambda: aws.sns.subscribe(topic, endpoint_url)
    yield "subscriptions", lambda: list(aws.sns.subscriptions(topic))
    yield "identity", lambda: aws.ses.ensure_identity(domain)
    yield "identity again", lambda: aws.ses.ensure_identity(domain)
    yield "identities", lambda: list(aws.ses.identities())
    yield "dkim", lambda: aws.ses.switch_dkim(domain, on=True)
    yield "dkim anew", lambda: aws.ses.renew_dkim(domain)
    yield "mail from", lambda: aws.ses.set_mail_from(domain, f"bounce.{domain}")
    yield "use set", lambda: aws.ses.use_configuration_set(domain, NAME)
    yield "suppressed", lambda: list(aws.ses.suppressed())


def ending(aws, account, domain):
    topic = f"arn:aws:sns:{REGION}:{account}:{NAME}"
    yield "no identity", lambda: aws.ses.delete_identity(domain)
    yield "unsubscribe", lambda: aws.sns.unsubscribe(f"{topic}:12345678-1234-1234-1234-123456789012")
    yield "no topic", lambda: aws.sns.delete_topic(topic)
    yield "no set", lambda: aws.ses.delete_configuration_set(NAME)


@pytest.mark.parametrize(("made", "domain"), list(product(MADE, OWN)))
def test_a_user_with_the_policy_can_do_all_that_is_done(place, endpoint: Endpoint, made, domain):
    key, aws = limited(place, made)
    for _, call in everything(aws, key["account"], domain, endpoint.url):
        call()
    (asked,) = endpoint.wait()
    arn = aws.sns.confirm(asked["TopicArn"], asked["Token"])
    assert list(aws.sns.subscriptions(asked["TopicArn"])) == [Subscription(arn, "http", endpoint.url)]
    place.post("feedback", account=key["account"], region=REGION, sender=f"anna@{domain}", kind="complaint")
    aws.ses.allow_again("reader0@outside.test")
    aws.ses.ensure_identity(TESTER)
    for _, call in ending(aws, key["account"], domain):
        call()


@pytest.mark.parametrize(
    ("made", "name"),
    list(product(MADE, ["other.test", "firm.test.evil.test", "xfirm.test", "bob@home.test"])),
)
def test_and_nothing_on_other_domains(place, made, name):
    key, aws = limited(place, made)
    rich = place.cloud.iam.make_key(key["account"], "rich")
    place.cloud.iam.put_user(key["account"], "rich", {"Version": "2012-10-17", "Statement": [ANYTHING]})
    Aws(Credentials(rich.access_key, rich.secret, REGION), place.api).ses.ensure_identity(name)
    domain = name.rpartition("@")[2]
    for call in (
        lambda: aws.ses.ensure_identity(name),
        lambda: aws.ses.identity(name),
        lambda: aws.ses.delete_identity(name),
        lambda: aws.ses.switch_dkim(name, on=False),
        lambda: aws.ses.renew_dkim(name),
        lambda: aws.ses.set_mail_from(name, f"bounce.{domain}"),
        lambda: aws.ses.use_configuration_set(name, ""),
        lambda: aws.ses.ensure_configuration_set("another"),
        lambda: aws.ses.delete_configuration_set("another"),
        lambda: aws.sns.ensure_topic("another", account=key["account"], configuration_set=NAME),
        lambda: aws.sns.delete_topic(f"arn:aws:sns:{REGION}:{key['account']}:another"),
    ):
        with pytest.raises(MissingPermission):
            call()


ANYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@pytest.mark.parametrize("made", MADE)
def test_and_nothing_in_other_regions(place, made):
    key, _ = limited(place, made)
    elsewhere = Aws(Credentials(key["access_key"], key["secret"], "eu-west-1"), place.api)
    for call in (
        elsewhere.ses.account,
        lambda: elsewhere.ses.ensure_identity("firm.test"),
        lambda: list(elsewhere.ses.identities()),
    ):
        with pytest.raises(MissingPermission):
            call()


@pytest.mark.parametrize("state", ["sandbox", "production"])
@pytest.mark.parametrize("made", MADE)
def test_it_sends_for_its_own_domains_by_smtp(place, made, state):
    sender = Sender(place, state=state)
    place.cloud.iam.put_user(sender.told["account"], "mailat-sending", made(sender.told["account"]))
    for name in ("other.test", TESTER, "anna@firm.test"):
        sender.verify(name)
    assert sender.refusal("bob@firm.test") == ""
    assert sender.refusal(TESTER) == ""
    assert sender.refusal("bob@firm.test", sender="eve@other.test").startswith("554 Access denied")


@pytest.mark.parametrize(
    "action",
    [
        one
        for group in ("ACCOUNT_WIDE", "OF_IDENTITIES", "OF_CONFIGURATION_SET", "OF_TOPIC")
        for one in getattr(aws_policy, group)
    ],
)
def test_no_action_is_allowed_that_is_not_needed(place, endpoint, action):
    """Without it something fails, and its name is told."""
    key, aws = limited(place, lambda account: without(plain(account), action))
    missing = set()
    calls = [*everything(aws, key["account"], OWN[0], endpoint.url)]
    calls += [("confirm", lambda: aws.sns.confirm(f"arn:aws:sns:{REGION}:{key['account']}:{NAME}", "0"))]
    calls += [("allow again", lambda: aws.ses.allow_again("x@outside.test"))]
    for _, call in [*calls, *ending(aws, key["account"], OWN[0])]:
        try:
            call()
        except MissingPermission as error:
            missing.add(error.action)
        except ClientError:
            continue  # what fails because something before it was not allowed
    if action == "ses:SendRawEmail":
        sender = Sender(place)
        place.cloud.iam.put_user(
            sender.told["account"], "mailat-sending", without(plain(sender.told["account"]), action)
        )
        assert "554 Access denied" in sender.refusal()
        missing.add(action)
    assert missing == {action}


def without(whole, action):
    return {
        **whole,
        "Statement": [
            {**one, "Action": [each for each in one["Action"] if each != action]}
            for one in whole["Statement"]
        ],
    }


def test_everything_is_only_allowed_where_amazon_knows_no_resource():
    whole = plain("123456789012")
    (wide,) = [one for one in whole["Statement"] if one["Resource"] == "*"]
    assert tuple(wide["Action"]) == aws_policy.ACCOUNT_WIDE
    assert wide["Condition"] == {"StringEquals": {"aws:RequestedRegion": REGION}}
    resources = [each for one in whole["Statement"] if one is not wide for each in (one["Resource"] if isinstance(one["Resource"], list) else [one["Resource"]])]  # fmt: skip
    assert all(each.split(":")[3:5] == [REGION, "123456789012"] for each in resources)


@pytest.mark.parametrize(
    "wish",
    [
        {"domains": []},
        {"domains": ["*"]},
        {"domains": ["firm.test/*"]},
        {"domains": ["*.firm.test"]},
        {"domains": ["Firm.test"]},
        {"domains": ["firm.test\n"]},
        {"domains": ["${aws:username}.test"]},
        {"testers": ["*@home.test"]},
        {"testers": ["a?@home.test"]},
        {"testers": ["${x}@home.test"]},
        {"region": "*"},
        {"region": "eu-central-1:*"},
        {"account": "12"},
        {"domains": [f"a{number}.some-long-name-of-a-firm.test" for number in range(100)]},
    ],
)
def test_nothing_that_means_more_than_a_name_gets_into_a_policy(wish):
    with pytest.raises(NoPolicy):
        policy(**{"region": REGION, "domains": OWN, **wish})


def test_a_template_makes_a_user_and_no_key_and_shows_no_secret():
    text = template(region=REGION, domains=OWN)
    whole = json.loads(text)
    assert {one["Type"] for one in whole["Resources"].values()} == {
        "AWS::IAM::User",
        "AWS::IAM::ManagedPolicy",
    }
    assert whole["Resources"]["User"]["Properties"]["ManagedPolicyArns"] == [{"Ref": "Policy"}]
    assert "AccessKey" not in text
    assert "Secret" not in text
    assert "${User}" in whole["Outputs"]["NextStep"]["Value"]["Fn::Sub"]


def test_links_open_amazons_console_in_the_customers_region():
    link = quick_create_link(
        region=REGION, template_url="https://b.s3.eu-central-1.amazonaws.com/t.json?a=b&c"
    )
    head, _, wish = link.partition("#/stacks/create/review?")
    assert head == f"https://{REGION}.console.aws.amazon.com/cloudformation/home?region={REGION}"
    assert wish == (
        "templateURL=https%3A%2F%2Fb.s3.eu-central-1.amazonaws.com%2Ft.json%3Fa%3Db%26c&stackName=mailat-sending"
    )
    assert upload_link(REGION).endswith(f"home?region={REGION}#/stacks/create/template")
    for wrong in (
        lambda: quick_create_link(region="x/y", template_url="t"),
        lambda: upload_link("evil.test/"),
    ):
        with pytest.raises(NoPolicy):
            wrong()
