"""The end of a repository: everything under its prefix is removed, whatever the inventory says, and looked for again."""

from datetime import timedelta
from itertools import islice
from uuid import UUID

from django.utils import timezone

from audit.actions import record
from backups import alarms, bucket, exports_end
from backups.models import Point, Repository, Stored
from backups.retention import URL_LIFE
from engine.program import Next, Program, done, hop, nap

BATCH = 1000  # objects
ROWS = 20_000
FINISHED_WITHIN = timedelta(hours=3)
SLOW = timedelta(minutes=45)  # for which a write may go on that began in its address' last second
ALARMS = (
    "removals",
    "missing",
    "old",
    "shrinking",
    "growing",
    "not_forgotten",
    "none",
    "damaged",
    "drill",
    "unproven",
)


class EmptyRepository(Program):
    """Subject: the repository; `self.repository` is read anew for each step."""

    first = "remove_objects"

    def prepare(self) -> None:
        self.repository = Repository.objects.get(pk=UUID(self.run.subject.removeprefix("repository:")))

    def remove_objects(self) -> Next:
        """A batch each time, in the order of their keys, until the bucket names none."""
        if not self.args.get("expected"):
            self.args["expected"] = True
            self.expect(self.forget_rows, within=FINISHED_WITHIN)
        found = list(islice(bucket.storage().listing(f"{self.repository.pk}/"), BATCH))
        if not found:
            return hop(self.abort_uploads)
        bucket.storage().delete_many([one.key for one in found])
        self.args["objects"] = self.args.get("objects", 0) + len(found)
        self.args["bytes"] = self.args.get("bytes", 0) + sum(one.bytes for one in found)
        return nap(0)

    def abort_uploads(self) -> Next:
        """Parts of exports that were not finished are no objects, and no list names them."""
        exports_end.abort_uploads(f"{self.repository.pk}/")
        return hop(self.note_empty)

    def note_empty(self) -> Next:
        """Nothing is found under its prefix any more: what a receipt may say."""
        fresh = self.repository.emptied_at is None
        Repository.objects.filter(pk=self.repository.pk).update(
            emptied_at=self.repository.emptied_at or timezone.now(),
            removed=self.args.get("objects", 0),
            removed_bytes=self.args.get("bytes", 0),
        )
        if fresh:
            record(
                "backup.removed", by="program:EmptyRepository", account=self.repository.account_id,
                subject=self.repository.server, objects=self.args.get("objects", 0), bytes=self.args.get("bytes", 0),
            )  # fmt: skip
        return hop(self.wait_addresses)

    def wait_addresses(self) -> Next:
        """Addresses to write that were given before the end are good for a while: what came by them goes, too."""
        ended = self.repository.ended_at or timezone.now()
        left = (ended + URL_LIFE + SLOW - timezone.now()).total_seconds()
        if left > 0:
            return nap(left)
        exports_end.abort_uploads(f"{self.repository.pk}/")
        late = list(islice(bucket.storage().listing(f"{self.repository.pk}/"), 1))
        return hop(self.remove_objects) if late else hop(self.forget_rows)

    def forget_rows(self) -> Next:
        """The inventory, a batch each time; the repository's own row stays and says when it ended."""
        ids = (
            Stored.objects.filter(home=self.repository.pk).order_by("pk").values_list("pk", flat=True)[:ROWS]
        )
        gone, _ = Stored.objects.filter(pk__in=list(ids)).delete()
        if gone:
            return nap(0)
        Point.objects.filter(repository=self.repository, gone_at=None).update(gone_at=timezone.now())
        self.repository.exports.filter(removed_at=None).update(removed_at=timezone.now())
        for kind in ALARMS:
            alarms.close(kind, self.repository.pk)
        return done("emptied")
