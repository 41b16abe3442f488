"""The assistant's page in each of its states, with what must be in the database for it."""

import time
from datetime import timedelta

from django.utils import timezone

from accounts.models import Account, User
from domains.models import Domain
from engine.models import Run
from sending.models import Credentials
from servers.models import Agent, Server
from tests.browser.asked_site import ASKED_SIGHTS
from tests.browser.sight import Sight
from tests.dashboard import mail_world, sending_world
from tests.dashboard.sending_world import refused


def page_of(one: Domain) -> str:
    return f"/mail/sending/{one.home}"


def works(account: Account, user: User) -> str:
    one = mail_world.firm(account)
    sending_world.works(one)
    mail_world.domain(Server.objects.get(pk=one.home), "office.example")
    sending_world.identity(Domain.objects.get(name="office.example"))
    mail_world.in_force(Server.objects.get(pk=one.home))
    return page_of(one)


def begins(account: Account, user: User) -> str:
    """Nothing yet, and mail that waits."""
    return page_of(_waits(account))


def _waits(account: Account) -> Domain:
    queue = {"active": 0, "deferred": 3, "hold": 0, "oldest": 5400, "why": "sending is not set up yet"}
    canary = {"at": time.time() - 60, "seconds": 1.1, "misses": 0, "way": "direct", "error": ""}
    server = mail_world.serving(account, queue=queue, canary=canary)
    one = mail_world.domain(server)
    mail_world.in_force(server)
    return one


def no_domain(account: Account, user: User) -> str:
    return f"/mail/sending/{mail_world.serving(account).pk}"


def lacks(account: Account, user: User) -> str:
    """A key whose user may not do enough."""
    one = _waits(account)
    names = ("ses:CreateEmailIdentity", "ses:PutEmailIdentityMailFromAttributes", "sns:CreateTopic")
    row = sending_world.credentials(one, "candidate", *(refused("permission", action=name) for name in names))
    sending_world.running(row)
    Run.objects.filter(subject=row.subject).update(step="set_up")
    sending_world.standing(one, production=False, review="", max24=200, rate=1, sent24=0)
    return page_of(one)


def tried(account: Account, user: User) -> str:
    """All is well at Amazon; the server shall prove it."""
    one = _waits(account)
    row = sending_world.credentials(one, tried_at=timezone.now())
    sending_world.running(row)
    Run.objects.filter(subject=row.subject).update(step="wait_proven")
    sending_world.standing(
        one, production=False, review="PENDING", case_id="172000000001", max24=200, rate=1, sent24=0
    )
    sending_world.waiting(one)
    return page_of(one)


def records(account: Account, user: User) -> str:
    """In use, and two domains wait for their records, one because of a mistake."""
    one = mail_world.firm(account)
    sending_world.credentials(one, "in_use")
    sending_world.opens(one)
    sending_world.standing(one, production=False, review="", max24=200, rate=1, sent24=12)
    sending_world.waiting(one)
    other = mail_world.domain(Server.objects.get(pk=one.home), "office.example")
    sending_world.waiting(other, "INVALID_VALUE")
    sending_world.letter(one, 554, "554 Message rejected: Email address is not verified.")
    mail_world.in_force(Server.objects.get(pk=one.home))
    return page_of(one)


def troubled(account: Account, user: User) -> str:
    """The key in use was taken away at Amazon; it was old, and a new one is wrong as well."""
    one = mail_world.firm(account)
    row = sending_world.works(one)
    ago = timezone.now() - timedelta(hours=3)
    Credentials.objects.filter(pk=row.pk).update(added_at=timezone.now() - timedelta(days=93))
    sending_world.standing(one, enforcement="PROBATION", trouble=refused("wrong_key"), trouble_at=ago)
    sending_world.credentials(
        one, "candidate", refused("smtp", says="535 Authentication Credentials Invalid")
    )
    Agent.objects.filter(server=one.home).update(seal_key="another")
    return page_of(one)


def rebuilt(account: Account, user: User) -> str:
    """The server was made anew, and has not called us yet with its own key."""
    path = works(account, user)
    Agent.objects.update(seal_key="another")
    return path


def listed(account: Account, user: User) -> str:
    mail_world.firm(account)
    mail_world.serving(account, "office", "office.example")
    return "/mail/sending"


SENDING_SIGHTS = [
    Sight("sending", works),
    Sight("sending-begins", begins),
    Sight("sending-no-domain", no_domain),
    Sight("sending-lacks", lacks),
    Sight("sending-tried", tried),
    Sight("sending-records", records),
    Sight("sending-troubled", troubled),
    Sight("sending-rebuilt", rebuilt),
    Sight("sending-list", listed),
    *ASKED_SIGHTS,
]
