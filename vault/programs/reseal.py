"""Every secret is moved to the newest key; then the older ones are retired, and open nothing from then on."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from audit.actions import record
from engine import alarms
from engine.program import Next, Program, done, hop, nap
from vault import box, keys, rows
from vault.box import Place
from vault.errors import Unreadable
from vault.models import Key

SUBJECT = "vault"
BY = "program:Reseal"
BATCH = 200  # secrets; some tenths of a second of a worker's time, which others then may have
NOWHERE = UUID(int=0)
LOOK_AGAIN = 300  # seconds
SHOWN = 20  # ids in an alarm


def older() -> QuerySet[Key]:
    """Keys in use that are older than the one that this process seals to."""
    newest = Key.objects.get(pk=keys.sealing()[0])
    return Key.objects.filter(retired_at=None, added_at__lt=newest.added_at).order_by("added_at")


def is_due() -> bool:
    """Whether there is an older key to leave, or a retired one to take out of the file."""
    return others().exists() or bool(kept_too_long())


def others() -> QuerySet[Key]:
    """Keys in use beside the one that this process seals to."""
    return Key.objects.filter(retired_at=None).exclude(pk=keys.sealing()[0])


def kept_too_long() -> list[str]:
    """Retired keys whose private half this process still has."""
    return list(
        Key.objects.filter(retired_at__isnull=False, pk__in=keys.private_keys()).values_list("pk", flat=True)
    )


class Reseal(Program):
    """`args`: the keys to leave (`old`), at which of them and after which secret we are (`at`, `after`), what was moved."""

    first = "begin"

    def begin(self) -> Next:
        """A worker that was started before the newest key was made leaves the work to one that has it."""
        name, _ = keys.sealing()
        keys.private_key(name)
        if rows.add_key(name):
            record("vault.key_added", by=BY, subject=f"vaultkey:{name}")
        if Key.objects.filter(added_at__gt=Key.objects.get(pk=name).added_at).exists():
            return nap(30)
        old = [key.pk for key in older()]
        if not old:
            return hop(self.wait_removal)
        self.args.update(to=name, old=old, total=0, **FROM_THE_START)
        self.expect(self.wait_removal, within=timedelta(hours=12))
        record("vault.rotation_begun", by=BY, subject=SUBJECT, to=name, old=old)
        return hop(self.reseal)

    @sensitive_variables()
    def reseal(self) -> Next:
        """One batch, in the transaction that also says how far we are."""
        if self.args["to"] != keys.sealing()[0]:
            return hop(self.begin)
        while self.args["at"] < len(self.args["old"]):
            old = self.args["old"][self.args["at"]]
            batch = rows.batch(old, UUID(self.args["after"]), BATCH)
            if batch:
                self._move(old, batch)
                return nap(0)
            self.args.update(at=self.args["at"] + 1, after=str(NOWHERE))
        return hop(self.retire)

    @sensitive_variables()
    def _move(self, old: str, batch: list[rows.Row]) -> None:
        name, key = keys.sealing()
        private = keys.private_key(old)
        moved = {}
        for pk, account, purpose, subject, sealed in batch:
            place = Place(pk, account, purpose, subject)
            try:
                moved[pk] = box.seal(place, box.unseal(place, sealed, private), key)
            except Unreadable:
                self.args["stuck"] = [*self.args["stuck"], str(pk)][:SHOWN]
        rows.resealed(name, list(moved), list(moved.values()))
        self.args.update(
            after=str(batch[-1][0]),
            moved=self.args["moved"] + len(moved),
            total=self.args["total"] + len(moved),
        )

    def retire(self) -> Next:
        """Nothing may be left on an old key, and every process must have had the time to learn of the new one."""
        old = list(
            Key.objects.select_for_update().filter(pk__in=self.args["old"], retired_at=None).order_by("pk")
        )
        if rows.any_left([key.pk for key in old]):
            return (
                hop(self.wait_readable)
                if self.args["stuck"] and not self.args["moved"]
                else self._once_more()
            )
        early = self._overlap()
        if early > timedelta():
            return nap(min(early.total_seconds(), LOOK_AGAIN))
        alarms.close_alarm(STUCK)
        for key in old:
            key.retired_at = timezone.now()
            key.save(update_fields=["retired_at"])
            record("vault.key_retired", by=BY, subject=f"vaultkey:{key.pk}", to=self.args["to"])
        record(
            "vault.rotation_finished", by=BY, subject=SUBJECT, to=self.args["to"], secrets=self.args["total"]
        )
        return hop(self.wait_removal)

    def _once_more(self) -> Next:
        """Secrets that were locked when we passed, or kept since by a process that does not know the new key yet."""
        self.args.update(**FROM_THE_START)
        return hop(self.reseal)

    def _overlap(self) -> timedelta:
        added = Key.objects.get(pk=self.args["to"]).added_at
        return added + settings.VAULT_KEYS_OVERLAP - timezone.now()

    def wait_readable(self) -> Next:
        """Some secrets open with no key, so the old one is not retired: a person restores them, or shreds them."""
        alarms.open_alarm(
            key=STUCK,
            subject=SUBJECT,
            says=f"Secrets do not open, and their key cannot be retired: {', '.join(self.args['stuck'])}",
            advice="Restore these rows from a backup, or shred them with manage.py shred_secret.",
        )
        return self._once_more() if self.waited() > PATIENCE else nap(PATIENCE.total_seconds() + 1)

    def wait_removal(self) -> Next:
        """A retired key's private half opens old copies of the database as long as it exists."""
        if others().exists():
            return hop(self.begin)
        kept = kept_too_long()
        for name in (
            Key.objects.filter(retired_at__isnull=False).exclude(pk__in=kept).values_list("pk", flat=True)
        ):
            alarms.close_alarm(f"vault:{name}:kept")
        for name in kept:
            alarms.open_alarm(
                key=f"vault:{name}:kept", subject=SUBJECT, says=KEPT.format(name), advice=TAKE_OUT
            )
        return nap(LOOK_AGAIN) if kept else done("rotated")


FROM_THE_START = {"at": 0, "after": str(NOWHERE), "moved": 0, "stuck": []}
STUCK = "vault:stuck"
PATIENCE = timedelta(minutes=10)
KEPT = "The vault's key {} is retired, and its private half is still in the workers' file."
TAKE_OUT = "Take it out with manage.py vault_keys --drop, also from copies; old backups of the database open until then."
