"""What a customer's key may do, and no more: an IAM policy for their domains in their region, and a template that makes its user.

Which action can be limited to what comes from the service authorization reference, read in November 2026:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_sesv2.html and list_sns.html there.
"""

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, urlencode

CONFIGURATION_SET = TOPIC = "mailat-sending"  # the names of ours in the customer's account
USER, STACK = "mailat-sending", "mailat-sending"
MOST_LETTERS = 6144  # of a managed policy, without white space
DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
ADDRESS = re.compile(r"[^\s@*?$\"\\]{1,64}@" + DOMAIN.pattern)
REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")
ACCOUNT = re.compile(r"\d{12}|\*")

# Amazon knows no resource for these; the condition keeps them in the region.
ACCOUNT_WIDE = (
    "ses:GetAccount",  # sandbox or production, quota, review: a state of the account itself
    "ses:PutAccountDetails",  # the request for production is the account's
    "ses:ListEmailIdentities",  # a list is of the whole account
    "ses:ListSuppressedDestinations",  # the suppression list is the account's; only a tenant's would have a resource
    "ses:DeleteSuppressedDestination",
)
OF_IDENTITIES = (
    "ses:CreateEmailIdentity",
    "ses:GetEmailIdentity",
    "ses:DeleteEmailIdentity",
    "ses:PutEmailIdentityDkimAttributes",
    "ses:PutEmailIdentityDkimSigningAttributes",
    "ses:PutEmailIdentityMailFromAttributes",
    "ses:PutEmailIdentityConfigurationSetAttributes",
    "ses:SendRawEmail",
)
OF_CONFIGURATION_SET = (
    "ses:CreateConfigurationSet",
    "ses:DeleteConfigurationSet",
    "ses:CreateConfigurationSetEventDestination",
    "ses:UpdateConfigurationSetEventDestination",
    "ses:GetConfigurationSetEventDestinations",
    "ses:PutEmailIdentityConfigurationSetAttributes",  # names an identity and the set
    "ses:SendRawEmail",  # likewise, where the message or its identity has a set
)
OF_TOPIC = (
    "sns:CreateTopic",
    "sns:SetTopicAttributes",
    "sns:Subscribe",
    "sns:ConfirmSubscription",
    "sns:ListSubscriptionsByTopic",
    "sns:Unsubscribe",
    "sns:DeleteTopic",
)


class NoPolicy(ValueError):
    """No policy can be written for this; the text says why, in words of ours."""


def policy(
    *,
    region: str,
    domains: Iterable[str],
    account: str = "*",
    testers: Iterable[str] = (),
    partition: str = "aws",
) -> dict[str, Any]:
    """The policy as IAM takes it. `account` is the twelve digits once STS has told them: `*` still means the user's own.

    `testers` are addresses that may be verified, so that a first mail can go there while the account is in the sandbox, where
    a recipient is an identity too. Raises NoPolicy for names that are none, or for more than one policy holds.
    """
    if not REGION.fullmatch(region) or not ACCOUNT.fullmatch(account):
        raise NoPolicy("the region or the account is none")
    return _written(region, account, partition, _identities(domains, testers))


def _written(region: str, account: str, partition: str, identities: list[str]) -> dict[str, Any]:
    ses, sns = (f"arn:{partition}:{service}:{region}:{account}:" for service in ("ses", "sns"))
    here = {"StringEquals": {"aws:RequestedRegion": region}}
    statements = [
        {**_allow("Account", ACCOUNT_WIDE, "*"), "Condition": here},
        _allow("Identities", OF_IDENTITIES, [f"{ses}identity/{name}" for name in identities]),
        _allow("Sending", OF_CONFIGURATION_SET, f"{ses}configuration-set/{CONFIGURATION_SET}"),
        _allow("Feedback", OF_TOPIC, f"{sns}{TOPIC}"),
    ]
    made = {"Version": "2012-10-17", "Statement": statements}
    if len(json.dumps(made, separators=(",", ":"))) > MOST_LETTERS:
        raise NoPolicy("these are more domains than one policy can name")
    return made


def _allow(name: str, actions: tuple[str, ...], resource: str | list[str]) -> dict[str, Any]:
    return {"Sid": name, "Effect": "Allow", "Action": list(actions), "Resource": resource}


def _identities(domains: Iterable[str], testers: Iterable[str]) -> list[str]:
    """A domain speaks for its addresses, and so may an address of it that was verified by itself."""
    names, addresses = sorted(set(domains)), sorted(set(testers))
    if not names:
        raise NoPolicy("a policy needs a domain")
    if wrong := [name for name in names if not DOMAIN.fullmatch(name)]:
        raise NoPolicy(f"this is no domain: {wrong[0]}")
    if wrong := [each for each in addresses if not ADDRESS.fullmatch(each)]:
        raise NoPolicy(f"this is no address: {wrong[0]}")
    return [each for name in names for each in (name, f"*@{name}")] + addresses


def template(*, region: str, domains: Iterable[str], testers: Iterable[str] = ()) -> str:
    """A CloudFormation template, as JSON, that makes a user with exactly this policy and nothing else.

    It makes no access key. A key made by a template can only be handed over as an output, and whoever may look at the stack
    reads outputs in plain for as long as the stack is there; made by hand in the console, the secret is shown once to one person.
    """
    written = policy(region=region, domains=domains, testers=testers, account="*")
    own = _substituted(written["Statement"])
    user = {
        "Type": "AWS::IAM::User",
        "Properties": {"UserName": USER, "ManagedPolicyArns": [{"Ref": "Policy"}]},
    }
    managed = {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {"PolicyDocument": {"Version": written["Version"], "Statement": own}},
    }
    told = {"Description": "Make an access key for this user, and paste it", "Value": {"Fn::Sub": KEY_PAGE}}
    whole = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "A user that sends mail by SES for a mail server, limited to its domains and one region",
        "Resources": {"Policy": managed, "User": user},
        "Outputs": {"NextStep": told},
    }
    return json.dumps(whole, indent=2)


KEY_PAGE = "https://console.aws.amazon.com/iam/home#/users/details/${User}/create-access-key"


def _substituted(statements: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With partition and account filled in by CloudFormation, which knows them."""

    def own(resource: str) -> Any:
        if resource == "*":
            return resource
        _, _, service, region, _, rest = resource.split(":", 5)
        return {"Fn::Sub": f"arn:${{AWS::Partition}}:{service}:{region}:${{AWS::AccountId}}:{rest}"}

    def all_own(resource: str | list[str]) -> Any:
        return own(resource) if isinstance(resource, str) else [own(each) for each in resource]

    return [{**one, "Resource": all_own(one["Resource"])} for one in statements]


def quick_create_link(*, region: str, template_url: str) -> str:
    """Opens Amazon's console at a stack that is filled in; `template_url` must be an object in Amazon's S3 that they may read.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-console-create-stacks-quick-create-links.html.
    """
    if not REGION.fullmatch(region):
        raise NoPolicy("the region is none")
    wish = urlencode({"templateURL": template_url, "stackName": STACK}, quote_via=quote, safe="")
    return f"https://{region}.console.aws.amazon.com/cloudformation/home?region={region}#/stacks/create/review?{wish}"


def upload_link(region: str) -> str:
    """Opens Amazon's console where a template that was saved before is uploaded."""
    if not REGION.fullmatch(region):
        raise NoPolicy("the region is none")
    return (
        f"https://{region}.console.aws.amazon.com/cloudformation/home?region={region}#/stacks/create/template"
    )
