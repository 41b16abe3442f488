"""What a policy says, and that what the stand-in would only half understand is refused."""

import pytest

from sandbox.aws.policies import ALLOWED, DENIED, NOT_ALLOWED, PolicyError, check, verdict
from tests.sandbox.aws.place import allow

FIRM = "arn:aws:ses:eu-central-1:123456789012:identity/firm.test"
HERE = {"aws:RequestedRegion": "eu-central-1"}
DENY = {"Effect": "Deny", "Action": "ses:Delete*", "Resource": "*"}


@pytest.mark.parametrize(
    ("policy", "action", "resource", "says"),
    [
        (allow("ses:GetAccount"), "ses:GetAccount", "*", ALLOWED),
        (allow("ses:getaccount"), "ses:GetAccount", "*", ALLOWED),
        (allow("ses:Get*"), "ses:GetEmailIdentity", FIRM, ALLOWED),
        (allow("ses:Get*"), "ses:DeleteEmailIdentity", FIRM, NOT_ALLOWED),
        (allow("*"), "sns:Publish", "*", ALLOWED),
        (allow("ses:GetAccount", resource=FIRM), "ses:GetAccount", "*", NOT_ALLOWED),
        (allow("ses:GetEmailIdentity", resource=FIRM), "ses:GetEmailIdentity", FIRM, ALLOWED),
        (allow("ses:GetEmailIdentity", resource=FIRM), "ses:GetEmailIdentity", FIRM + "s", NOT_ALLOWED),
        (allow("ses:GetEmailIdentity", resource=FIRM.upper()), "ses:GetEmailIdentity", FIRM, NOT_ALLOWED),
        (allow("ses:X", resource="arn:aws:ses:*:*:identity/*.test"), "ses:X", FIRM, ALLOWED),
        (allow("ses:X", resource=FIRM.replace("firm", "f?rm")), "ses:X", FIRM, ALLOWED),
        (allow("ses:X", resource=FIRM.replace(".", "?")), "ses:X", FIRM.replace(".", ""), NOT_ALLOWED),
        (allow("ses:X", Condition={"StringEquals": HERE}), "ses:X", FIRM, ALLOWED),
        (allow("ses:X", Condition={"StringEquals": {"AWS:requestedregion": ["a", "eu-central-1"]}}), "ses:X", FIRM, ALLOWED),
        (allow("ses:X", Condition={"StringEquals": {"aws:RequestedRegion": "eu-*"}}), "ses:X", FIRM, NOT_ALLOWED),
        (allow("ses:X", Condition={"StringLike": {"aws:RequestedRegion": "eu-*"}}), "ses:X", FIRM, ALLOWED),
        (allow("ses:X", Condition={"StringEquals": {"aws:SourceIp": "1"}}), "ses:X", FIRM, NOT_ALLOWED),
        ({"Statement": [*allow("*")["Statement"], DENY]}, "ses:DeleteEmailIdentity", FIRM, DENIED),
        ({"Statement": [DENY]}, "ses:GetAccount", "*", NOT_ALLOWED),
    ],
)  # fmt: skip
def test_a_policy_allows_an_action_on_a_resource_or_it_does_not(policy, action, resource, says):
    assert verdict(policy, action, resource, HERE) == says


@pytest.mark.parametrize(
    "policy",
    [
        [],
        {"Statement": allow("*")["Statement"]},
        {"Version": "2012-10-17", "Statement": []},
        {"Version": "2012-10-17", "Statement": [{"Effect": "Maybe", "Action": "*", "Resource": "*"}]},
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "NotAction": "*", "Resource": "*"}]},
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*"}]},
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": [1], "Resource": "*"}]},
        allow("*", Condition={"DateLessThan": {"aws:CurrentTime": "2026-01-01"}}),
        allow(*[f"ses:{'x' * 60}{number}" for number in range(100)]),
    ],
)
def test_what_is_no_policy_is_refused_when_it_is_set(policy):
    with pytest.raises(PolicyError):
        check(policy)


def test_a_topic_is_for_the_service_that_its_policy_names():
    policy = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "ses.amazonaws.com"}, "Action": "sns:Publish", "Resource": "t"}]}  # fmt: skip
    assert verdict(policy, "sns:Publish", "t", {"service": "ses.amazonaws.com"}) == ALLOWED
    assert verdict(policy, "sns:Publish", "t", {"service": "s3.amazonaws.com"}) == NOT_ALLOWED
    assert verdict(policy, "sns:Publish", "t", {}) == NOT_ALLOWED
