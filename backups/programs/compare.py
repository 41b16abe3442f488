"""The bucket beside the inventory, page by page in the order of the keys: what either side does not know."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from audit.actions import record
from backups import alarms, bucket, exports_end
from backups.models import Repository, Stored
from backups.models_stored import key_of
from clients.errors import Refused
from clients.object_storage import Object
from engine import alarms as engine_alarms
from engine.program import Next, Program, done, hop, nap

SUBJECT = "backups:bucket"
PAGE = 1000  # objects
ROWS = 2000
SETTLED = timedelta(hours=1)  # what is younger may be on its way into the other book
STRANGER = timedelta(days=1)  # as long an unknown object is left alone
WITHIN = timedelta(hours=12)
NOWHERE = {"after": "", "row": ["", "", ""]}
ODD = "backups:strangers"
LAST = "\U0010ffff"


class CompareBucket(Program):
    """`args`: the last key that was looked at (`after`) and the last row (`row`: home, kind, name); what was found."""

    first = "begin"

    def begin(self) -> Next:
        self.args.update(NOWHERE, missing=0, strangers=0, odd=0, at=timezone.now().isoformat())
        self.expect(self.end, within=WITHIN)
        return hop(self.look)

    def look(self) -> Next:
        """One page of keys, and all rows up to its last key. Repeated, it finds the same or less."""
        page = list(islice(bucket.storage().listing("", self.args["after"]), PAGE))
        until = page[-1].key if len(page) == PAGE else LAST
        rows = self._rows(until)
        self._judge({one.key: one for one in page}, rows)
        if len(rows) == ROWS and _key(rows[-1]) <= until:
            until = _key(rows[-1])
        self._went_on(until, rows)
        return hop(self.look_at_exports) if until == LAST else nap(0)

    def _rows(self, until: str) -> list[Stored]:
        """The next rows whose keys are not beyond `until`; their order is that of the keys."""
        home, kind, name = self.args["row"]
        rows = Stored.objects.order_by("home", "kind", "name")
        if home:
            here = Q(home=home) & (Q(kind__gt=kind) | Q(kind=kind, name__gt=name))
            rows = rows.filter(Q(home__gte=home) & (Q(home__gt=home) | here))
        return [row for row in rows[:ROWS] if _key(row) <= until]

    def _went_on(self, until: str, rows: Sequence[Stored]) -> None:
        self.args["after"] = until if until != LAST else ""
        if rows:
            self.args["row"] = [str(rows[-1].home), rows[-1].kind, rows[-1].name]

    def _judge(self, page: dict[str, Object], rows: Sequence[Stored]) -> None:
        now = timezone.now()
        known = {_key(row): row for row in rows}
        self._missing([row for key, row in known.items() if key not in page], now)
        self._other_length(
            [row for key, row in known.items() if key in page and page[key].bytes != row.bytes]
        )
        found = [row.pk for key, row in known.items() if key in page and row.missing_at]
        Stored.objects.filter(pk__in=found).update(missing_at=None)
        full = len(rows) == ROWS
        self._strangers(
            [one for key, one in page.items() if key not in known and not (full and key > _key(rows[-1]))],
            now,
        )

    def _missing(self, rows: Sequence[Stored], now: datetime) -> None:
        """Stored, and not there: an object of a customer's backups is lost. What was to leave anyway has left."""
        trashed = [(row.pk, row.trashed_at) for row in rows if row.state == "trashed"]
        left = [pk for pk, at in trashed if at and at < now - SETTLED]
        Stored.objects.filter(pk__in=left, state="trashed").delete()  # not what a worker is removing just now
        lost = [
            row for row in rows if row.state == "stored" and row.stored_at and row.stored_at < now - SETTLED
        ]
        self.args["missing"] += len(lost)
        Stored.objects.filter(pk__in=[row.pk for row in lost], missing_at=None).update(missing_at=now)
        for home in {row.home for row in lost}:
            self._alarm("missing", home, [row for row in lost if row.home == home], "are not in the bucket")

    def _other_length(self, rows: Sequence[Stored]) -> None:
        damaged = [row for row in rows if row.state == "stored"]
        for home in {row.home for row in damaged}:
            self._alarm(
                "damaged", home, [row for row in damaged if row.home == home], "have another length there"
            )

    def _alarm(self, kind: str, home: UUID, rows: Sequence[Stored], what: str) -> None:
        says = f"{len(rows)} objects of its backups {what}; the first is {rows[0].kind}/{rows[0].name}."
        new = alarms.open_once(kind, home, says, LOST)
        if new and (repository := Repository.objects.filter(pk=home).first()):
            record(
                f"backup.{kind}", by="program:CompareBucket", account=repository.account_id,
                subject=repository.server, objects=len(rows), first=rows[0].key,
            )  # fmt: skip

    def _strangers(self, found: Sequence[Object], now: datetime) -> None:
        """Nobody was given an address for these, or what they were for is over; the young may be on their way."""
        old = [one.key for one in found if one.at < now - STRANGER]
        old = sorted(set(old) - exports_end.are_known(old))
        old = [key for key in old if not Stored.objects.filter(**_named(key)).exists()] if old else []
        self.args["strangers"] += len(old)
        if not old:
            return
        try:
            bucket.storage().delete_many(old)
        except Refused:
            self.args["odd"] += len(old)
            return
        record(
            "backup.strangers_removed",
            by="program:CompareBucket",
            subject=SUBJECT,
            objects=len(old),
            first=old[0],
        )

    def look_at_exports(self) -> Next:
        """Files that are offered and not there, and uploads that nobody knows of."""
        exports_end.note_lost(timezone.now())
        exports_end.abort_unknown(timezone.now())
        return hop(self.end)

    def end(self) -> Next:
        """Alarms whose cause was not found again close."""
        began = datetime.fromisoformat(self.args["at"])
        for home in Repository.objects.living().values_list("pk", flat=True).iterator():
            if not Stored.objects.filter(home=home, missing_at__isnull=False).exists():
                alarms.close("missing", home)
        Repository.objects.living().filter(began_at__lt=began).update(compared_at=timezone.now())
        self._tell_odd()
        return done(f"{self.args['missing']} missing, {self.args['strangers']} strangers")

    def _tell_odd(self) -> None:
        if not self.args["odd"]:
            engine_alarms.close_alarm(ODD)
            return
        engine_alarms.open_alarm(
            key=ODD, subject=SUBJECT, says=f"{self.args['odd']} unknown objects in the bucket could not be removed.",
            advice="Their names are none of ours. Who writes to this bucket?",
        )  # fmt: skip


LOST = "Restore from these backups may fail: ask its host for a new backup and a drill, and find out who removed them."


def _key(row: Stored) -> str:
    return key_of(str(row.home), row.kind, row.name)


def _named(key: str) -> dict[str, Any]:
    """The row that a key would have."""
    home, _, rest = key.partition("/")
    kind, _, name = rest.partition("/")
    try:
        known = UUID(home)
    except ValueError:
        return {"pk": 0}
    row = {"home": known, "kind": kind, "name": name}
    return row if key_of(str(known), kind, name) == key else {"pk": 0}
