"""Addresses that prove themselves to Amazon, as the assistant shows them, and which of them the policy names."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, cast

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from accounts.models import Membership
from clients.aws_policy import ADDRESS
from dashboard import sending_words as words
from dashboard.mail.assistant import Found
from dashboard.mail.permission import names_of
from dashboard.mail.stages import Stage
from domains.names import good_address
from domains.refusals import BadName
from engine import actions as engine
from engine.models import Run
from sending import testers
from sending.models import Tester
from servers.models import Server

SHOWN = 5
LOOKED = timedelta(seconds=30)  # between looks while somebody waits at the page
TROUBLES = {
    "tester_late": (
        lazy("Nobody followed the link in Amazon's letter within a day, so it does not work any more."),
        lazy("We no longer look whether the address has proven itself."),
        lazy("Ask Amazon to write once more, and look into the junk folder as well."),
    ),
    "tester_gone": (
        lazy("The address was removed at Amazon before it had proven itself."),
        lazy("We no longer look for it."),
        lazy("Ask Amazon to write once more."),
    ),
    "no_key": (
        lazy("The access key with which Amazon was asked is not in use any more, or the region is another one."),
        lazy("We no longer look whether the address has proven itself."),
        lazy("When the new key is in use, ask Amazon to write once more."),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """`word` is that of a verdict; `again` says that Amazon may be asked to write once more."""

    address: str
    word: str
    says: str
    told: words.Told | None = None
    again: bool = False


def context_of(found: Found) -> dict[str, Any]:
    """For the part that looks again. Where the account is not in the sandbox, nobody has anything to prove."""
    rows = _rows(found)
    _look_soon(rows)
    return {"testers": [_line(row) for row in rows[:SHOWN]], "testers_begin": any(map(_begins, rows))}


def in_sandbox(found: Found) -> bool:
    return bool(found.standing and not found.standing.production)


def _rows(found: Found) -> list[Tester]:
    """Those of whom something may be wanted."""
    return found.testers if in_sandbox(found) else []


def _begins(row: Tester) -> bool:
    """Whether Amazon has not answered yet."""
    return row.read_at is None and row.trouble is None


def waits(row: Tester) -> bool:
    """Whether Amazon's letter is on its way, or lies unread."""
    return row.read_at is not None and row.verified_at is None and row.trouble is None


def _line(row: Tester) -> Line:
    to = {"to": row.address}
    if row.trouble:
        final = row.trouble["code"] in TROUBLES
        return Line(
            row.address, "bad", _("%(to)s has not proven itself.") % to, told(row.trouble), again=final
        )
    if row.verified_at:
        return Line(row.address, "good", _("%(to)s has proven itself: Amazon brings your mail there.") % to)
    if _begins(row):
        return Line(row.address, "warn", _("Amazon is being asked to write to %(to)s.") % to)
    says = _(
        "Waiting for the click in Amazon's letter to %(to)s. It comes from Amazon Web Services and has a link that works for "
        "a day. We look by ourselves, and then the test mail goes."
    )
    return Line(row.address, "warn", says % to, again=row.asked_at + testers.AGAIN < timezone.now())


def told(obstacle: dict[str, Any]) -> words.Told:
    """Why an address could not be asked for, or has not proven itself."""
    known = TROUBLES.get(obstacle["code"])
    if known:
        return words.Told(*map(str, known))
    did = _("Amazon has not written to the address. We ask again by ourselves, for a day.")
    return replace(words.told(obstacle), did=did)


def stages_of(found: Found) -> dict[str, Stage]:
    """The steps that an address changes: the policy that does not name it, and the test mail that waits for it."""
    changed = {}
    newest = _rows(found)[:1]
    later = not found.letters or (newest and found.letters[0].asked_at < newest[0].asked_at)
    if newest and waits(newest[0]) and later:
        changed["test"] = Stage("waiting", _("Waiting until the address has proven itself to Amazon."))
    if lacks_policy(found):
        says = _("The user at Amazon has an older policy, which does not allow all that step 5 needs.")
        changed["permission"] = Stage("attention", says)
    return changed


def lacks_policy(found: Found) -> bool:
    """Whether the policy that the key has is older than an address that was asked for."""
    return any(row.trouble and row.trouble["code"] == "permission" for row in _rows(found))


def named_in_policy(server: Server, found: Found | None = None) -> list[str]:
    """Addresses that were asked for, then the owners' own: first those that must stand there if room is short."""
    if found and found.standing and found.standing.production:
        return []
    own = set(names_of(server))
    asked = Tester.objects.filter(home=server.pk).order_by("-asked_at").values_list("address", flat=True)
    owners = Membership.objects.filter(account=server.account_id, role=Membership.Role.OWNER)
    mails = owners.order_by("since", "pk").values_list("user__email", flat=True)
    good = [each for each in map(_good, [*asked, *mails]) if each and each.rpartition("@")[2] not in own]
    return list(dict.fromkeys(good))


def _good(typed: str) -> str:
    """As Amazon is asked for it; empty for what no policy can name."""
    try:
        address = good_address(typed)
    except BadName:
        return ""
    return address if ADDRESS.fullmatch(address) else ""


def is_known(server: Server, address: str) -> bool:
    """Whether it is the address of one of the account's people."""
    return bool(server.account.people.filter(email__iexact=address).exists())


def _look_soon(rows: list[Tester]) -> None:
    """Whoever waits at the page does not wait for minutes: Amazon is asked each half minute meanwhile."""
    now = timezone.now()
    due = [f"tester:{row.pk}" for row in rows if waits(row) and cast(Any, row.read_at) < now - LOOKED]
    resting = Run.objects.filter(subject__in=due, finished_at=None, due_at__gt=now + LOOKED)
    engine.wake_runs(list(resting.values_list("pk", flat=True)))
