"""The pages of mail to look at, each with what must be in the database for it."""

import time
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import Account, User
from domains import tokens
from domains.models import Domain, Invitation, Mailbox
from servers.models import Agent, Server
from tests.browser.sending_site import SENDING_SIGHTS
from tests.browser.sight import Sight
from tests.browser.worry_site import WORRY_SIGHTS
from tests.dashboard import mail_world, world

HOURS = 3600


def mail_empty(account: Account, user: User) -> str:
    mail_world.serving(account)
    return "/mail"


def mail_works(account: Account, user: User) -> str:
    one = mail_world.firm(account)
    mail_world.mailbox(one, "dora", removed_at=timezone.now())
    mail_world.erasure(one, "frida")
    mail_world.erasure(one, "gustav", 9, ordered_at=timezone.now())
    mail_world.erasure(one, "hanna", 12, ordered_at=timezone.now(), done_at=timezone.now())
    mail_world.mailbox(one, "erik", suspended_at=timezone.now(), suspended_why="Left the firm")
    mail_world.in_force(Server.objects.get(pk=one.home))
    return "/mail"


def waiting(name: str = "firm.example") -> list[dict[str, Any]]:
    """Certificates of a domain whose names lead elsewhere still."""
    names = [f"{one}.{name}" for one in ("mail", "webmail", "autoconfig", "autodiscover", "mta-sts")]
    host = mail_world.told()["certificates"][0]
    return [host, {"name": name, "until": 0, "issuer": "", "names": [], "waiting": names, "error": ""}]


def mail_begins(account: Account, user: User) -> str:
    """One domain and one mailbox, and nothing else yet; something is just being applied."""
    server = mail_world.serving(account, certificates=waiting(), dkim={}, mailboxes={})
    mail_world.mailbox(mail_world.domain(server), password="", password_at=None)
    return "/mail"


def domain_new(account: Account, user: User) -> str:
    mail_world.serving(account)
    mail_world.serving(account, "office", "office.example")
    return "/mail/domains/new"


def domain(account: Account, user: User) -> str:
    return f"/mail/domains/{mail_world.firm(account).pk}"


def domain_begins(account: Account, user: User) -> str:
    server = mail_world.serving(account, certificates=waiting("xn--bckerei-5wa.example"), dkim={})
    return f"/mail/domains/{mail_world.domain(server, 'xn--bckerei-5wa.example').pk}"


def domain_remove(account: Account, user: User) -> str:
    server = mail_world.serving(account)
    one = mail_world.domain(server)
    mail_world.mailbox(one)
    return f"/mail/domains/{one.pk}/remove"


def alias(account: Account, user: User) -> str:
    one = mail_world.domain(mail_world.serving(account))
    return f"/mail/aliases/{mail_world.alias(one, 'sales', 'anna@firm.example', 'press@elsewhere.test').pk}"


def mailbox_new(account: Account, user: User) -> str:
    return f"/mail/mailboxes/new?domain={mail_world.firm(account).pk}"


def anna_of(one: Domain) -> Mailbox:
    return Mailbox.objects.get(domain=one, local="anna")


def mailbox(account: Account, user: User) -> str:
    one = anna_of(mail_world.firm(account))
    mail_world.app_password(one)
    mail_world.app_password(one, "Scanner in the office")
    mail_world.in_force(Server.objects.get(pk=one.domain.home))
    return f"/mail/mailboxes/{one.pk}"


def mailbox_stopped(account: Account, user: User) -> str:
    stop = {
        "mailbox": "anna@firm.example",
        "at": time.time() - 2 * HOURS,
        "why": "512 recipients in an hour",
        "releases": 0,
    }
    one = anna_of(mail_world.firm(account, stopped=[stop]))
    return f"/mail/mailboxes/{one.pk}"


def mailbox_begins(account: Account, user: User) -> str:
    one = mail_world.firm(account)
    clara = Mailbox.objects.get(domain=one, local="clara")
    mail_world.invitation(clara, "clara@elsewhere.test")
    return f"/mail/mailboxes/{clara.pk}"


def mailbox_removed(account: Account, user: User) -> str:
    one = anna_of(mail_world.firm(account))
    Mailbox.objects.filter(pk=one.pk).update(removed_at=timezone.now())
    return f"/mail/mailboxes/{one.pk}"


def mailbox_gone(account: Account, user: User) -> str:
    """It went with its domain a moment ago."""
    return f"/mail/mailboxes/{mail_world.erasure(mail_world.firm(account)).pk}"


def mailbox_erased(account: Account, user: User) -> str:
    now = timezone.now()
    moments = {"ordered_at": now - timedelta(days=1), "done_at": now, "found_gone_at": now}
    return f"/mail/mailboxes/{mail_world.erasure(mail_world.firm(account), days=8, **moments).pk}"


def mailbox_remove(account: Account, user: User) -> str:
    return f"/mail/mailboxes/{anna_of(mail_world.firm(account)).pk}/remove"


def refused(account: Account, user: User) -> str:
    one = mail_world.firm(account)
    report = Agent.objects.get(server=one.home).report
    why = "mail: probe imaps failed after the change; generation 12 is in force again"
    Agent.objects.filter(server=one.home).update(report={**report, "undone": [why]})
    return f"/mail/domains/{one.pk}"


def link_for(firm: Domain, local: str = "clara") -> str:
    """The link of an invitation that opens."""
    row = mail_world.invitation(Mailbox.objects.get(domain=firm, local=local))
    token = tokens.token_of(row.pk)
    Invitation.objects.filter(pk=row.pk).update(token_hash=tokens.hash_token(token))
    return f"/mailbox/{token}"


def invitation(account: Account, user: User) -> str:
    return link_for(mail_world.firm(account))


def spent(account: Account, user: User) -> str:
    return "/mailbox/" + "0" * 64


def server_troubled(account: Account, user: User) -> str:
    """Nearly everything that can be wrong at once."""
    now = time.time()
    pending = [
        {
            "package": name,
            "from": "1.0-1",
            "to": "1.0-2+deb13u1",
            "security": name != "tzdata",
            "published_at": now - 4 * HOURS,
        }
        for name in ("dovecot-core", "linux-image-amd64", "tzdata")
    ]
    bans = [
        {
            "address": f"198.51.100.{n}",
            "jail": "dovecot" if n % 2 else "postfix-sasl",
            "at": now - n * 900,
            "until": now - n * 900 + 600 * 2 ** (n % 4),
        }
        for n in range(1, 9)
    ]
    back = [
        {"package": "rspamd", "version": "3.12.1-2", "why": "the probe smtp failed", "at": now - 30 * HOURS}
    ]
    one = mail_world.serving(
        account,
        probes={**mail_world.FINE, "imaps": "connection refused"},
        canary={"at": now - 700, "seconds": None, "misses": 2, "way": "relay", "error": "no mail came within 120 s"},
        queue={"active": 1, "deferred": 11, "hold": 2, "oldest": 19_000, "why": "454 Throttling failure: Daily message quota exceeded"},
        bans={"now": 3, "latest": bans},
        certificates=[{**mail_world.told()["certificates"][0], "until": now + 5 * 24 * HOURS, "error": "rate limited"}, *waiting()[1:]],
        patches=mail_world.patches(pending=pending, taken_back=back, reboot_needed=True, after={"at": now - 30 * HOURS, "ok": False, "why": "imaps"}),
    )  # fmt: skip
    Agent.objects.filter(server=one).update(troubles=["canary", "probe:imaps", "queue"])
    world.subscription(account, one)
    return f"/servers/{one.pk}"


MAIL_SIGHTS = [
    Sight("mail", mail_works),
    Sight("mail-empty", mail_empty),
    Sight("mail-begins", mail_begins),
    Sight("domain-new", domain_new),
    Sight("domain", domain),
    Sight("domain-begins", domain_begins),
    Sight("domain-refused", refused),
    Sight("domain-remove", domain_remove),
    Sight("alias", alias),
    Sight("mailbox-new", mailbox_new),
    Sight("mailbox", mailbox),
    Sight("mailbox-begins", mailbox_begins),
    Sight("mailbox-stopped", mailbox_stopped),
    Sight("mailbox-removed", mailbox_removed),
    Sight("mailbox-gone", mailbox_gone),
    Sight("mailbox-erased", mailbox_erased),
    Sight("mailbox-remove", mailbox_remove),
    *SENDING_SIGHTS,
    *WORRY_SIGHTS,
    Sight("invitation", invitation, signed_in=False),
    Sight("invitation-spent", spent, signed_in=False),
    Sight("server-troubled", server_troubled),
]
