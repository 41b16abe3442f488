"""Choosing a name and a data centre: nothing typed is lost, and nobody gets a server that is not paid for."""

import re

import pytest
from django.test import Client

from accounts.models import Account, User
from audit.models import Event
from billing.models import Subscription
from engine.models import Run
from servers.models import Server
from tests.dashboard import world


def errors(response: object) -> list[str]:
    """What the error summary says."""
    summary = re.search(r'class="error-summary".*?</div>', response.content.decode(), re.S)  # type: ignore[attr-defined]
    return re.findall(r"<li>(?:<a[^>]*>)?([^<]+)", summary[0]) if summary else []


@pytest.fixture
def paid(account: Account) -> Subscription:
    return world.subscription(account)


def test_a_server_is_made_and_its_page_shown(as_alice: Client, alice: User, paid: Subscription) -> None:
    response = as_alice.post("/servers/new", {"name": "Post", "place": "hel1"})
    made = Server.objects.get()
    assert response["Location"] == f"/servers/{made.pk}"
    assert (made.name, made.place, made.plan) == ("post", "hel1", "basic")
    assert Event.objects.get(action="server.wanted", subject=made.subject).by == f"user:{alice.pk}"
    assert Run.objects.filter(program="Provision", subject=made.subject).exists()
    paid.refresh_from_db()
    assert paid.server == made


def test_sending_it_twice_makes_one(as_alice: Client, paid: Subscription) -> None:
    for _ in range(2):
        as_alice.post("/servers/new", {"name": "post", "place": "hel1"})
    assert Server.objects.count() == 1


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"name": "", "place": "hel1"}, ["Give your server a name."]),
        ({"name": "post"}, ["Choose a data centre."]),
        ({"name": "", "place": ""}, ["Give your server a name.", "Choose a data centre."]),
        ({"name": "post", "place": "moon"}, ["Choose one of the data centres."]),
        ({"name": "admin", "place": "hel1"}, ["“admin” is kept for other uses. Choose another name."]),
        ({"name": "taken", "place": "hel1"}, ["“taken” is taken. Choose another name."]),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    as_alice: Client, paid: Subscription, charlie: User, typed: dict[str, str], told: list[str]
) -> None:
    world.server(charlie.accounts.get(), "taken")
    response = as_alice.post("/servers/new", typed)
    assert response.status_code == 422
    assert errors(response) == told
    page = response.content.decode()
    assert f'value="{typed["name"]}"' in page
    chosen = re.findall(r'value="([a-z0-9]+)" checked', page)
    assert chosen == ([typed["place"]] if typed.get("place") == "hel1" else [])
    assert Server.objects.filter(account=paid.account).count() == 0


def test_each_error_leads_to_its_field(as_alice: Client, paid: Subscription) -> None:
    page = as_alice.post("/servers/new", {}).content.decode()
    for target in re.findall(r'<li><a href="#([^"]+)"', page):
        assert f'id="{target}"' in page


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("post", "post.mailat.test</strong> is free"),
        (" POST ", "post.mailat.test</strong> is free"),
        ("-post", "single dashes"),
        ("pöst", "single dashes"),
        ("<b>", "single dashes"),
        ("www", "kept for other uses"),
        ("taken", "taken. Choose another"),
        ("", "name.mailat.test"),
        ("a" * 60, "1 to 40 letters"),
    ],
)
def test_a_name_is_judged_while_it_is_typed(
    as_alice: Client, account: Account, typed: str, told: str
) -> None:
    world.server(account, "taken")
    page = as_alice.get("/servers/new/name", {"name": typed}).content.decode()
    assert told in page
    assert "<b>" not in page


def test_a_name_of_a_server_that_is_gone_is_free_again(as_alice: Client, account: Account) -> None:
    world.gone(account, "former")
    assert "is free" in as_alice.get("/servers/new/name", {"name": "former"}).content.decode()


def test_who_has_paid_for_nothing_makes_nothing(as_alice: Client, account: Account) -> None:
    world.subscription(account, status="ended")
    response = as_alice.post("/servers/new", {"name": "post", "place": "hel1"})
    assert "Nothing waits for a server" in response.content.decode()
    assert not Server.objects.exists()


def test_before_another_one_is_bought_it_says_what_gumroad_refuses(
    as_alice: Client, account: Account
) -> None:
    world.subscription(account, world.running(account))
    page = as_alice.get("/servers/new").content.decode()
    assert "Sign in at Gumroad before you buy it" in page


def test_nobody_uses_what_another_has_paid(client: Client, charlie: User, paid: Subscription) -> None:
    client.force_login(charlie)
    client.post(f"/servers/new?subscription={paid.pk}", {"name": "post", "place": "hel1"})
    assert not Server.objects.exists()


def test_a_member_spends_nothing_and_is_told_whom_to_ask(
    client: Client, bob: User, paid: Subscription
) -> None:
    client.force_login(bob)
    assert client.post("/servers/new", {"name": "post", "place": "hel1"}).status_code == 403
    assert not Server.objects.exists()
    page = client.get("/servers/new").content.decode()
    assert "Ask one of its owners" in page
    assert "Make this server" not in page
    overview = client.get("/overview").content.decode()
    assert "Only an owner of the account can do this" in overview
    assert "/servers/new" not in overview


def test_of_two_plans_the_one_that_was_asked_for_is_used(as_alice: Client, account: Account) -> None:
    world.subscription(account, plan="basic")
    pro = world.subscription(account, plan="pro")
    as_alice.post(f"/servers/new?subscription={pro.pk}", {"name": "post", "place": "hel1"})
    assert Server.objects.get().plan == "pro"


def test_without_a_token_the_form_is_refused(alice: User, paid: Subscription) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    response = strict.post("/servers/new", {"name": "post", "place": "hel1"})
    assert response.status_code == 403
    assert "This form was open for too long" in response.content.decode()
