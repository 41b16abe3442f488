"""Where backups lie, and for how long: the same words wherever somebody chooses a place or reads of them."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils.translation import gettext as _

from backups import bucket
from backups.models import Repository
from backups.retention import GRACE, SEEN_WITHIN, TRASH
from dashboard.shop import kept
from servers.plans import PLACES


@dataclass(frozen=True)
class Kept:
    """How long a restore point stays; `latest` is until nothing can be restored from it, `unseen` what its host's silence adds."""

    plan: str
    every: timedelta
    latest: timedelta
    unseen: timedelta
    trash: timedelta


def kept_of(repository: Repository) -> Kept:
    """As docs/backups.md has it, from the same constants."""
    latest = repository.keep + repository.every + GRACE
    return Kept(kept(repository.keep), repository.every, latest, SEEN_WITHIN, TRASH)


def storage_place() -> str:
    """The place of the storage, for people; empty where there are no backups, or it is none of Hetzner's.

    Hetzner has Object Storage only in the EU: https://docs.hetzner.com/storage/object-storage/overview
    """
    place = PLACES.get(settings.STORAGE_REGION) if bucket.is_set_up() else None
    if place is None:
        return ""
    return _("%(city)s, %(country)s") % {"city": place.city, "country": place.country}


def lies_elsewhere(place: str) -> bool:
    """Whether the backups of a server at this place leave its part of the world."""
    storage = PLACES.get(settings.STORAGE_REGION)
    return bool(bucket.is_set_up() and storage and PLACES[place].region != storage.region)
