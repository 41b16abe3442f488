"""What keeps a key from use stands where it belongs, once, and repeats no secret."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account
from domains.models import Domain, WayOut
from sending.models import Identity
from servers.models import Agent
from tests.dashboard import mail_world, sending_world
from tests.dashboard.sending_world import refused
from tests.dashboard.test_pages import text
from tests.dashboard.test_sending_page import SEAL_KEY, SECRET, page_of, typed
from vault.models import Secret


@pytest.fixture
def firm(account: Account) -> Domain:
    one = mail_world.domain(mail_world.serving(account))
    Agent.objects.filter(server=one.home).update(seal_key=SEAL_KEY)
    return one


@pytest.mark.parametrize(
    ("changes", "field", "why"),
    [
        ({"region": ""}, "region", "Choose the AWS region"),
        ({"region": "moon-1"}, "region", "Choose one of the regions."),
        ({"access_key": "ASIAIOSFODNN7EXAMPLE"}, "access_key", "is a temporary one"),
        ({"access_key": "mine"}, "access_key", "An access key begins with AKIA"),
        ({"access_key": SECRET}, "access_key", "looks like the secret"),
        ({"access_key": SECRET, "secret": "AKIAIOSFODNN7EXAMPLE"}, "access_key", "the other way round"),
        ({"access_key": f"AKIAIOSFODNN7EXAMPLE {SECRET}"}, "access_key", "a space or a line end"),
        ({"secret": "short"}, "secret", "exactly 40 characters"),
        ({"secret": "BL" + "a" * 42}, "secret", "looks like an SMTP password"),
        ({"sender_domain": "x"}, "sender_domain", "Choose one of the domains of this server."),
    ],
)
def test_each_refusal_stands_beside_its_field_and_repeats_no_secret(
    as_alice: Client, firm: Domain, changes: dict[str, str], field: str, why: str
) -> None:
    answer = as_alice.post(page_of(firm), typed(firm, **changes))
    page = answer.content.decode()
    beside = re.search(rf'<div id="{field}_error">(.*?)</div>', page, re.S)
    assert answer.status_code == 422
    assert beside
    assert why in beside[1]
    assert SECRET not in page
    assert not Secret.objects.exists()


def test_missing_permissions_are_listed_one_by_one_with_their_purpose(as_alice: Client, firm: Domain) -> None:
    lacks = [
        refused("permission", action=action, resource="*")
        for action in ("sns:CreateTopic", "ses:GetAccount", "ses:New")
    ]
    sending_world.credentials(firm, "candidate", *lacks)
    said = text(as_alice.get(page_of(firm)))
    assert "Amazon does not allow this key 3 things that are needed" in said
    assert "sns:CreateTopic to have a channel for the reports" in said
    assert "ses:GetAccount to see whether you may send" in said
    assert "ses:New" in said
    assert "The user at Amazon lacks permissions" in said


def test_a_permission_that_is_taken_away_later_is_seen_at_the_first_step_too(
    as_alice: Client, firm: Domain
) -> None:
    sending_world.works(firm)
    at = timezone.now() - timedelta(hours=2)
    lacking = refused("permission", action="ses:GetEmailIdentity")
    Identity.objects.filter(domain=firm).update(trouble=lacking, trouble_at=at, read_at=timezone.now())
    page = as_alice.get(page_of(firm))
    assert "does not allow this key to do ses:GetEmailIdentity" in text(page)
    assert "what is missing stands above" in text(page)
    assert page.content.decode().count(at.isoformat(timespec="seconds")[:16]) >= 2, (
        "since then, not since the look"
    )


def test_what_a_first_key_is_refused_for_is_not_told_twice(as_alice: Client, firm: Domain) -> None:
    sending_world.credentials(firm, "candidate", refused("wrong_secret"))
    sending_world.identity(firm, trouble=refused("wrong_secret"), trouble_at=timezone.now())
    said = text(as_alice.get(page_of(firm)))
    assert said.count("AWS shows a secret only once.") == 2, "at the key, and at the domain"


def test_a_server_with_a_new_key_needs_the_secret_again(as_alice: Client, firm: Domain) -> None:
    mail_world.way_out(firm)
    assert "it cannot open the secret any more" in text(as_alice.get(page_of(firm)))


def test_what_is_in_the_vault_is_sealed_for_a_new_server_and_asked_of_nobody(
    as_alice: Client, firm: Domain
) -> None:
    sending_world.works(firm)
    assert "another key of its own" not in text(as_alice.get(page_of(firm)))
    Agent.objects.filter(server=firm.home).update(seal_key="another")
    said = text(as_alice.get(page_of(firm)))
    assert "We seal the password for it once more by ourselves" in said
    assert "it cannot open the secret any more" not in said
    WayOut.objects.update(access_key="AKIAIOSFODNN7OLDER22")
    assert "it cannot open the secret any more" in text(as_alice.get(page_of(firm)))
