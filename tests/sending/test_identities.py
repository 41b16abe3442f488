"""A domain at Amazon: signed whatever was there before, and its trouble with since when."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from clients.aws_policy import CONFIGURATION_SET
from domains.models import Domain
from sending import feedback, identities
from sending.amazon import account_of
from sending.models import Credentials, Identity
from sending.refusals import Obstacle, of_answer
from tests.sandbox.aws.place import Place
from tests.sending.conftest import BY, due_now, paste


def test_a_domain_whose_signing_was_switched_off_is_signed_again(amazon: Place, firm: Domain) -> None:
    key = amazon.key()
    row = paste(firm, key)
    client = amazon.boto("sesv2", key)
    client.put_email_identity_dkim_attributes(EmailIdentity=firm.name, SigningEnabled=False)
    identities.ensure(firm, row.region, account_of(row, by=BY, why="a test"))
    assert client.get_email_identity(EmailIdentity=firm.name)["DkimAttributes"]["SigningEnabled"]


def test_trouble_stays_from_when_it_began_until_it_is_another_or_over(amazon: Place, firm: Domain) -> None:
    row = paste(firm, amazon.key())
    began = timezone.now() - timedelta(hours=3)
    identities.note_trouble(firm, Obstacle("limit"))
    Identity.objects.filter(domain=firm).update(trouble_at=began)
    identities.note_trouble(firm, Obstacle("limit"))
    assert since(firm.pk) == began
    identities.note_trouble(firm, Obstacle("refused", {"says": "no"}))
    assert since(firm.pk) != began
    identities.ensure(firm, row.region, account_of(Credentials.objects.get(), by=BY, why="a test"))
    assert (since(firm.pk), Identity.objects.get(domain=firm).trouble) == (None, None)


def test_a_configuration_set_that_somebody_removed_is_made_again(amazon: Place, firm: Domain) -> None:
    key = amazon.key()
    paste(firm, key)
    client = amazon.boto("sesv2", key)
    client.delete_configuration_set(ConfigurationSetName=CONFIGURATION_SET)
    due_now()
    told = client.get_configuration_set_event_destinations(ConfigurationSetName=CONFIGURATION_SET)
    assert [one["Name"] for one in told["EventDestinations"]] == [feedback.DESTINATION]


def since(domain: UUID) -> object:
    return Identity.objects.get(domain=domain).trouble_at


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("535 Authentication Credentials Invalid", "smtp"),
        ("554 Message rejected: Email address is not verified.", "smtp"),
        (
            "554 Access denied: User `arn:aws:iam::123456789012:user/a' is not authorized to perform `ses:SendRawEmail'"
            " on resource `arn:aws:ses:eu-central-1:123456789012:identity/firm.test'",
            "permission",
        ),
    ],
)
def test_what_the_endpoint_answers_to_a_server(words: str, code: str) -> None:
    found = of_answer(words)
    assert found.code == code
    if code == "permission":
        where = "arn:aws:ses:eu-central-1:123456789012:identity/firm.test"
        assert found.facts == {"action": "ses:SendRawEmail", "resource": where}
