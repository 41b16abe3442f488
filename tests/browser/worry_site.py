"""Pages of servers about whose account at Amazon their owners were told."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import Account, User
from domains.models import Domain, Mailbox
from sending import rates
from sending.models import Credentials, Feedback, Notice, Standing, Topic, Worry
from tests.browser.sight import Sight
from tests.dashboard import mail_world, sending_world


def _firm(account: Account) -> Domain:
    one = mail_world.firm(account)
    sending_world.works(one)
    now = timezone.now()
    Credentials.objects.filter(home=one.home).update(added_at=now - timedelta(days=41))
    Topic.objects.create(home=one.home, account=account, arn="arn:aws:sns", token="t", confirmed_at=now)
    hours: dict[str, Any] = {}
    for days in range(6, -1, -1):
        hours = rates.with_hour(hours, "1", 1_100 + 17 * days, now - timedelta(days=days))
    Standing.objects.filter(home=one.home).update(hours=hours)
    _came_back(one, "anna", "bounce", 58)
    _came_back(one, "bo", "complaint", 1)
    Mailbox.objects.filter(domain=one, local="anna").update(slowed_at=now, slowed_why="58 of 1,204")
    return one


def _came_back(of: Domain, local: str, kind: str, count: int) -> None:
    notice = Notice.objects.create(home=of.home, message=local)
    given = {"home": of.home, "sender": f"{local}@{of.name}", "kind": kind, "permanent": True}
    Feedback.objects.bulk_create(
        Feedback(notice=notice, number=n, at=timezone.now() - timedelta(hours=2), **given)
        for n in range(count)
    )


def _told(of: Domain, code: str, **facts: object) -> None:
    began = timezone.now() - timedelta(hours=3)
    Worry.objects.create(
        home=of.home, account=of.account, code=code, facts=facts, began_at=began, told_at=began
    )


def _worried(account: Account) -> Domain:
    one = _firm(account)
    sending_world.standing(one, enforcement="SHUTDOWN", max24=1_500)
    _told(one, "paused", by="amazon")
    _told(one, f"domain:{one.pk.hex}", domain=one.name, verified=True, why="HOST_NOT_FOUND")
    _told(one, "rates", sent=1_204, bounces=58, complaints=1)
    _told(one, "quota", sent=1_204, most=1_500)
    return one


def sending(account: Account, user: User) -> str:
    return f"/mail/sending/{_worried(account).home}"


def reviewed(account: Account, user: User) -> str:
    one = _firm(account)
    sending_world.standing(one, enforcement="PROBATION")
    _told(one, "review")
    return f"/mail/sending/{one.home}"


def server(account: Account, user: User) -> str:
    return f"/servers/{_worried(account).home}"


def overview(account: Account, user: User) -> str:
    _worried(account)
    return "/overview"


WORRY_SIGHTS = [
    Sight("sending-worried", sending),
    Sight("sending-reviewed", reviewed),
    Sight("server-sending-worried", server),
    Sight("overview-sending-worried", overview),
]
