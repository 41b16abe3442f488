"""A server's id, a domain of Alice's on it, and a plan that has room."""

import base64
import re
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core import mail

from accounts.models import Account
from domains import actions, wanted
from domains.actions import Most
from domains.models import Domain, Mailbox
from domains.postmasters import LOCALS
from tests.accounts.conftest import work_letters

GB = 10**9
PLENTY = Most(mailboxes=200, disk=400 * GB)
BY = "user:1"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
PASSWORD_OF_SES = "BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9"  # of SECRET_KEY in us-east-1
LINK = re.compile(r"http://testserver/mailbox/(\w+)")
PASSWORD = "seven wet herons at noon"


@pytest.fixture
def home() -> UUID:
    return uuid4()


@pytest.fixture
def firm(account: Account, home: UUID) -> Domain:
    return actions.add_domain(account=account, home=home, name="firm.test", by=BY)


@pytest.fixture
def anna(firm: Domain) -> Mailbox:
    return add(firm, "anna")


def add(domain: Domain, local: str, **more: object) -> Mailbox:
    wishes: dict = {"quota": GB, "most": PLENTY, "name": local.title(), **more}
    return actions.add_mailbox(domain=domain, local=local, by=BY, **wishes)


def made_aliases(home: UUID) -> list[dict]:
    """Those of the order that somebody made: not postmaster and abuse, which every domain has."""
    return [one for one in wanted.mail(home)["aliases"] if one["address"].partition("@")[0] not in LOCALS]


def seal_pair() -> tuple[str, X25519PrivateKey]:
    """An agent's key: what it publishes, and what stays with it."""
    private = X25519PrivateKey.generate()
    raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.b64encode(raw).decode(), private


def set_way_out(domain: Domain, **more: object) -> object:
    seal_key, _private = seal_pair()
    values: dict = {
        "account": domain.account,
        "home": domain.home,
        "region": "eu-central-1",
        "access_key": ACCESS_KEY,
        "password": PASSWORD_OF_SES,
        "seal_key": seal_key,
        "sender_domain": domain,
        **more,
    }
    return actions.set_way_out(**values, by=BY)


def last_token() -> str:
    """Sends what is owed and reads the link of the newest invitation."""
    work_letters()
    texts = [str(message.body) for message in mail.outbox]
    return [found[1] for text in texts if (found := LINK.search(text))][-1]
