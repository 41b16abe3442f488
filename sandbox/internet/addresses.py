"""Who lives where in the hosts' network: the same places in every sandbox, so that they can be told by heart."""

from __future__ import annotations

import ipaddress

GATEWAY, ACME, SES, OUTSIDE, ATTACKER, LAPTOP = 1, 2, 3, 4, 5, 6
MACHINES = range(2, 10)  # addresses of machines that the sandbox itself plays; hosts begin at .10

ACME_NAME = "acme.sandbox.test"
OUTSIDE_DOMAIN, OUTSIDE_NAME = "outside.test", "mail.outside.test"
SES_SENDING_NAME = "smtp-out.amazonses.com"
MACHINE_NAMES = {
    GATEWAY: "gateway.sandbox.test",
    ACME: ACME_NAME,
    SES: SES_SENDING_NAME,
    OUTSIDE: OUTSIDE_NAME,
    ATTACKER: "attacker.sandbox.test",
    LAPTOP: "laptop.sandbox.test",
    7: "laptop-7.sandbox.test",
    8: "laptop-8.sandbox.test",
    9: "laptop-9.sandbox.test",
}
# Where the vendor takes mail by SMTP. Source: docs.aws.amazon.com/general/latest/gr/ses.html. A test holds it against the
# list that the product offers.
REGIONS = [
    *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2"),
    *("ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1"),
    *("us-east-1", "us-east-2", "us-west-1", "us-west-2"),
]


def ses_name(region: str) -> str:
    return f"email-smtp.{region}.amazonaws.com"


def of(network: ipaddress.IPv4Network, place: int) -> str:
    """The address of one of them in that network."""
    return str(network[place])


def read(network: ipaddress.IPv4Network, text: str) -> str:
    """`.5`, `5` or a whole address as a whole one; raises ValueError for anything else."""
    last = text.removeprefix(".")
    return (
        str(network[int(last)]) if last.isdecimal() and int(last) < 255 else str(ipaddress.IPv4Address(text))
    )
