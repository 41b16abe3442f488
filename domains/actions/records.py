"""Records of the DNS that somebody else than our server wants to see at a domain."""

from collections.abc import Iterable, Mapping

from django.db import transaction
from django.utils.translation import gettext as _

from audit.actions import record
from domains.models import Domain, HandedRecord
from domains.refusals import Refusal

FIELDS = ("purpose", "type", "name", "value")
TYPES = ("CNAME", "MX", "TXT")


@transaction.atomic
def hand_over_records(*, domain: Domain, source: str, records: Iterable[Mapping[str, str]]) -> bool:
    """From now on these are all that `source` wants; each has `purpose`, `type`, `name` and `value`. Returns whether any changed.

    Their order is the one in which they are shown. Raises Refusal if the domain was removed meanwhile, ValueError for what is
    no record of this domain.
    """
    wanted = [_good(domain.name, one) for one in records]
    held = Domain.objects.select_for_update().filter(pk=domain.pk).first()
    if held is None:
        raise Refusal(_("This was removed a moment ago, perhaps by somebody else of your account."))
    before = HandedRecord.objects.filter(domain=held, source=source)
    if list(before.order_by("pk").values_list(*FIELDS)) == wanted:
        return False
    before.delete()
    HandedRecord.objects.bulk_create(
        HandedRecord(domain=held, source=source, **dict(zip(FIELDS, one, strict=True))) for one in wanted
    )
    record(
        "domain.records_changed",
        by=f"source:{source}",
        account=held.account_id,
        subject=f"domain:{held.pk}",
        name=held.name,
        records=len(wanted),
    )
    return True


def _good(domain: str, said: Mapping[str, str]) -> tuple[str, ...]:
    """What came from outside becomes lines of somebody's zone."""
    row = tuple(said[name] for name in FIELDS)
    _purpose, kind, name, _value = row
    if kind not in TYPES or not f".{name}".endswith(f".{domain}"):
        raise ValueError("no record of this domain")
    if not all(part.isascii() and part.isprintable() and part for part in row) or " " in name:
        raise ValueError("no text of a record")
    return row
