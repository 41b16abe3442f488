"""Addresses that prove themselves to Amazon, so that a first mail can go there while the account is in the sandbox."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import Account
from audit.actions import record
from domains.actions.common import hold
from domains.models import Domain
from domains.names import good_address
from domains.refusals import Refusal, TooMany
from engine import actions as engine
from sending.keys import living_key
from sending.models import Credentials, Standing, Tester
from sending.programs.ask_tester import AskTester

MOST_IN_AN_HOUR = 5  # letters of Amazon's that people of one server can cause
MOST = 10  # addresses of one server: the policy names each, and has little room
AGAIN = timedelta(hours=1)  # until Amazon may be asked to write to the same address once more


@transaction.atomic
def ask(*, account: Account, home: UUID, address: str, sender: Domain | None = None, by: str) -> Tester:
    """Amazon writes to the address; once its link was followed, the test mail from `sender` goes, if one is named.

    Raises BadName, TooMany or Refusal.
    """
    address = good_address(address, "to")
    hold(account.pk)
    key = living_key(home)
    if key is None:
        raise Refusal(_("Enter an access key first; then Amazon can be asked to write to the address."))
    refuse_own(home, address)
    before = Tester.objects.filter(home=home, address=address).first()
    known = before is not None and before.region == key.region
    _refuse_repetition(before if known else None)
    _refuse_flood(home, before)
    values = {"account": account, "region": key.region, "by": by, "asked_at": timezone.now()}
    fresh = {"read_at": None, "verified_at": None, "trouble": None}
    row, _new = Tester.objects.update_or_create(home=home, address=address, defaults=values | fresh)
    record("tester.asked", by=by, account=account.pk, subject=f"server:{home}", address=address)
    engine.stop(AskTester, subject=f"tester:{row.pk}")
    args = {"sender": str(sender.pk) if sender else "", "anew": known}
    engine.start(AskTester, subject=f"tester:{row.pk}", args=args)
    return row


def refuse_own(home: UUID, address: str) -> None:
    """The server takes such mail itself, and the domain speaks for its addresses at Amazon. Raises Refusal."""
    if Domain.objects.filter(home=home, name=address.rpartition("@")[2]).exists():
        raise Refusal(
            _("Mail to your own domain does not leave the server. Choose an address elsewhere."), "to"
        )


def _refuse_repetition(before: Tester | None) -> None:
    """Who was refused may try again at once: no letter was written."""
    if before is None or before.trouble:
        return
    if before.verified_at and before.verified_at > timezone.now() - AGAIN:
        raise Refusal(_("%s has proven itself already: send the test mail.") % before.address, "to")
    at = before.asked_at + AGAIN
    if not before.verified_at and at > timezone.now():
        when = date_format(timezone.localtime(at), "H:i")
        says = _("Amazon was asked to write to %(to)s a short while ago. You can ask once more at %(at)s.")
        raise TooMany(says % {"to": before.address, "at": when}, "to")


def _refuse_flood(home: UUID, before: Tester | None) -> None:
    others = Tester.objects.filter(home=home)
    others = others.exclude(pk=before.pk) if before else others
    if others.filter(asked_at__gt=timezone.now() - timedelta(hours=1)).count() >= MOST_IN_AN_HOUR:
        says = _("Amazon is asked to write to at most %d addresses an hour for one server. Try again later.")
        raise TooMany(says % MOST_IN_AN_HOUR, "to")
    if others.count() >= MOST:
        says = _("There are %d such addresses already. Use one of them, or ask for production.")
        raise TooMany(says % MOST, "to")


def must_prove(standing: Standing | None, home: UUID, address: str) -> bool:
    """Whether Amazon, as far as we know, would not bring a mail there: the account is in the sandbox, the address unproven."""
    if standing is None or standing.production:
        return False
    proven = Tester.objects.filter(home=home, region=standing.region).exclude(verified_at=None)
    return not proven.filter(address=address).exists()


@transaction.atomic
def forget_old() -> int:
    """Removes the addresses of servers that have no key any more; returns how many."""
    living = Credentials.objects.exclude(state="ended").values("home")
    gone, _rows = Tester.objects.exclude(home__in=living).delete()
    return gone
