"""What owners asked of Amazon, in each state: the suppression list, and addresses that prove themselves in the sandbox."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import Account, User
from domains.models import Domain, Letter
from sending.models import Suppression, Tester
from servers.models import Server
from tests.browser.sight import Sight
from tests.dashboard import mail_world, sending_world
from tests.dashboard.sending_world import refused


def _used(account: Account) -> Domain:
    one = mail_world.firm(account)
    sending_world.works(one)
    mail_world.in_force(Server.objects.get(pk=one.home))
    return one


def _list(one: Domain, **fields: Any) -> str:
    now = timezone.now()
    given = {"asked_at": now, "read_at": now, "by": "user:1", **fields}
    Suppression.objects.create(home=one.home, account=one.account, **given)
    return f"/mail/sending/{one.home}/suppressed"


def _entry(number: int, address: str = "", reason: str = "BOUNCE", **more: Any) -> dict[str, Any]:
    since = (timezone.now() - timedelta(hours=7 * number)).isoformat()
    return {"address": address or f"reader{number}@outside.example", "reason": reason, "since": since, **more}


def suppressed(account: Account, user: User) -> str:
    """Long, in pages, with one of each."""
    lack = refused("permission", action="ses:DeleteSuppressedDestination")
    long = f"{'a-very-long-name' * 3}@{'department-of-' * 3}firm.example"
    entries = [
        _entry(1, again="allowed"), _entry(2, again="asked"), _entry(3, again="refused", trouble=lack),
        _entry(4, long), _entry(5, reason="COMPLAINT"), *(_entry(n) for n in range(6, 1001)),
    ]  # fmt: skip
    return _list(_used(account), entries=entries, more=True)


def not_asked(account: Account, user: User) -> str:
    return f"/mail/sending/{_used(account).home}/suppressed"


def nobody(account: Account, user: User) -> str:
    return _list(_used(account))


def being_read(account: Account, user: User) -> str:
    return _list(_used(account), read_at=None, trouble=refused("throttled"))


def not_allowed(account: Account, user: User) -> str:
    lack = refused("permission", action="ses:ListSuppressedDestinations", resource="*")
    return _list(_used(account), read_at=None, trouble=lack)


def _sandbox(account: Account) -> Domain:
    one = _used(account)
    sending_world.standing(one, production=False, review="", max24=200, rate=1, sent24=3)
    Letter.objects.all().delete()
    return one


def _tester(one: Domain, address: str, **fields: Any) -> Tester:
    given = {"region": "eu-central-1", "by": "user:1", "read_at": timezone.now(), **fields}
    return Tester.objects.create(home=one.home, account=one.account, address=address, **given)


def testers(account: Account, user: User) -> str:
    """One waits, one has waited for long, one is proven, one is too late."""
    one, now = _sandbox(account), timezone.now()
    _tester(one, "late@elsewhere.example", trouble=refused("tester_late"), asked_at=now - timedelta(days=2))
    _tester(one, "bo@elsewhere.example", verified_at=now, asked_at=now - timedelta(days=1))
    _tester(one, "cy@elsewhere.example", asked_at=now - timedelta(hours=2))
    _tester(one, f"{'a-very-long-name' * 3}@{'department-of-' * 3}elsewhere.example")
    return f"/mail/sending/{one.home}"


def tester_lacks(account: Account, user: User) -> str:
    one = _sandbox(account)
    lack = refused("permission", action="ses:CreateEmailIdentity", resource="arn:aws:ses:*")
    _tester(one, user.email, trouble=lack)
    return f"/mail/sending/{one.home}"


ASKED_SIGHTS = [
    Sight("suppressed", suppressed),
    Sight("suppressed-not-asked", not_asked),
    Sight("suppressed-nobody", nobody),
    Sight("suppressed-being-read", being_read),
    Sight("suppressed-not-allowed", not_allowed),
    Sight("testers", testers),
    Sight("tester-lacks", tester_lacks),
]
