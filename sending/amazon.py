"""The way from a row to Amazon: a worker opens the secret, and says why."""

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from clients import aws
from clients.aws_keys import smtp_password
from sending.models import Credentials
from vault import actions as vault

PURPOSE = "aws"


@sensitive_variables()
def account_of(row: Credentials, *, by: str, why: str) -> aws.Aws:
    """Amazon by this key. Raises NoVaultKey where no secret is opened, Unreadable if it was shredded."""
    secret = _secret(row, by, why)
    return aws.Aws(aws.Credentials(row.access_key, secret, row.region), settings.AWS_API_URL)


@sensitive_variables()
def smtp_password_of(row: Credentials, *, by: str, why: str) -> str:
    """What the region's SMTP endpoint takes for this key; the secret itself goes nowhere."""
    return smtp_password(_secret(row, by, why), row.region)


@sensitive_variables()
def _secret(row: Credentials, by: str, why: str) -> str:
    return vault.reading(
        secret=row.secret_id, by=by, why=why, account=row.account_id, purpose=PURPOSE, subject=row.subject
    )
