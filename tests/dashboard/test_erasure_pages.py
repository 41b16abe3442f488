"""What became of a removed mailbox's mail: until when it can be had back, and what its server said."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account, User
from domains import actions
from domains.models import Domain, Erasure, Mailbox
from servers.models import Server
from tests.dashboard import mail_world
from tests.dashboard.test_pages import headline, text


@pytest.fixture
def firm(account: Account) -> Domain:
    return mail_world.firm(account)


def page_of(one: Erasure) -> str:
    return f"/mail/mailboxes/{one.pk}"


def test_the_page_of_a_removed_mailbox_says_when_its_mail_is_deleted(as_alice: Client, firm: Domain) -> None:
    anna = Mailbox.objects.get(domain=firm, local="anna")
    assert "After that the server deletes its mail for good" in text(
        as_alice.get(f"/mail/mailboxes/{anna.pk}/remove")
    )
    actions.remove_mailbox(mailbox=anna, by="user:1")
    said = text(as_alice.get(f"/mail/mailboxes/{anna.pk}"))
    assert "Its mail is deleted" in said
    assert "Until then you can bring it back as it was" in said


def test_what_went_with_its_domain_is_brought_back_from_the_list(as_alice: Client, firm: Domain) -> None:
    anna = Mailbox.objects.get(domain=firm, local="anna")
    server = Server.objects.get(pk=firm.home)
    actions.remove_way_out(home=firm.home, by="user:1")
    as_alice.post(f"/mail/domains/{firm.pk}/remove", {"understood": "yes"})
    page = f"/mail/mailboxes/{anna.pk}"
    assert page in as_alice.get("/mail").content.decode()
    assert "It went with its domain" in text(as_alice.get(page))
    refused = as_alice.post(page, {"do": "restore"})
    assert refused.status_code == 422
    assert "Add firm.example to this server again first." in text(refused)

    actions.add_domain(account=server.account, home=firm.home, name="firm.example", by="user:1")
    answer = as_alice.post(page, {"do": "restore"}, follow=True)

    assert "is there again, with its mail and its passwords" in text(answer)
    assert Mailbox.objects.get(pk=anna.pk).password == mail_world.HASH


def test_while_its_server_deletes_it_nothing_brings_it_back(as_alice: Client, firm: Domain) -> None:
    one = mail_world.erasure(firm, ordered_at=timezone.now())
    said = text(as_alice.get(page_of(one)))
    assert "Its mail is being deleted" in said
    assert "Not told yet" in said
    assert "Bring back" not in said
    assert as_alice.post(page_of(one), {"do": "restore"}).status_code == 422
    assert "being deleted" in text(as_alice.get("/mail"))


def test_when_the_server_said_so_it_stands_there(as_alice: Client, firm: Domain) -> None:
    one = mail_world.erasure(firm, ordered_at=timezone.now())
    actions.confirm_erased(home=firm.home, told=[{"id": str(one.pk), "at": 1_795_000_000}])
    said = text(as_alice.get(page_of(one)))
    assert "Its mail is deleted" in said
    assert "18 November" in said
    assert "The mail of dora@firm.example is deleted, as its server told" in text(as_alice.get("/activity"))


def test_a_host_with_a_wrong_clock_or_none_left_is_told_of_as_what_it_is(
    as_alice: Client, firm: Domain
) -> None:
    one = mail_world.erasure(firm)
    actions.forget_home(firm.home)
    one.refresh_from_db()
    assert "It went with the server and its disk" in text(as_alice.get(page_of(one)))


def test_members_see_it_and_strangers_do_not(client: Client, bob: User, charlie: User, firm: Domain) -> None:
    one = mail_world.erasure(firm)
    client.force_login(bob)
    said = client.get(page_of(one))
    assert headline(said) == "dora@firm.example"
    assert "Bring back" not in text(said)
    assert client.post(page_of(one), {"do": "restore"}).status_code == 403
    client.force_login(charlie)
    assert client.get(page_of(one)).status_code == 404


def test_the_list_tells_of_it_for_a_month(as_alice: Client, firm: Domain) -> None:
    now = timezone.now()
    mail_world.erasure(firm, "old", 60, ordered_at=now, done_at=now - timedelta(days=31))
    mail_world.erasure(firm, "new", 60, ordered_at=now, done_at=now - timedelta(days=29))
    said = text(as_alice.get("/mail"))
    assert "new@firm.example" in said
    assert "old@firm.example" not in said


def test_a_domain_tells_who_is_its_postmaster(as_alice: Client, firm: Domain) -> None:
    said = text(as_alice.get(f"/mail/domains/{firm.pk}"))
    assert "mail to abuse@firm.example, postmaster@firm.example goes to anna@firm.example" in said
    mail_world.alias(firm, "abuse")
    mail_world.alias(firm, "postmaster")
    assert "must be reachable" not in text(as_alice.get(f"/mail/domains/{firm.pk}"))
