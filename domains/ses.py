"""Credentials of Amazon SES, as a person pastes them.

https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html
"""

import re

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.debug import sensitive_variables

from clients import aws_keys
from clients.errors import Refused
from domains.refusals import BadCredentials

# Where SES takes mail by SMTP. It has other regions that only have the HTTPS interface; whoever adds one here looks first
# whether its endpoint has an address: https://docs.aws.amazon.com/general/latest/gr/ses.html
REGIONS = {
    "ap-northeast-1": "Tokyo",
    "ap-northeast-2": "Seoul",
    "ap-northeast-3": "Osaka",
    "ap-south-1": "Mumbai",
    "ap-southeast-1": "Singapore",
    "ap-southeast-2": "Sydney",
    "ca-central-1": "Canada, central",
    "eu-central-1": "Frankfurt",
    "eu-north-1": "Stockholm",
    "eu-west-1": "Ireland",
    "eu-west-2": "London",
    "eu-west-3": "Paris",
    "sa-east-1": "São Paulo",
    "us-east-1": "North Virginia",
    "us-east-2": "Ohio",
    "us-west-1": "North California",
    "us-west-2": "Oregon",
}
A_REGION = re.compile(r"[a-z]{2}-[a-z]+-[0-9]")
UNSEEN = "\u200b\u200c\u200d\u2060\ufeff"  # letters of no width
PORTS = (587, 2587)  # with STARTTLS; Hetzner lets nothing out on 25 and 465


def endpoint(region: str) -> str:
    """The host that takes mail by SMTP in this region."""
    return f"email-smtp.{region}.amazonaws.com"


def good_region(region: str) -> str:
    """Raises BadCredentials."""
    region = region.strip().lower()
    if region not in REGIONS and A_REGION.fullmatch(region):
        raise BadCredentials(
            _(
                "We know of no way to hand mail to SES in %s. Verify your domain in another region, such as eu-central-1."
            )
            % region,
            "region",
        )
    if region not in REGIONS:
        raise BadCredentials(
            _("Choose the AWS region in which your domain is verified, such as eu-central-1."), "region"
        )
    return region


@sensitive_variables()
def good_credentials(access_key: str, secret: str) -> tuple[str, str]:
    """Both halves, without what stands around them; raises BadCredentials with what is wrong and what to do."""
    access_key, secret = _bare(access_key), _bare(secret)
    try:
        aws_keys.check(access_key, secret)
    except Refused as error:
        raise _told(error.code) from None
    return access_key, secret


def good_access_key(access_key: str) -> str:
    """The half that is no secret. Raises BadCredentials."""
    access_key = _bare(access_key)
    try:
        aws_keys.check_key(access_key)
    except Refused as error:
        raise _told(error.code) from None
    return access_key


def _bare(text: str) -> str:
    """Without what is copied along at the ends, seen or not."""
    return text.strip().strip(UNSEEN).strip()


def _told(code: str) -> BadCredentials:
    """The client's code in words, beside the field; they repeat nothing that was typed."""
    return BadCredentials(str(WRONG[code]), "secret" if code in OF_SECRETS else "access_key")


# What it looks like, and what to do.
WRONG = {
    "temporary": lazy(
        "This access key is a temporary one: it begins with ASIA, and no mail can be sent with it. "
        "Create an access key of an IAM user; it begins with AKIA."
    ),
    "swapped": lazy(
        "The two are the other way round. Paste the one that begins with AKIA here, and the one with 40 characters below."
    ),
    "no_key": lazy("Enter the access key ID of the IAM user; it begins with AKIA."),
    "space_in_key": lazy(
        "There is a space or a line end inside the access key, perhaps one that is not seen. Copy the key alone, without what stands beside it."
    ),
    "secret_as_key": lazy(
        "This looks like the secret. Paste the access key ID here, which begins with AKIA, and the secret below."
    ),
    "key": lazy("An access key begins with AKIA and has capital letters and digits only. Copy it whole."),
    "no_secret": lazy(
        "Enter the secret access key. AWS shows it only once: if you have it no more, make another access key there."
    ),
    "space_in_secret": lazy(
        "There is a space or a line end inside the secret, perhaps one that is not seen. Copy the secret alone, in one piece."
    ),
    "smtp_password": lazy(
        "This looks like an SMTP password, which SES makes for one region. "
        "Paste the secret access key it was made from: it has 40 characters."
    ),
    "key_as_secret": lazy(
        "This is an access key ID, and no secret. Paste the secret that AWS showed with it: it has 40 characters."
    ),
    "secret": lazy("A secret access key has exactly 40 characters: letters, digits, + and /. Copy it whole."),
}
OF_SECRETS = {"no_secret", "space_in_secret", "smtp_password", "key_as_secret", "secret"}
