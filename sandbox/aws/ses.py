"""The operations of SES, version 2: each takes what was asked and gives what the vendor would answer, or raises AwsError.

Source: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_Operations.html.
"""

from __future__ import annotations

import datetime
from typing import Any

from sandbox.aws.cloud import Call
from sandbox.aws.errors import bad, gone
from sandbox.aws.identities import Identity, Seen, tidy
from sandbox.aws.lists import page
from sandbox.aws.regions import REVIEWS

Answer = dict[str, Any]


def get_account(call: Call) -> Answer:
    region = call.cloud.regions.get(call.account, call.region)
    answer = {
        "DedicatedIpAutoWarmupEnabled": False,
        "EnforcementStatus": region.enforcement,
        "ProductionAccessEnabled": region.production,
        "SendingEnabled": region.state not in ("paused", "switched_off"),
        "SendQuota": {
            "Max24HourSend": region.max24,
            "MaxSendRate": region.rate,
            "SentLast24Hours": call.cloud.regions.sent24(region),
        },
        "SuppressionAttributes": {"SuppressedReasons": region.suppresses},
        "VdmAttributes": {"VdmEnabled": "DISABLED"},
    }
    if region.details or region.state != "sandbox":
        answer["Details"] = _details(region.details, region.state)
    return answer


def _details(details: dict[str, Any], state: str) -> Answer:
    kept = {name: value for name, value in details.items() if name != "ProductionAccessEnabled"}
    review = {"Status": REVIEWS.get(state, "GRANTED"), "CaseId": "172968473300001"}
    plain = {
        "MailType": "TRANSACTIONAL",
        "WebsiteURL": "https://firm.test",
        "ContactLanguage": "EN",
        "UseCaseDescription": "",
    }
    return {**plain, **kept, **({"ReviewDetails": review} if state != "sandbox" else {})}


def put_account_details(call: Call) -> Answer:
    if not str(call.given["WebsiteURL"]).startswith(("http://", "https://")):
        raise bad("WebsiteURL is not a valid URL.")
    call.cloud.regions.ask(call.account, call.region, call.given)
    return {}


def put_account_suppression_attributes(call: Call) -> Answer:
    call.cloud.regions.suppress(call.account, call.region, call.given.get("SuppressedReasons", []))
    return {}


def create_email_identity(call: Call) -> Answer:
    configuration_set = call.given.get("ConfigurationSetName", "")
    if configuration_set:
        call.cloud.sets.need(call.account, call.region, configuration_set)
    if (
        "DkimSigningAttributes" in call.given
        and "DomainSigningPrivateKey" in call.given["DkimSigningAttributes"]
    ):
        raise bad("This stand-in does not take keys of your own.")
    made = call.cloud.identities.make(
        call.account, call.region, call.given["EmailIdentity"], configuration_set
    )
    if made.kind == "EMAIL_ADDRESS":
        call.cloud.testers.write(made, call.url)
    seen = call.cloud.identities.look(made)
    return {
        "IdentityType": made.kind,
        "VerifiedForSendingStatus": _verified(seen),
        "DkimAttributes": _dkim(made, seen),
    }


def get_email_identity(call: Call) -> Answer:
    one = _identity(call)
    seen = call.cloud.identities.look(one)
    answer: Answer = {
        "IdentityType": one.kind,
        "FeedbackForwardingStatus": True,
        "VerifiedForSendingStatus": _verified(seen),
        "DkimAttributes": _dkim(one, seen),
        "Policies": {},
        "Tags": [],
        "VerificationStatus": seen.status,
    }
    if one.mail_from:
        status = call.cloud.identities.mail_from(one)
        told = {
            "MailFromDomain": one.mail_from,
            "MailFromDomainStatus": status,
            "BehaviorOnMxFailure": one.on_mx,
        }
        answer["MailFromAttributes"] = told
    if one.configuration_set:
        answer["ConfigurationSetName"] = one.configuration_set
    return {**answer, **_info(one, seen)}


def _identity(call: Call) -> Identity:
    return call.cloud.identities.get(call.account, call.region, tidy(call.given["EmailIdentity"]))


def _verified(seen: Seen) -> bool:
    return seen.status in ("SUCCESS", "TEMPORARY_FAILURE")


def _info(one: Identity, seen: Seen) -> Answer:
    info: Answer = {"LastCheckedTimestamp": _moment(seen.at)}
    info |= {"LastSuccessTimestamp": _moment(one.verified)} if one.verified else {}
    info |= {"ErrorType": seen.why} if seen.why else {}
    return {"VerificationInfo": info}


def _moment(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


def _dkim(one: Identity, seen: Seen) -> Answer:
    if one.kind == "EMAIL_ADDRESS":
        return {"SigningEnabled": False, "Status": "NOT_STARTED", "SigningAttributesOrigin": "AWS_SES"}
    return {
        "SigningEnabled": one.dkim_on,
        "Status": seen.status,
        "Tokens": list(one.tokens),
        "SigningHostedZone": one.zone,
        "SigningAttributesOrigin": "AWS_SES",
        "NextSigningKeyLength": one.bits,
        "CurrentSigningKeyLength": one.bits,
        "LastKeyGenerationTimestamp": _moment(one.made),
    }


def delete_email_identity(call: Call) -> Answer:
    call.cloud.identities.delete(_identity(call))
    return {}


def list_email_identities(call: Call) -> Answer:
    rows = []
    for one in call.cloud.identities.all(call.account, call.region):
        seen = call.cloud.identities.look(one)
        rows.append(
            {
                "IdentityType": one.kind,
                "IdentityName": one.name,
                "SendingEnabled": _verified(seen),
                "VerificationStatus": seen.status,
            }
        )
    return page(rows, call.given, "EmailIdentities")


def put_email_identity_dkim_attributes(call: Call) -> Answer:
    call.cloud.identities.change(_identity(call), dkim_on=call.given.get("SigningEnabled", False))
    return {}


def put_email_identity_dkim_signing_attributes(call: Call) -> Answer:
    """With the vendor's own keys the search for the records begins anew."""
    one = _identity(call)
    if call.given["SigningAttributesOrigin"] != "AWS_SES":
        raise bad("This stand-in does not take keys of your own.")
    bits = call.given.get("SigningAttributes", {}).get("NextSigningKeyLength", one.bits)
    call.cloud.identities.change(one, bits=bits, made=datetime.datetime.now(datetime.UTC).timestamp())
    seen = call.cloud.identities.look(_identity(call))
    return {"DkimStatus": seen.status, "DkimTokens": list(one.tokens), "SigningHostedZone": one.zone}


def put_email_identity_mail_from_attributes(call: Call) -> Answer:
    one, domain = _identity(call), call.given.get("MailFromDomain", "").lower()
    if domain and not domain.endswith(f".{one.name.rpartition('@')[2]}"):
        raise bad(
            f"Provided MAIL-FROM domain <{domain}> is not subdomain of the domain of the identity <{one.name}>."
        )
    on_mx = call.given.get("BehaviorOnMxFailure", "USE_DEFAULT_VALUE")
    call.cloud.identities.change(one, mail_from=domain, on_mx=on_mx)
    return {}


def put_email_identity_configuration_set_attributes(call: Call) -> Answer:
    name = call.given.get("ConfigurationSetName", "")
    if name:
        call.cloud.sets.need(call.account, call.region, name)
    call.cloud.identities.change(_identity(call), configuration_set=name)
    return {}


def create_configuration_set(call: Call) -> Answer:
    call.cloud.sets.make(call.account, call.region, call.given["ConfigurationSetName"])
    return {}


def get_configuration_set(call: Call) -> Answer:
    name = call.given["ConfigurationSetName"]
    call.cloud.sets.need(call.account, call.region, name)
    return {"ConfigurationSetName": name, "SendingOptions": {"SendingEnabled": True}, "Tags": []}


def delete_configuration_set(call: Call) -> Answer:
    call.cloud.sets.delete(call.account, call.region, call.given["ConfigurationSetName"])
    return {}


def create_configuration_set_event_destination(call: Call) -> Answer:
    return _put_destination(call, anew=True)


def update_configuration_set_event_destination(call: Call) -> Answer:
    return _put_destination(call, anew=False)


def _put_destination(call: Call, anew: bool) -> Answer:
    given = call.given
    names = given["ConfigurationSetName"], given["EventDestinationName"]
    call.cloud.sets.put_destination(call.account, call.region, *names, given["EventDestination"], anew)
    return {}


def get_configuration_set_event_destinations(call: Call) -> Answer:
    name = call.given["ConfigurationSetName"]
    return {"EventDestinations": call.cloud.sets.destinations(call.account, call.region, name)}


def list_suppressed_destinations(call: Call) -> Answer:
    wanted = call.given.get("Reasons") or ["BOUNCE", "COMPLAINT"]
    rows = [one for one in call.cloud.sets.suppressed(call.account, call.region) if one["Reason"] in wanted]
    return page(rows, call.given, "SuppressedDestinationSummaries")


def delete_suppressed_destination(call: Call) -> Answer:
    if not call.cloud.sets.allow(call.account, call.region, call.given["EmailAddress"]):
        raise gone(f"Email address {call.given['EmailAddress']} does not exist on your suppression list.")
    return {}


OPERATIONS = {
    "".join(word.capitalize() for word in work.__name__.split("_")): work
    for work in (
        get_account, put_account_details, put_account_suppression_attributes, create_email_identity, get_email_identity,
        delete_email_identity, list_email_identities, put_email_identity_dkim_attributes,
        put_email_identity_dkim_signing_attributes, put_email_identity_mail_from_attributes,
        put_email_identity_configuration_set_attributes, create_configuration_set, get_configuration_set,
        delete_configuration_set, create_configuration_set_event_destination, update_configuration_set_event_destination,
        get_configuration_set_event_destinations, list_suppressed_destinations, delete_suppressed_destination,
    )
}  # fmt: skip
