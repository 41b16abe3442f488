"""Domains as SES must know them, made and looked at; their records are handed to domains/."""

from django.utils import timezone

from clients.aws import Aws
from clients.aws_policy import CONFIGURATION_SET
from clients.aws_records import EmailIdentity
from clients.errors import Gone
from domains import actions as domains
from domains.models import Domain
from sending.models import Identity
from sending.refusals import Obstacle

MAIL_FROM = "bounces"  # the name below the domain that stands in envelopes
SHOWN = ("PENDING", "FAILED", "TEMPORARY_FAILURE", "NOT_STARTED")


def ensure(domain: Domain, region: str, amazon: Aws) -> Identity:
    """Mail may leave in the domain's name once its records are there. Raises the reasons of clients.aws_errors."""
    try:
        return _ensure(domain, region, amazon)
    except Gone:  # somebody removed the set to which it belongs
        amazon.ses.ensure_configuration_set(CONFIGURATION_SET)
        return _ensure(domain, region, amazon)


def _ensure(domain: Domain, region: str, amazon: Aws) -> Identity:
    found = amazon.ses.ensure_identity(domain.name, configuration_set=CONFIGURATION_SET)
    wanted = mail_from_of(domain)
    if found.mail_from != wanted:
        amazon.ses.set_mail_from(domain.name, wanted)
    if found.configuration_set != CONFIGURATION_SET:
        amazon.ses.use_configuration_set(domain.name, CONFIGURATION_SET)
    if not found.dkim_on:
        amazon.ses.switch_dkim(domain.name, on=True)
    if found.dkim_status == "FAILED":
        amazon.ses.renew_dkim(domain.name)
    return note(domain, region, amazon.ses.identity(domain.name))


def note(domain: Domain, region: str, said: EmailIdentity) -> Identity:
    """Writes down what Amazon said, and hands the records on."""
    now = timezone.now()
    before = Identity.objects.filter(domain=domain, region=region).first()
    values = {
        "region": region,
        "verified": said.verified,
        "dkim_status": said.dkim_status,
        "tokens": list(said.tokens),
        "zone": said.zone,
        "mail_from": said.mail_from,
        "mail_from_status": said.mail_from_status,
        "why": said.why,
        "read_at": now,
        "verified_at": (before and before.verified_at) or (now if said.verified else None),
        "trouble": None,
        "trouble_at": None,
    }
    row, _new = Identity.objects.update_or_create(domain=domain, defaults=values)
    domains.hand_over_records(domain=domain, source="ses", records=records(domain.name, region, said))
    return row


def note_trouble(domain: Domain, found: Obstacle) -> None:
    """Amazon refused something about this domain; since when stays as it was while it is the same."""
    row = Identity.objects.select_for_update().filter(domain=domain).first()
    if row and row.trouble != found.plain():
        row.trouble, row.trouble_at = found.plain(), timezone.now()
        row.save(update_fields=["trouble", "trouble_at"])


def mail_from_of(domain: Domain) -> str:
    """The domain that stands in envelopes, to which bounces come back."""
    return f"{MAIL_FROM}.{domain.name}"


def records(name: str, region: str, said: EmailIdentity) -> list[dict[str, str]]:
    """What has to stand in the DNS: purpose, type, name, value."""
    mail_from = f"{MAIL_FROM}.{name}"
    keys = [("ses-dkim", "CNAME", at, f"{to}.") for at, to in said.cnames.items()]
    envelope = [
        ("ses-mail-from", "MX", mail_from, f"10 feedback-smtp.{region}.amazonses.com."),
        ("ses-spf", "TXT", mail_from, "v=spf1 include:amazonses.com ~all"),
    ]
    fields = ("purpose", "type", "name", "value")
    return [dict(zip(fields, each, strict=True)) for each in (*keys, *envelope)]
