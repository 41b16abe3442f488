"""What the way through Amazon is told in: each code that keeps mail from leaving, with what happened, what we did, and what to do."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy


@dataclass(frozen=True)
class Told:
    """An obstacle in plain words."""

    what: str
    did: str
    todo: str


NOT_USED = lazy("We have not used the key for anything else.")

# What happened, what we did, what the reader can do. Facts in brackets come from the obstacle.
OBSTACLES = {
    "permission": (
        lazy("Amazon does not allow this key to do %(action)s."),
        lazy("We asked for the rest as well, as far as it goes without this."),
        lazy("Give the user the policy of step 1 as it stands there now: it allows this."),
    ),
    "wrong_key": (
        lazy("Amazon does not know this access key."),
        NOT_USED,
        lazy("Look in AWS under IAM, Users, Security credentials: the key must be there and “Active”. Enter it again, copied whole."),
    ),
    "wrong_secret": (
        lazy("The secret does not belong to this access key."),
        NOT_USED,
        lazy("AWS shows a secret only once. If you have it no more, make another access key there and enter both parts."),
    ),
    "temporary_key": (
        lazy("This is a temporary key, which Amazon ends by itself."),
        NOT_USED,
        lazy("Make an access key of the IAM user of step 1; it begins with AKIA."),
    ),
    "root_key": (
        lazy("This is the key of the whole AWS account's owner. It may do everything, and nothing could limit it."),
        lazy("We asked Amazon only whose key it is, and do not use it."),
        lazy("Delete this key in AWS, because nobody should have one. Then make the user of step 1 and a key of that user."),
    ),
    "region_off": (
        lazy("The key is good, but this region is switched off in your AWS account."),
        NOT_USED,
        lazy("Switch the region on in AWS under Account, AWS Regions, or enter the key again with another region."),
    ),
    "not_signed_up": (
        lazy("Your AWS account is not finished: Amazon still waits for a payment method or a confirmation."),
        NOT_USED,
        lazy("Sign in to AWS and finish what it asks for. It can take a day until Amazon has looked at it."),
    ),
    "suspended": (
        lazy("Amazon has stopped all sending by this account."),
        lazy("Mail to others waits on your server, for five days at most, and goes back to its writer after that."),
        lazy("Amazon has written to the address of the AWS account why. Answer that letter in the AWS Support Center."),
    ),
    "paused": (
        lazy("Sending is switched off in your AWS account or its configuration set."),
        lazy("Mail to others waits on your server, for five days at most, and goes back to its writer after that."),
        lazy("Look in Amazon SES under Reputation metrics and Account dashboard: it says there who paused it, and how it goes on."),
    ),
    "limit": (
        lazy("Your AWS account has as many domains, configuration sets or topics as Amazon allows."),
        lazy("We have changed none of those that are there."),
        lazy("Remove what you no longer use in Amazon SES or SNS, or ask Amazon for a higher quota."),
    ),
    "refused": (
        lazy("Amazon refused with its own words: “%(says)s”."),
        lazy("We ask again by ourselves."),
        lazy("If these words do not help you, write to us with the last four letters of the key."),
    ),
    "no_server": (
        lazy("Your server has not called us yet, so there is nobody to hand the key to."),
        lazy("The key waits, sealed."),
        lazy("Nothing: it goes on by itself as soon as the server is ready."),
    ),
    "no_domain": (
        lazy("The domain that was chosen for sending has been removed."),
        lazy("The key was not handed to the server."),
        lazy("Enter the key again with another sending domain."),
    ),
    "smtp": (
        lazy("Amazon knows the key, but your server could not sign in with it. Amazon said: “%(says)s”."),
        lazy("The key that was in use before, if there was one, is in use again."),
        lazy("A new key sometimes works everywhere only after some minutes: check again. If it stays so, look whether the policy of step 1 allows ses:SendRawEmail."),
    ),
}  # fmt: skip

# What each permission is for; one who is asked for it wants to know why.
PERMISSIONS = {
    "ses:GetAccount": lazy("to see whether you may send, and how much is left of the day"),
    "ses:PutAccountDetails": lazy("to ask for production when you say so"),
    "ses:ListEmailIdentities": lazy("to see which domains are there"),
    "ses:ListSuppressedDestinations": lazy("to see to whom Amazon no longer sends"),
    "ses:DeleteSuppressedDestination": lazy("to let an address be written to again"),
    "ses:CreateEmailIdentity": lazy("to add your domains"),
    "ses:GetEmailIdentity": lazy("to see whether a domain is verified"),
    "ses:DeleteEmailIdentity": lazy("to remove a domain that you remove here"),
    "ses:PutEmailIdentityDkimAttributes": lazy("to have mail signed"),
    "ses:PutEmailIdentityDkimSigningAttributes": lazy("to renew the records of a domain"),
    "ses:PutEmailIdentityMailFromAttributes": lazy("to have bounces come back in your domain's name"),
    "ses:PutEmailIdentityConfigurationSetAttributes": lazy("to hear of bounces of a domain's mail"),
    "ses:SendRawEmail": lazy("to send mail"),
    "ses:CreateConfigurationSet": lazy("to have a place where Amazon reports to"),
    "ses:DeleteConfigurationSet": lazy("to remove it again"),
    "ses:CreateConfigurationSetEventDestination": lazy("to have bounces and complaints reported"),
    "ses:UpdateConfigurationSetEventDestination": lazy("to keep these reports right"),
    "ses:GetConfigurationSetEventDestinations": lazy("to see whether they are reported"),
    "sns:CreateTopic": lazy("to have a channel for the reports"),
    "sns:SetTopicAttributes": lazy("to let only Amazon SES write into it"),
    "sns:Subscribe": lazy("to listen to it"),
    "sns:ConfirmSubscription": lazy("to agree to listen"),
    "sns:ListSubscriptionsByTopic": lazy("to see who listens"),
    "sns:Unsubscribe": lazy("to stop listening"),
    "sns:DeleteTopic": lazy("to remove the channel again"),
}

# What Amazon's look at the DNS found: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_VerificationInfo.html
LOOKS = {
    "HOST_NOT_FOUND": lazy("Amazon found no such name: the records are not entered yet, or the change is not seen everywhere yet. Registrars often add the domain a second time: the name must not end in it twice."),
    "TYPE_NOT_FOUND": lazy("Amazon found the name, but no CNAME there. Another kind of record stands under it."),
    "INVALID_VALUE": lazy("Amazon found a record with another value. Copy the value once more, whole."),
    "DNS_SERVER_ERROR": lazy("Your domain's name servers gave Amazon no proper answer. If that stays so for an hour, ask your registrar."),
    "SERVICE_ERROR": lazy("Amazon had trouble of its own when it looked, and looks again by itself."),
}  # fmt: skip

REVIEWS = {
    "PENDING": lazy("Amazon is looking at your request for production. It usually answers within a day."),
    "DENIED": lazy("Amazon declined your request for production."),
    "FAILED": lazy("Amazon could not work on your request for production. Send it again."),
    "GRANTED": lazy("Amazon granted your request for production."),
}


def told(obstacle: Mapping[str, Any]) -> Told:
    """An obstacle as it is kept (`code` and `facts`), in words; one that has none shows its code, which staff can search."""
    code, facts = str(obstacle.get("code", "")), obstacle.get("facts")
    known = OBSTACLES.get(code)
    if known is None:
        return Told(
            _("Something keeps it from use (%s).") % code, "", _("Write to us; our staff can see it.")
        )
    filled = defaultdict(lambda: "…", facts if isinstance(facts, dict) else {})
    what, did, todo = (str(each) for each in known)
    return Told(what % filled, did, todo)


def troubled(obstacle: Mapping[str, Any]) -> Told:
    """The same for a key that is in use, where something stopped working."""
    did = _(
        "We look again every quarter of an hour. Mail that cannot leave waits on your server, for five days."
    )
    return replace(told(obstacle), did=did)


def look(why: str) -> str:
    """What the last look at a domain's records found wrong."""
    return str(LOOKS.get(why) or _("Amazon's last look found: %s.") % why)


def purpose(action: str) -> str:
    """What a permission is for; empty for one that we do not ask for."""
    return str(PERMISSIONS.get(action, ""))


def request_text(domains: list[str], host: str) -> str:
    """For Amazon's form, in the customer's name; what stands in square brackets they fill in."""
    return _(
        "We are [what your organisation is and does]. We run our own mail server, %(host)s, with mailboxes for our people at "
        "%(domains)s.\n\n"
        "We send the mail that our people write by hand to customers and partners, with the usual answers and notices: "
        "about [50] mails a day, at most [200]. We send no advertising, and keep no lists of recipients: each mail goes to "
        "somebody who wrote to us or whom one of us knows.\n\n"
        "Every mailbox has a limit of recipients an hour and a day. Amazon SNS reports bounces and "
        "complaints to the operator of our mail server, who counts them for each mailbox. Our domains are verified with Easy "
        "DKIM and have SPF and DMARC records.\n\n"
        "Our website is [address]."
    ) % {"host": host, "domains": ", ".join(domains)}
