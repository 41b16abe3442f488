"""Who may see which page; a page without an entry here fails."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import URLPattern, reverse
from django.utils.crypto import get_random_string

from accounts.models import Account, User
from audit.models import Receipt
from dashboard.urls import urlpatterns
from servers.models import Server
from tests.dashboard import world

OPEN = "anybody"
OWN = "each sees their own"
MEMBERS = "only the people of the account"

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
    "billing": OWN,
    "receipt": MEMBERS,
    "receipt-file": MEMBERS,
    "activity": OWN,
    "account": OWN,
    "account-choose": MEMBERS,
}
POSTS = {"account-choose"}
PATTERNS = [pattern for pattern in urlpatterns if isinstance(pattern, URLPattern)]
ids = [str(pattern.name) for pattern in PATTERNS]
Addresses = Callable[[URLPattern], str]


@pytest.fixture
def its_server(account: Account) -> Server:
    return world.running(account, "alicespost")


@pytest.fixture
def its_receipt(account: Account) -> Receipt:
    return Receipt.objects.get(subject=world.gone(account, get_random_string(12, "abcdef")).subject)


@pytest.fixture
def address(account: Account, its_server: Server, its_receipt: Receipt) -> Addresses:
    """The address of a page, about what belongs to Alice's account."""

    def of(pattern: URLPattern) -> str:
        name = str(pattern.name)
        about = {"server": its_server, "receipt": its_receipt, "account": account}.get(name.split("-")[0])
        wants_one = "<" in str(pattern.pattern)
        return reverse(name, args=[about.pk] if about and wants_one else [])

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
    if ACCESS[str(pattern.name)] == MEMBERS:
        assert status in (403, 404)
    else:
        assert status == 200
        assert its_server.name not in client.get(address(pattern)).content.decode()


@pytest.mark.parametrize("pattern", PATTERNS, ids=ids)
@pytest.mark.parametrize("who", ["alice", "bob"])
def test_the_people_of_the_account_get_in(
    client: Client, pattern: URLPattern, address: Addresses, who: str, alice: User, bob: User
) -> None:
    client.force_login({"alice": alice, "bob": bob}[who])
    assert ask(client, pattern, address(pattern)) == (302 if pattern.name in POSTS else 200)


@pytest.mark.parametrize("pattern", [p for p in PATTERNS if ACCESS[str(p.name)] == MEMBERS], ids=str)
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
