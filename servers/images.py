"""The images that servers begin with: disks on which the whole mail system is installed already, made by BakeImage.

Which ones there are is Hetzner's to say; the rows are what we heard last, so that a new server costs no call more.
"""

import contextlib
from datetime import timedelta
from functools import lru_cache
from hashlib import sha256

from django.db.models import QuerySet
from django.utils import timezone

from clients.errors import Gone
from clients.hetzner_cloud import Snapshot
from engine.models import Run
from servers import hetzner
from servers.models import Image
from servers.userdata import INSTALLER

FRESH = timedelta(days=7)  # after that the next one is made, with the fixes that have come out
KEPT = timedelta(days=14)
MOST = 2  # of the current version: the one in use, and the one before it
LABELS = {**hetzner.LABELS, "image": "mail"}
SELECTOR = ",".join(f"{name}={value}" for name, value in LABELS.items())


@lru_cache(maxsize=1)
def version() -> str:
    """Changes with whatever the installer installs."""
    return sha256(INSTALLER.read_bytes()).hexdigest()[:12]


def subject() -> str:
    """How runs, alarms and events name the images of the current version."""
    return f"image:{version()}"


def machine_name(bake: str) -> str:
    """What the machine of one attempt is called at Hetzner, and its image there."""
    return f"mailat-image-{bake}"


def machines() -> set[str]:
    """The names of the machines on which images are being made."""
    runs = Run.objects.filter(program="BakeImage", finished_at=None)
    return {machine_name(bake) for bake in runs.values_list("args__bake", flat=True) if bake}


def labels(of_version: str) -> dict[str, str]:
    """What marks a machine that becomes an image, and the image."""
    return {**LABELS, "version": of_version}


def newest() -> Image | None:
    """The image that a new server begins with; None means the vendor's plain one."""
    return _usable().first()


def is_fresh() -> bool:
    """Whether there is one that need not be made anew."""
    return _usable().filter(made_at__gt=timezone.now() - FRESH).exists()


def _usable() -> QuerySet[Image]:
    since = timezone.now() - KEPT
    return Image.objects.filter(version=version(), made_at__gt=since).order_by("-made_at", "-image_id")


def note(snapshot: Snapshot) -> None:
    """Writes down one that is available."""
    known = {"version": snapshot.labels.get("version", ""), "made_at": snapshot.made_at}
    Image.objects.update_or_create(image_id=snapshot.id, defaults=known)


def doubt(image: Image) -> None:
    """Hetzner would not take it: nobody else tries it, unless the next look finds that it is there after all."""
    Image.objects.filter(pk=image.pk).delete()


def look() -> list[Snapshot]:
    """Asks Hetzner which there are, and makes the rows say the same."""
    found = hetzner.cloud().snapshots(SELECTOR)
    available = [one for one in found if one.status == "available"]
    for one in available:
        note(one)
    Image.objects.exclude(image_id__in=[one.id for one in available]).delete()
    return found


def expired() -> list[int]:
    """Which are too old or of another version.

    Of the current version the newest few stay, and nothing stays for ever; what is being made is left alone.
    """
    whole = sorted((one for one in look() if one.status == "available"), key=lambda one: one.made_at)
    current = [one for one in whole if one.labels.get("version") == version()]
    since = timezone.now() - KEPT
    kept = [one for one in current[-MOST:] if one.made_at > since]
    return [one.id for one in whole if one not in kept]


def delete(image_id: int) -> None:
    """Removes it at Hetzner; one that is gone already is no error."""
    Image.objects.filter(image_id=image_id).delete()
    with contextlib.suppress(Gone):
        hetzner.cloud().delete_image(image_id)
