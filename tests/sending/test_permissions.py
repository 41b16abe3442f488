"""Every permission of the policy, taken away alone: the one look at a key names exactly that one, with its purpose."""

from collections.abc import Iterable
from typing import Any

import pytest

from clients.aws_policy import OF_TOPIC, policy
from dashboard.sending_words import purpose
from domains.models import Domain, WayOut
from sandbox.aws.iam import Key
from sandbox.aws.sending import Sending
from sandbox.internet.headers import Message
from sending.models import Credentials
from tests.sandbox.aws.place import REGION, Place
from tests.sending.conftest import answer, due_now, fresh, paste

# What the one look leaves out, because asking would do it.
NOT_ASKED = {
    "ses:PutAccountDetails": "asks Amazon's people for production, which happens when the owner says so",
    "ses:DeleteSuppressedDestination": "lets an address be written to again, which happens when the owner says so",
    "ses:PutEmailIdentityDkimSigningAttributes": "begins the search for a domain's records anew, once Amazon has given it up",
    "ses:DeleteEmailIdentity": "only for removal",
    "ses:DeleteConfigurationSet": "only for removal",
    "sns:Unsubscribe": "only for removal",
    "sns:DeleteTopic": "only for removal",
}
# Amazon looks at this one only when a letter comes.
AT_THE_LETTER = "ses:SendRawEmail"


def actions_of(written: dict[str, Any]) -> set[str]:
    return {action for statement in written["Statement"] for action in statement["Action"]}


def without(written: dict[str, Any], *actions: str) -> dict[str, Any]:
    statements = [
        {**one, "Action": left}
        for one in written["Statement"]
        if (left := [each for each in one["Action"] if each not in actions])
    ]
    return {**written, "Statement": statements}


ALL = sorted(actions_of(policy(region=REGION, domains=["firm.test"])))
ASKED = [one for one in ALL if one not in NOT_ASKED and one != AT_THE_LETTER]


def lacking(amazon: Place, firm: Domain, *actions: str) -> tuple[Credentials, str, dict[str, Any]]:
    """A key whose user may do all that we ask for, but for these."""
    account = amazon.post("accounts")["account"]
    whole = policy(region=REGION, domains=[firm.name], account=account)
    row = paste(firm, amazon.key(account=account, policy=without(whole, *actions)))
    return row, account, whole


def named(row: Credentials) -> list[str]:
    """The permissions that the key lacks; anything else in the list would be a surprise."""
    found = fresh(row).refusals
    assert {each["code"] for each in found} <= {"permission"}, found
    return sorted(each["facts"]["action"] for each in found)


def test_nothing_is_left_out_but_what_stands_here_by_name() -> None:
    assert set(ASKED) | set(NOT_ASKED) | {AT_THE_LETTER} == set(ALL)
    assert not set(ASKED) & set(NOT_ASKED)


@pytest.mark.parametrize("action", ASKED)
def test_each_that_is_missing_is_named_alone(amazon: Place, firm: Domain, action: str) -> None:
    row, _account, _whole = lacking(amazon, firm, action)
    assert named(row) == [action]
    assert purpose(action)
    assert not WayOut.objects.exists()


def test_what_is_not_asked_at_set_up_keeps_no_key_from_use(amazon: Place, firm: Domain) -> None:
    row, _account, _whole = lacking(amazon, firm, *NOT_ASKED)
    assert named(row) == []
    assert WayOut.objects.exists()


@pytest.mark.parametrize(
    "actions",
    [
        ASKED,
        [one for one in ASKED if one.startswith("ses:")],
        [one for one in ASKED if one in OF_TOPIC],
        ["ses:GetAccount", "ses:CreateConfigurationSet", "sns:CreateTopic"],
        ["ses:CreateEmailIdentity", "ses:GetEmailIdentity", "ses:PutEmailIdentityMailFromAttributes"],
    ],
    ids=["all", "all of SES", "all of SNS", "first ones", "of a domain"],
)
def test_all_that_are_missing_are_told_in_one_look_and_are_enough_once_they_are_there(
    amazon: Place, firm: Domain, actions: Iterable[str]
) -> None:
    row, account, whole = lacking(amazon, firm, *actions)
    assert named(row) == sorted(actions)
    amazon.post("users", account=account, user="mailat-sending", policy=whole)
    due_now()
    assert named(row) == []
    assert WayOut.objects.exists()


def test_a_domain_that_the_policy_does_not_name_lacks_what_is_of_domains(amazon: Place, firm: Domain) -> None:
    account = amazon.post("accounts")["account"]
    other = policy(region=REGION, domains=["other.test"], account=account)
    row = paste(firm, amazon.key(account=account, policy=other))
    assert set(named(row)) == {
        "ses:CreateEmailIdentity",
        "ses:GetEmailIdentity",
        "ses:PutEmailIdentityDkimAttributes",
        "ses:PutEmailIdentityMailFromAttributes",
        "ses:PutEmailIdentityConfigurationSetAttributes",
    }


def said_by_the_endpoint(amazon: Place, row: Credentials, firm: Domain) -> str:
    """What SES answers to the trial's letter, its domain being verified."""
    account, name = fresh(row).aws_account, f"postmaster@{firm.name}"
    amazon.post("identities", account=account, region=REGION, name=firm.name)
    key = amazon.cloud.iam.key(row.access_key)
    assert isinstance(key, Key)
    message, to = Message([f"From: {name}".encode()], b""), ["success@simulator.amazonses.com"]
    return Sending(amazon.cloud).refusal(key, REGION, [name], to, message) or "250 Ok"


def test_a_key_that_may_not_send_is_not_taken_into_use(amazon: Place, firm: Domain) -> None:
    row, account, whole = lacking(amazon, firm, AT_THE_LETTER)
    assert named(row) == []
    says = said_by_the_endpoint(amazon, row, firm)
    answer(firm.home, (554, says))
    assert (named(row), fresh(row).state) == ([AT_THE_LETTER], "candidate")
    assert purpose(AT_THE_LETTER)

    amazon.post("users", account=account, user="mailat-sending", policy=whole)
    assert said_by_the_endpoint(amazon, row, firm) == "250 Ok"
