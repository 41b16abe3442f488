"""Staff type what a customer says, and are led there."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from accounts.models import Account, Letter, Membership, User
from audit.actions import record
from audit.context import about
from audit.models import Event
from tests.admin.conftest import World
from tests.keys import give_app

pytestmark = pytest.mark.django_db


def find(site: Client, said: object) -> Any:
    return site.get("/admin/find/", {"q": said})


def page(name: str) -> Callable[[World], str]:
    return lambda world: f"/admin/{name}/{world[name].pk}/change/"


def story(world: World) -> str:
    return f"/admin/accounts/account/{world['accounts/account'].pk}/story/"


SAID: dict[str, tuple[Callable[[World], object], Callable[[World], str]]] = {
    "the address they sign in with": (lambda w: w["accounts/user"].email, story),
    "the same in capitals": (lambda w: w["accounts/user"].email.upper(), story),
    "an address with a name": (lambda w: f"Olive Oil <{w['accounts/user'].email}>", story),
    "an address at the end of a sentence": (lambda w: f" {w['accounts/user'].email}. ", story),
    "an account's id": (lambda w: w["accounts/account"].pk, story),
    "a mailbox": (lambda w: w["domains/mailbox"].address, page("domains/mailbox")),
    "a mailbox whose mail was deleted": (lambda w: w["domains/erasure"].address, page("domains/erasure")),
    "an alias": (lambda w: f"info@{w['domains/domain'].name}", page("domains/domain")),
    "an address that nobody has": (lambda w: f"nobody@{w['domains/domain'].name}", page("domains/domain")),
    "a domain": (lambda w: w["domains/domain"].name.title(), page("domains/domain")),
    "a domain with its last dot": (lambda w: f"{w['domains/domain'].name}.", page("domains/domain")),
    "a server's name": (lambda w: w["servers/server"].name.upper(), page("servers/server")),
    "a server's host name": (lambda w: f"{w['servers/server'].name}.mailat.test", page("servers/server")),
    "a link to its host": (lambda w: f"https://{w['servers/server'].name}.mailat.test/", page("servers/server")),
    "an IPv4 address": (lambda w: w["servers/server"].ipv4, page("servers/server")),
    "an IPv6 address": (lambda w: w["servers/server"].ipv6.upper(), page("servers/server")),
    "a machine at Hetzner": (lambda w: w["servers/server"].machine_name, page("servers/server")),
    "a link to a page of ours": (lambda w: f"https://testserver/servers/{w['servers/server'].pk}", page("servers/server")),
    "a subscription at Gumroad": (lambda w: w["billing/subscription"].gumroad_id, page("billing/subscription")),
    "a sale at Gumroad": (lambda w: "sub==", page("billing/ping")),
    "a receipt": (lambda w: w["audit/receipt"].pk, page("audit/receipt")),
    "a link to a receipt": (lambda w: f"https://testserver/receipts/{w['audit/receipt'].pk}", page("audit/receipt")),
    "a letter": (lambda w: w["accounts/letter"].pk, page("accounts/letter")),
    "a reference": (lambda w: w["audit/fault"].reference, page("audit/fault")),
    "a reference as it was copied": (lambda w: f"Reference: {w['audit/fault'].reference}", page("audit/fault")),
    "what an event is about": (lambda w: w["servers/server"].subject, page("servers/server")),
    "what staff did": (lambda w: w["audit/deed"].pk, page("audit/deed")),
}  # fmt: skip


@pytest.mark.parametrize("said", SAID)
def test_what_a_customer_says_leads_there(staff_site: Client, world: World, said: str) -> None:
    says, where = SAID[said]
    answer = find(staff_site, says(world))
    assert answer.status_code == 302
    assert answer["Location"] == where(world)
    assert staff_site.get(answer["Location"]).status_code == 200


def test_the_same_words_for_two_things_show_both_and_whose_they_are(staff_site: Client, world: World) -> None:
    """Somebody may sign in by an address that is a mailbox here."""
    other = Account.objects.create(name="Choir")
    anna = User.objects.create_user(world["domains/mailbox"].address)
    Membership.objects.create(account=other, user=anna)
    html = find(staff_site, anna.email).content.decode()
    for there in (page("domains/mailbox")(world), story(world), f"/admin/accounts/account/{other.pk}/story/"):
        assert f'href="{there}"' in html


def test_an_address_that_only_got_letters_is_found_by_them(staff_site: Client, world: World) -> None:
    letter = Letter.objects.create(key="one", kind="sign_in", to="typo@example.test")
    assert find(staff_site, letter.to)["Location"] == f"/admin/accounts/letter/{letter.pk}/change/"


def test_a_person_without_an_account_is_found_as_a_person(staff_site: Client, stella: User) -> None:
    assert find(staff_site, stella.email)["Location"] == f"/admin/accounts/user/{stella.pk}/change/"


def test_a_domain_with_other_letters_is_found_as_people_write_it(staff_site: Client, world: World) -> None:
    domain = world["domains/domain"]
    type(domain).objects.filter(pk=domain.pk).update(name="xn--bcker-gra.test")
    assert find(staff_site, "Bäcker.test")["Location"] == page("domains/domain")(world)


def test_a_reference_leads_to_what_was_done_under_it(staff_site: Client, world: World) -> None:
    with about(request="5f0c5f0c5f0c5f0c"):
        record("server.ready", by="user:1", account=world["accounts/account"].pk)
    event = Event.objects.get(reference="5f0c5f0c5f0c5f0c")
    assert find(staff_site, event.reference)["Location"] == f"/admin/audit/event/{event.pk}/change/"


def test_a_run_is_found_by_its_number_among_what_else_has_that(staff_site: Client, world: World) -> None:
    run = world["engine/run"]
    # The number may be somebody's already.
    User.objects.get_or_create(pk=run.pk, defaults={"email": "seven@example.test"})
    html = find(staff_site, run.pk).content.decode()
    assert page("engine/run")(world) in html
    assert f"/admin/accounts/user/{run.pk}/change/" in html


def test_a_server_that_is_gone_is_found_beside_the_one_that_has_its_name(
    staff_site: Client, world: World
) -> None:
    here = world["servers/server"]
    gone = type(here).objects.create(
        account=here.account, name=here.name, plan="basic", place="fsn1", gone_at=timezone.now()
    )
    html = find(staff_site, here.name).content.decode()
    assert f"/servers/server/{here.pk}/" in html
    assert f"/servers/server/{gone.pk}/" in html


@pytest.mark.parametrize(
    "said",
    ["nobody@nowhere.test", "nothing", "==", "@", "a@", "@b", "x" * 5000, "a\x00b", "%", "1" * 40, "server:", "run:x",
     "run:99999999999999999999999", "user:0", "https://", "https://[", "https://[x", "http://x/y", "::", "1.2.3", "\u0661\u0662", "a@b@c", "ref erence",
     "00000000-0000-0000-0000-000000000000", "'; drop table x", "https://testserver/servers/x", "ΑΒΓ@ΔΕΖ", "\ud83d".encode("utf-8", "replace").decode(),
     "billing", "vaultkey:x", "domain:", "-" * 63, "a..b", ".", "*@*", "9223372036854775808"],
)  # fmt: skip
def test_words_that_name_nothing_say_so_and_break_nothing(
    staff_site: Client, world: World, said: str
) -> None:
    answer = find(staff_site, said)
    assert answer.status_code == 200
    assert "Nothing is named exactly" in answer.content.decode()


def test_no_words_ask_for_some(staff_site: Client) -> None:
    html = find(staff_site, "").content.decode()
    assert "What the customer says" in html
    assert "Nothing is named" not in html


def test_the_first_page_has_the_box(staff_site: Client) -> None:
    html = staff_site.get("/admin/").content.decode()
    assert 'action="/admin/find/"' in html
    assert 'name="q"' in html


def test_a_reference_that_left_no_trace_is_said_to_be_in_the_log(staff_site: Client) -> None:
    assert "is in the log alone" in find(staff_site, "0a1b2c3d4e5f6a7b").content.decode()


def test_who_may_see_runs_alone_finds_nobody(client: Client, world: World) -> None:
    sam = User.objects.create_user("sam@example.test", is_staff=True)
    sam.user_permissions.add(Permission.objects.get(codename="view_run"))
    give_app(sam)
    client.force_login(sam)
    for says, _where in SAID.values():
        answer = find(client, says(world))
        assert answer.status_code == 200
        assert b"/change/" not in answer.content.split(b"What the customer says")[1]
    assert client.get(story(world)).status_code == 403


def test_alice_and_strangers_find_nothing(client: Client, alice: User, world: World) -> None:
    assert find(client, world["servers/server"].name).status_code == 302
    assert find(client, world["servers/server"].name)["Location"].startswith("/admin/login/")
    client.force_login(alice)
    for address in ("/admin/find/?q=x", story(world)):
        assert client.get(address, follow=True).status_code == 403


def test_the_box_takes_no_post(staff_site: Client) -> None:
    assert staff_site.post("/admin/find/", {"q": "x"}).status_code == 405
