"""What each operation needs to be allowed on.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_sesv2.html and list_sns.html there. An action
without a resource is one that only a policy with `"Resource": "*"` allows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.aws import policies
from sandbox.aws.errors import AwsError
from sandbox.aws.iam import Iam, Key
from sandbox.aws.identities import tidy

NO_RESOURCE = {
    "GetAccount", "PutAccountDetails", "ListEmailIdentities", "ListConfigurationSets", "ListSuppressedDestinations",
    "GetSuppressedDestination", "DeleteSuppressedDestination",
}  # fmt: skip


def needed(service: str, operation: str, given: dict[str, Any], region: str, account: str) -> list[str]:
    """The resources of a request; all of them must be allowed."""
    if service == "sns":
        return [_topic(operation, given, region, account)]
    if operation in NO_RESOURCE:
        return ["*"]
    base = f"arn:aws:ses:{region}:{account}:"
    found = [f"{base}identity/{tidy(given['EmailIdentity'])}"] if "EmailIdentity" in given else []
    if given.get("ConfigurationSetName") and operation != "CreateEmailIdentity":
        found.append(f"{base}configuration-set/{given['ConfigurationSetName']}")
    return found


def _topic(operation: str, given: dict[str, Any], region: str, account: str) -> str:
    if operation == "CreateTopic":
        return f"arn:aws:sns:{region}:{account}:{given['Name']}"
    if "SubscriptionArn" in given:
        return str(given["SubscriptionArn"]).rpartition(":")[0]
    return str(given.get("TopicArn", "*"))


def check(iam: Iam, key: Key, service: str, operation: str, resources: Iterable[str], region: str) -> None:
    """Raises AwsError, in the words of the service, at the first resource that is not allowed."""
    action = f"{'SNS' if service == 'sns' else 'ses'}:{operation}"
    for resource in resources:
        found = verdict(iam, key, action, resource, region)
        if found != policies.ALLOWED:
            code = "AuthorizationError" if service == "sns" else "AccessDeniedException"
            raise AwsError(code, says(key, action, resource, found), 403)


def verdict(iam: Iam, key: Key, action: str, resource: str, region: str) -> str:
    return policies.verdict(iam.policy(key), action, resource, {"aws:RequestedRegion": region})


def says(key: Key, action: str, resource: str, found: str) -> str:
    why = (
        "with an explicit deny in an identity-based policy"
        if found == policies.DENIED
        else f"because no identity-based policy allows the {action} action"
    )
    return f"User: {key.arn} is not authorized to perform: {action} on resource: {resource} {why}"
