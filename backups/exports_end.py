"""How exports leave: when their week is over, when nobody goes on with them, and with what nobody knows of."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from audit.actions import record
from backups import bucket
from backups.export_models import Export
from backups.models import Job, Repository

STALE = timedelta(days=1)
REMOVED_AT_ONCE = 200
UNKNOWN_FOR = timedelta(days=1)  # as long an upload that we know nothing of is left alone


def end_due() -> int:
    """Files whose week is over, and uploads that nobody goes on with; how many."""
    now = timezone.now()
    over = Export.objects.filter(state=Export.State.READY, expires_at__lte=now).end(
        "its time was over", "clock"
    )
    left = Export.objects.uploading().filter(~Q(job__state=Job.State.WANTED) | Q(touched_at__lt=now - STALE))
    ids = list(left.values_list("pk", flat=True))
    return over + Export.objects.uploading().filter(pk__in=ids).end("it was not finished", "clock")


def remove_ended() -> int:
    """What is over leaves the bucket: uploads of it are aborted, and the object deleted. Raises TryLater or Refused."""
    ended = list(Export.objects.to_remove().order_by("gone_at")[:REMOVED_AT_ONCE])
    for export in ended:
        abort_uploads(export.key)
        bucket.multipart().delete_many([export.key])
        Export.objects.filter(pk=export.pk).update(removed_at=timezone.now(), upload="")
    return len(ended)


def abort_uploads(prefix: str) -> int:
    """Whatever is begun under these keys and not ended; how many. Raises TryLater or Refused."""
    found = list(bucket.multipart().uploads(prefix))
    for upload in found:
        bucket.multipart().abort_upload(upload.key, upload.id)
    return len(found)


def abort_unknown(now: datetime) -> int:
    """Uploads of which no row tells: begun by somebody who was killed before they wrote it down. Raises TryLater or Refused."""
    old = [one for one in bucket.multipart().uploads() if one.at < now - UNKNOWN_FOR]
    ids = [one.id for one in old]
    known = set(Export.objects.uploading().filter(upload__in=ids).values_list("upload", flat=True))
    for upload in old:
        if upload.id not in known:
            bucket.multipart().abort_upload(upload.key, upload.id)
    return len(old) - len(known)


def note_lost(now: datetime) -> int:
    """Files that we would hand out and that the bucket does not have are not offered any more. Raises TryLater or Refused."""
    ready = list(Export.objects.ready().filter(made_at__lt=now - timedelta(hours=1)))
    lying = bucket.heads(one.key for one in ready) if ready else {}
    lost = [one for one in ready if one.key not in lying or lying[one.key].bytes != one.bytes]
    for export in lost:
        if Export.objects.filter(pk=export.pk).ready().end("the storage does not have it", "clock"):
            _tell_lost(export)
    return len(lost)


def _tell_lost(export: Export) -> None:
    repository = Repository.objects.get(pk=export.repository_id)
    record(
        "export.lost", by="program:CompareBucket", account=repository.account_id, subject=repository.server,
        export=str(export.pk), address=export.address,
    )  # fmt: skip


def are_known(keys: list[str]) -> set[str]:
    """Those of the keys that belong to exports, ready or about to leave."""
    pks = {key: _pk(key) for key in keys}
    wanted = [pk for pk in pks.values() if pk]
    here = Export.objects.filter(pk__in=wanted, removed_at=None) if wanted else Export.objects.none()
    return {export.key for export in here} & set(keys)


def _pk(key: str) -> UUID | None:
    try:
        return UUID(key.rpartition("/")[2])
    except ValueError:
        return None
