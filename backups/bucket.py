"""The bucket, for the gate and for workers; and looking at many objects in it at once."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from django.conf import settings

from clients.object_storage import Object, Storage
from clients.object_storage_multipart import Multipart

AT_ONCE = 16  # looks; Hetzner's limit is 750 requests a second and bucket


def is_set_up() -> bool:
    """Whether there are backups at all: an address is told to every process, the keys to few."""
    return bool(settings.STORAGE_URL and settings.STORAGE_BUCKET)


def storage() -> Storage:
    """Raises Refused where this process was given no key."""
    return multipart()


def multipart() -> Multipart:
    """The same, with what it can do beyond single requests. Raises Refused where this process was given no key."""
    return _storage(
        settings.STORAGE_URL,
        settings.STORAGE_REGION,
        settings.STORAGE_BUCKET,
        settings.STORAGE_ACCESS_KEY,
        settings.STORAGE_SECRET_KEY,
        settings.STORAGE_SIGN_URL,
    )


@lru_cache(maxsize=4)
def _storage(
    url: str, region: str, bucket: str, access_key: str, secret_key: str, sign_url: str
) -> Multipart:
    return Multipart(url, region, bucket, access_key, secret_key, sign_url=sign_url)


def ensure() -> None:
    """There is a bucket of ours; looked at once by each process. Raises TryLater or Refused."""
    _ensured(storage())


@lru_cache(maxsize=4)
def _ensured(of: Storage) -> None:
    of.ensure_bucket()


def heads(keys: Iterable[str]) -> dict[str, Object]:
    """What lies under these keys; those with nothing are left out. Raises TryLater or Refused."""
    wanted = list(keys)
    if len(wanted) < 2:
        found = [storage().head(key) for key in wanted]
    else:
        with ThreadPoolExecutor(min(AT_ONCE, len(wanted))) as pool:
            found = list(pool.map(storage().head, wanted))
    return {one.key: one for one in found if one}
