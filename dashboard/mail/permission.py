"""What the customer's user at Amazon must be allowed, made for their domains and their region."""

import json
from dataclasses import dataclass

from django.http import HttpRequest

from clients import aws_policy
from domains.models import Domain
from domains.ses import REGIONS
from servers.models import Server

NAME = aws_policy.USER
POLICY_PAGE = "https://console.aws.amazon.com/iam/home#/policies/create"
USER_PAGE = "https://console.aws.amazon.com/iam/home#/users/create"
KEY_PAGE = f"https://console.aws.amazon.com/iam/home#/users/details/{NAME}/create-access-key"


@dataclass(frozen=True)
class Permission:
    """All that the first step shows; `policy` is empty where none can be written."""

    region: str
    policy: str
    upload_page: str
    policy_page: str = POLICY_PAGE
    user_page: str = USER_PAGE
    key_page: str = KEY_PAGE
    name: str = NAME


def permission_of(region: str, domains: list[Domain], testers: list[str]) -> Permission:
    names = [one.name for one in domains]
    try:
        text = policy_text(region, names, testers)
    except aws_policy.NoPolicy:
        text = ""
    return Permission(region, text, aws_policy.upload_link(region))


def policy_text(region: str, names: list[str], testers: list[str]) -> str:
    """The policy as people copy it. Raises NoPolicy where none can be written."""
    fitting = _fitting(region, names, testers)
    return json.dumps(aws_policy.policy(region=region, domains=names, testers=fitting), indent=2)


def template_text(region: str, names: list[str], testers: list[str]) -> str:
    """The template as CloudFormation takes it. Raises NoPolicy where none can be written."""
    return aws_policy.template(region=region, domains=names, testers=_fitting(region, names, testers))


def _fitting(region: str, names: list[str], testers: list[str]) -> list[str]:
    """As many of the addresses as one policy holds, the first first: domains matter more than test mails."""
    for most in range(len(testers), 0, -1):
        try:
            aws_policy.policy(region=region, domains=names, testers=testers[:most])
        except aws_policy.NoPolicy:
            continue
        return testers[:most]
    return []


def region_of(request: HttpRequest, usual: str) -> str:
    """The region that the page was asked for; the usual one where it is none of ours."""
    asked = request.GET.get("region", "")
    return asked if asked in REGIONS else usual


def names_of(server: Server) -> list[str]:
    rows = Domain.objects.filter(home=server.pk, account=server.account_id)
    return list(rows.order_by("name").values_list("name", flat=True))


def account_page(region: str) -> str:
    """Where Amazon's console says how the account stands, and takes the request for production."""
    return f"https://{region}.console.aws.amazon.com/ses/home?region={region}#/account"
