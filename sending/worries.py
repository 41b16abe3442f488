"""What the owners of a server should know of their account at Amazon: begun, told once, and over.

Each look at Amazon says of each worry that it is there, that it is not, or nothing; only the first two change anything.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from sending import rates, worry_letters
from sending.models import Credentials, Identity, Standing, Worry

# Amazon's refusals after which a person has to mend something; what else it refuses stands on the page only.
STOPPING = (
    "wrong_key", "wrong_secret", "temporary_key", "root_key", "region_off", "not_signed_up", "suspended", "permission",
)  # fmt: skip
QUOTA_BEGINS, QUOTA_OVER = 0.8, 0.7  # of the day's recipients
KEY_OLD = timedelta(
    days=90
)  # https://docs.aws.amazon.com/IAM/latest/UserGuide/id-credentials-access-keys-update.html
REMINDED = timedelta(days=90)
# One look that finds it says little; it is told when a later one finds it still.
LASTING = {"key_stopped": timedelta(minutes=10), "domain": timedelta(minutes=10)}
AMAZONS_OWN = ("SERVICE_ERROR",)  # of looks at the DNS


@dataclass(frozen=True)
class Seen:
    """What a look says of one worry: `there` is None where it says nothing, `replaced` where a worse one took its place."""

    there: bool | None
    facts: dict[str, Any] = field(default_factory=dict)
    replaced: bool = False


def kind_of(code: str) -> str:
    """The code without the thing that it is about."""
    return code.partition(":")[0]


@transaction.atomic
def look(row: Credentials, *, answered: bool) -> bool:
    """After a look at Amazon with the key in use; `answered` if it told of the account. True while one is not sure yet.

    Looks at one server follow each other by the lock on its standing; a key that was taken away meanwhile worries nobody.
    """
    standing = Standing.objects.select_for_update().filter(home=row.home).first()
    in_use = Credentials.objects.filter(pk=row.pk, state=Credentials.State.IN_USE)
    if standing is None or not in_use.exists():
        return False
    found = _seen(row, standing, answered=answered)
    known = {one.code: one for one in Worry.objects.filter(home=row.home, over_at=None)}
    for code, seen in found.items():
        _settle(row, code, seen, known.get(code))
    for code in known.keys() - found.keys():
        _over(known[code], silently=True)
    return Worry.objects.filter(home=row.home, over_at=None, told_at=None).exists()


def forget(home: UUID) -> None:
    """The key or the server is gone, and its owners know that: what worried us is over without a word."""
    Worry.objects.filter(home=home, over_at=None).update(over_at=timezone.now())


def _seen(row: Credentials, standing: Standing, *, answered: bool) -> dict[str, Seen]:
    found = {"key_stopped": _key_stopped(row, standing), "key_old": _key_old(row), **_domains(row)}
    silent = dict.fromkeys(("quota", "review", "paused", "rates"), Seen(None))
    return found | (_account(standing) if answered else silent)


def _key_stopped(row: Credentials, standing: Standing) -> Seen:
    trouble = standing.trouble or {}
    if not trouble:
        return Seen(False)
    facts = {"why": trouble.get("code", ""), "key": row.access_key[-4:], "region": row.region}
    action = {"action": trouble["facts"]["action"]} if trouble.get("facts", {}).get("action") else {}
    return Seen(True, facts | action) if facts["why"] in STOPPING else Seen(None)


def _key_old(row: Credentials) -> Seen:
    age = timezone.now() - row.added_at
    return Seen(age > KEY_OLD, {"days": age.days, "key": row.access_key[-4:]})


def _domains(row: Credentials) -> dict[str, Seen]:
    known = Identity.objects.filter(domain__home=row.home, region=row.region).exclude(verified_at=None)
    return {f"domain:{one.domain_id.hex}": _domain(one) for one in known.select_related("domain")}


def _domain(one: Identity) -> Seen:
    """What was verified and is so no longer, or is so only until Amazon gives up looking."""
    lost = not one.verified or (one.why and one.why not in AMAZONS_OWN)
    facts = {"domain": one.domain.name, "verified": one.verified, "why": one.why}
    return Seen(None) if one.trouble else Seen(bool(lost), facts)


def _account(standing: Standing) -> dict[str, Seen]:
    by = "amazon" if standing.enforcement == "SHUTDOWN" else "account"
    paused = by == "amazon" or not standing.sending_enabled
    return {
        "paused": Seen(paused, {"by": by}),
        "review": Seen(not paused and standing.enforcement == "PROBATION", replaced=paused),
        "quota": _quota(standing),
        "rates": _rates(standing),
    }


def _quota(standing: Standing) -> Seen:
    if not standing.max24:
        return Seen(False)
    share = standing.sent24 / standing.max24
    there = True if share >= QUOTA_BEGINS else False if share < QUOTA_OVER else None
    return Seen(there, {"sent": int(standing.sent24), "most": int(standing.max24)})


def _rates(standing: Standing) -> Seen:
    met = rates.day_of(standing.home, standing)
    there = True if met.near else False if met.calm else None
    return Seen(there, {"sent": met.sent, "bounces": met.bounces, "complaints": met.complaints})


def _settle(row: Credentials, code: str, seen: Seen, known: Worry | None) -> None:
    if seen.there is False and known:
        _over(known, silently=seen.replaced)
    if not seen.there:
        return
    worry = known or Worry(home=row.home, account=row.account, code=code)
    worry.facts = seen.facts
    worry.save()
    if _is_to_be_told(worry):
        _tell(worry)


def _is_to_be_told(worry: Worry) -> bool:
    now, kind = timezone.now(), kind_of(worry.code)
    if worry.told_at is None:
        return now - worry.began_at >= LASTING.get(kind, timedelta())
    return kind == "key_old" and now - worry.told_at >= REMINDED


def _tell(worry: Worry) -> None:
    """In the transaction that writes when it was told, so that a worker that dies tells it later, and once."""
    worry.told_at = timezone.now()
    worry.save(update_fields=["told_at"])
    worry_letters.began(worry)


def _over(worry: Worry, *, silently: bool) -> None:
    """What nobody was told of ends as quietly."""
    worry.over_at = timezone.now()
    worry.save(update_fields=["over_at"])
    if worry.told_at:
        worry_letters.over(worry, silently=silently or kind_of(worry.code) == "key_old")
