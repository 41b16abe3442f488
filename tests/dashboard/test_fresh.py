"""What cannot be undone or shows a secret asks an owner again who she is, an hour after she signed in; the rest does not."""

import pytest
from django.test import Client

from accounts.models import User
from domains.models import Alias, Domain, Mailbox, WayOut
from servers.models import Server
from tests.dashboard import mail_world
from tests.keys import age

pytestmark = pytest.mark.django_db
PLACES = {
    "mailbox": "/mail/mailboxes/{mailbox}",
    "mailbox's end": "/mail/mailboxes/{mailbox}/remove",
    "app password": "/mail/mailboxes/{mailbox}/app-passwords",
    "domain": "/mail/domains/{domain}",
    "domain's end": "/mail/domains/{domain}/remove",
    "alias": "/mail/aliases/{alias}",
    "new mailbox": "/mail/mailboxes/new",
    "sending": "/mail/sending/{server}",
    "exports": "/servers/{server}/exports",
    "keep": "/servers/{server}/keep",
    "rebuild": "/servers/{server}/rebuild",
    "window": "/servers/{server}/window",
}
ASKED = [
    *(("mailbox", do) for do in ("forward", "revoke", "suspend", "invite", "release")),
    ("mailbox's end", ""),
    ("app password", ""),
    ("domain's end", ""),
    ("domain", "alias"),
    *(("alias", do) for do in ("change", "remove")),
    ("new mailbox", ""),
    *(("sending", do) for do in ("set", "remove")),
    *(("exports", do) for do in ("ask", "delete")),
    ("keep", ""),
    *(("rebuild", do) for do in ("start", "back", "release")),
]
NOT_ASKED = [
    *(("mailbox", do) for do in ("settings", "vacation", "resume")),
    *(("domain", do) for do in ("catch-all", "mta-sts")),
    ("sending", "test"),
    ("window", ""),
]
SHOWN = ["mailbox", "domain", "sending", "exports", "rebuild"]


@pytest.fixture
def its_domain(account: object) -> Domain:
    return mail_world.domain(mail_world.serving(account, "alicespost"))  # type: ignore[arg-type]


@pytest.fixture
def places(its_domain: Domain) -> dict[str, str]:
    ids = {
        "mailbox": mail_world.mailbox(its_domain).pk,
        "alias": mail_world.alias(its_domain).pk,
        "domain": its_domain.pk,
        "server": its_domain.home,
    }
    return {name: path.format(**ids) for name, path in PLACES.items()}


@pytest.fixture
def stale(client: Client, alice: User) -> Client:
    client.force_login(alice)
    age(client)
    return client


def state() -> list[object]:
    """What any of these could change."""
    tables = (Mailbox, Domain, Alias, WayOut, Server)
    return [list(table.objects.order_by("pk").values()) for table in tables]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("place", "do"), ASKED, ids=str)
def test_it_asks_and_leads_back_and_does_nothing(
    stale: Client, places: dict[str, str], place: str, do: str
) -> None:
    before, page = state(), places[place]
    sent = {"do": do, "understood": "yes", "name": "alicespost", "label": "x", "local": "boss", "quota": "1"}
    sent |= {"targets": "x@evil.test", "invite_to": "x@evil.test"}
    answer = stale.post(page, sent, headers={"referer": f"http://testserver{places['mailbox']}"})
    assert (answer.status_code, answer.url.partition("?")[0]) == (302, "/prove")
    assert places["mailbox"].replace("/", "%2F") in answer.url
    assert state() == before


@pytest.mark.parametrize(("place", "do"), ASKED, ids=str)
def test_who_has_just_shown_it_is_not_asked(
    client: Client, alice: User, places: dict[str, str], place: str, do: str
) -> None:
    client.force_login(alice)
    answer = client.post(places[place], {"do": do})
    assert not answer.headers.get("Location", "").startswith("/prove")


@pytest.mark.parametrize(("place", "do"), NOT_ASKED, ids=str)
def test_what_can_be_undone_does_not_ask(stale: Client, places: dict[str, str], place: str, do: str) -> None:
    answer = stale.post(places[place], {"do": do})
    assert not answer.headers.get("Location", "").startswith("/prove")


@pytest.mark.parametrize("place", SHOWN)
def test_looking_does_not_ask(stale: Client, places: dict[str, str], place: str) -> None:
    assert stale.get(places[place]).status_code == 200


@pytest.mark.parametrize("place", ["mailbox's end", "domain's end", "alias", "new mailbox"])
def test_a_page_of_its_own_asks_before_it_is_shown(stale: Client, places: dict[str, str], place: str) -> None:
    assert stale.get(places[place]).url.startswith("/prove?next=")
