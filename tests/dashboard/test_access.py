"""Who may see which page; a page without an entry here fails."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, reverse
from django.utils.crypto import get_random_string

from accounts.models import Account, User
from audit.models import Receipt
from backups.models import Job, Point
from dashboard.urls import urlpatterns
from domains import tokens
from domains.models import Domain, Invitation
from servers.models import Server
from tests.dashboard import backups_world, exports_world, mail_world, people_world, world

OPEN = "anybody"
OWN = "each sees their own"
MEMBERS = "only the people of the account"
OWNERS = "only the owners of the account"
MINE = "each owner, for an account of their own"

ACCESS = {
    "landing": OPEN,
    "plans": OPEN,
    "overview": OWN,
    "overview-live": OWN,
    "server-new": OWN,
    "server-name": OWN,
    "server": MEMBERS,
    "server-live": MEMBERS,
    "server-charts": MEMBERS,
    "server-window": OWNERS,
    "server-plan": MEMBERS,
    "server-plan-live": MEMBERS,
    "server-keep": MEMBERS,
    "server-rebuild": OWNERS,
    "server-rebuild-live": OWNERS,
    "server-exports": MEMBERS,
    "server-exports-live": MEMBERS,
    "server-export-file": OWNERS,
    "backups": OWN,
    "server-backups": MEMBERS,
    "server-backups-live": MEMBERS,
    "backup-point": OWNERS,
    "backup-point-live": OWNERS,
    "backup-mailbox": OWNERS,
    "backup-mailbox-live": OWNERS,
    "backup-job": OWNERS,
    "backup-job-live": OWNERS,
    "mail": OWN,
    "mail-live": OWN,
    "domain-new": MINE,
    "domain": MEMBERS,
    "domain-live": MEMBERS,
    "domain-zone": MEMBERS,
    "domain-remove": OWNERS,
    "alias": OWNERS,
    "mailbox-new": MINE,
    "mailbox": MEMBERS,
    "mailbox-live": MEMBERS,
    "mailbox-remove": OWNERS,
    "app-password-new": OWNERS,
    "mail-sending": OWN,
    "mail-sending-of": MEMBERS,
    "mail-sending-live": MEMBERS,
    "mail-sending-policy": MEMBERS,
    "mail-sending-template": MEMBERS,
    "mail-suppressed": OWNERS,
    "mail-suppressed-live": OWNERS,
    "mailbox-password": OPEN,  # to whoever has the link
    "billing": OWN,
    "receipt": MEMBERS,
    "receipt-file": MEMBERS,
    "activity": OWN,
    "account": OWN,
    "account-choose": MEMBERS,
    "account-sessions": OWN,
    "account-address": OWN,
    "account-address-stop": OWN,
    "account-recovery": OWN,
    "account-recovery-stop": OWN,
    "account-people": MINE,
    "account-person": OWNERS,
    "account-leave": OWN,
    "account-invitation": OPEN,
    "account-notice": OPEN,  # to whoever has the letter, as the next three
    "account-address-link": OPEN,
    "account-second-link": OPEN,
    "account-recover": OPEN,
    "account-recover-link": OPEN,
}
POSTS = {
    "account-choose",
    "account-address-stop",
    "account-recovery-stop",
    "server-window",
    "app-password-new",
}
NOT_FOR_ME = {"account-invitation": {410}}  # it went to somebody else
GETS_IN = {
    **NOT_FOR_ME,
    "mail-sending": {302},  # to the only server
    "server-export-file": {302},  # to the gate
    "backups": {302},  # likewise
    "server-window": {422},  # a form without days
    "app-password-new": {422},  # one without a name
}
PATTERNS = [pattern for pattern in urlpatterns if isinstance(pattern, URLPattern)]
ids = [str(pattern.name) for pattern in PATTERNS]
Addresses = Callable[[URLPattern], str]


@pytest.fixture
def its_server(account: Account) -> Server:
    return mail_world.serving(account, "alicespost")


@pytest.fixture
def its_domain(its_server: Server) -> Domain:
    return mail_world.domain(its_server)


@pytest.fixture
def its_restore(its_server: Server, its_domain: Domain, settings: Any) -> Job:
    """Of a restore point and a mailbox of its own."""
    backups_world.is_set_up(settings)
    point = backups_world.point(backups_world.repository(its_server))
    return backups_world.restore(point, mail_world.mailbox(its_domain, "restored").pk)


@pytest.fixture
def its_receipt(account: Account) -> Receipt:
    return Receipt.objects.get(subject=world.gone(account, get_random_string(12, "abcdef")).subject)


@pytest.fixture
def address(
    account: Account, its_server: Server, its_domain: Domain, its_receipt: Receipt, its_restore: Job
) -> Addresses:
    """The address of a page, about what belongs to Alice's account."""
    mailbox = mail_world.mailbox(its_domain)
    invitation = mail_world.invitation(mailbox)
    token = tokens.token_of(invitation.pk)
    Invitation.objects.update(token_hash=tokens.hash_token(token))
    point = (its_server.pk, Point.objects.get().pk)
    about: dict[str, object] = {
        "backup-point": point,
        "backup-point-live": point,
        "backup": (*point, its_restore.args["mailbox"]),
        "backup-job": (its_server.pk, its_restore.pk),
        "backup-job-live": (its_server.pk, its_restore.pk),
        "server-export-file": (its_server.pk, exports_world.ready(its_restore.repository).pk),
        "server": its_server.pk,
        "receipt": its_receipt.pk,
        "account": account.pk,
        "domain": its_domain.pk,
        "alias": mail_world.alias(its_domain).pk,
        "mailbox": mailbox.pk,
        "app": mailbox.pk,
        "mail": its_server.pk,
        "mailbox-password": token,
        **people_world.ways(account, account.people.order_by("pk")[0]),
    }

    def of(pattern: URLPattern) -> str:
        name = str(pattern.name)
        one = about.get(name, about.get(name.split("-")[0]))
        args = one if isinstance(one, tuple) else (one,)
        return reverse(name, args=args if "<" in str(pattern.pattern) else [])

    return of


def ask(client: Client, pattern: URLPattern, address: str) -> int:
    call = client.post if pattern.name in POSTS else client.get
    return call(address).status_code


def test_every_page_has_an_entry() -> None:
    assert {str(pattern.name) for pattern in PATTERNS} == set(ACCESS)


@pytest.mark.parametrize("pattern", PATTERNS, ids=ids)
def test_a_passer_by_is_asked_to_sign_in(client: Client, pattern: URLPattern, address: Addresses) -> None:
    call = client.post if pattern.name in POSTS else client.get
    response = call(address(pattern))
    if ACCESS[str(pattern.name)] == OPEN:
        assert response.status_code == 200
    else:
        assert response.status_code == 302
        assert response["Location"].startswith("/sign-in")


@pytest.mark.parametrize("pattern", PATTERNS, ids=ids)
def test_a_stranger_finds_nothing(
    client: Client, charlie: User, pattern: URLPattern, address: Addresses, its_server: Server
) -> None:
    client.force_login(charlie)
    status = ask(client, pattern, address(pattern))
    if ACCESS[str(pattern.name)] in (MEMBERS, OWNERS):
        assert status in (403, 404)
    else:
        goes_on = ACCESS[str(pattern.name)] == MINE or pattern.name in POSTS
        assert status in NOT_FOR_ME.get(str(pattern.name), {200, 302} if goes_on else {200})
        assert its_server.name not in client.get(address(pattern)).content.decode()


@pytest.mark.parametrize("pattern", PATTERNS, ids=ids)
@pytest.mark.parametrize("who", ["alice", "bob"])
def test_the_people_of_the_account_get_in(
    client: Client, pattern: URLPattern, address: Addresses, who: str, alice: User, bob: User
) -> None:
    client.force_login({"alice": alice, "bob": bob}[who])
    status, access = ask(client, pattern, address(pattern)), ACCESS[str(pattern.name)]
    if who == "bob" and access in (OWNERS, MINE):
        assert status == 403
    else:
        assert status in GETS_IN.get(str(pattern.name), {302 if pattern.name in POSTS else 200})


@pytest.mark.parametrize(
    "do", ["settings", "forward", "vacation", "revoke", "suspend", "resume", "invite", "release", "restore"]
)
def test_a_member_changes_nothing_of_a_mailbox(
    client: Client, bob: User, its_domain: Domain, do: str
) -> None:
    client.force_login(bob)
    assert client.post(f"/mail/mailboxes/{mail_world.mailbox(its_domain).pk}", {"do": do}).status_code == 403


@pytest.mark.parametrize("do", ["catch-all", "mta-sts", "alias"])
def test_a_member_changes_nothing_of_a_domain(client: Client, bob: User, its_domain: Domain, do: str) -> None:
    client.force_login(bob)
    assert client.post(f"/mail/domains/{its_domain.pk}", {"do": do}).status_code == 403


@pytest.mark.parametrize("do", ["set", "remove"])
def test_a_member_changes_nothing_of_the_way_out(
    client: Client, bob: User, its_domain: Domain, do: str
) -> None:
    client.force_login(bob)
    assert client.post(f"/mail/sending/{its_domain.home}", {"do": do}).status_code == 403


@pytest.mark.parametrize(
    "pattern", [p for p in PATTERNS if ACCESS[str(p.name)] in (MEMBERS, OWNERS)], ids=str
)
def test_staff_have_no_way_around(
    client: Client, stella: User, pattern: URLPattern, address: Addresses
) -> None:
    client.force_login(stella)
    assert ask(client, pattern, address(pattern)) in (302, 403, 404)


def test_what_belongs_to_somebody_else_looks_like_what_is_not_there(
    client: Client, charlie: User, its_server: Server
) -> None:
    client.force_login(charlie)
    theirs = client.get(f"/servers/{its_server.pk}")
    nobodys = client.get("/servers/00000000-0000-4000-8000-000000000000")
    strip = lambda response: [line for line in response.content.decode().splitlines() if "<code>" not in line]  # noqa: E731
    assert (theirs.status_code, strip(theirs)) == (404, strip(nobodys))


def test_pages_of_a_person_are_kept_by_nobody_else(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert "private" in client.get("/overview")["Cache-Control"]
