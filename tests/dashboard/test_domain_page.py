"""A domain's page: records to enter, who gets what, and an end that says what is lost."""

import re

from django.test import Client

from accounts.models import Account
from domains.actions import hand_over_records
from domains.models import Alias, Domain, Mailbox
from tests.dashboard import mail_world
from tests.dashboard.test_pages import headline, text


def test_a_domain_is_added_in_three_moves(as_alice: Client, account: Account) -> None:
    server = mail_world.serving(account)
    answer = as_alice.post("/mail/domains/new", {"name": " Firm.Example "})
    one = Domain.objects.get()
    assert (one.name, one.home) == ("firm.example", server.pk)
    assert answer["Location"] == f"/mail/domains/{one.pk}"
    assert "firm.example was added. Next, enter its records" in text(as_alice.get(answer["Location"]))


def test_a_name_that_is_none_stays_in_its_field_with_the_reason(as_alice: Client, account: Account) -> None:
    mail_world.serving(account)
    answer = as_alice.post("/mail/domains/new", {"name": "http://firm.example/"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="http://firm.example/"' in page
    assert re.search(r'<input[^>]*aria-invalid="true"[^>]*aria-describedby="[^"]*name_error', page)
    assert 'href="#name"' in page


def test_a_domain_goes_to_the_server_that_was_chosen(as_alice: Client, account: Account) -> None:
    mail_world.serving(account, "apost")
    second = mail_world.serving(account, "bpost", "other.example")
    assert 'type="radio"' in as_alice.get("/mail/domains/new").content.decode()
    as_alice.post("/mail/domains/new", {"name": "firm.example", "server": str(second.pk)})
    assert Domain.objects.get().home == second.pk


def test_a_server_of_somebody_else_is_not_taken(as_alice: Client, account: Account, charlie: object) -> None:
    mine = mail_world.serving(account)
    theirs = mail_world.serving(charlie.accounts.get(), "other")  # type: ignore[attr-defined]
    as_alice.post("/mail/domains/new", {"name": "firm.example", "server": str(theirs.pk)})
    assert Domain.objects.get().home == mine.pk


def test_each_record_stands_there_to_be_copied(as_alice: Client, account: Account) -> None:
    page = as_alice.get(f"/mail/domains/{mail_world.firm(account).pk}").content.decode()
    assert 'data-copy="10 post.mailat.test."' in page
    assert f'data-copy="{mail_world.DKIM}"' in page
    assert "leads to the server" in page


def test_the_missing_key_is_said_until_the_server_has_made_it(as_alice: Client, account: Account) -> None:
    one = mail_world.firm(account, dkim={})
    assert "missing here until the server has made it" in text(as_alice.get(f"/mail/domains/{one.pk}"))


def test_the_file_has_the_records_with_whole_names(as_alice: Client, account: Account) -> None:
    answer = as_alice.get(f"/mail/domains/{mail_world.firm(account).pk}/zone")
    assert "firm.example. 3600 IN MX 10 post.mailat.test." in answer.content.decode().splitlines()
    assert 'filename="firm.example.zone"' in answer["Content-Disposition"]


def test_what_amazon_wants_to_see_stands_with_what_makes_mail_believed(
    as_alice: Client, account: Account
) -> None:
    one = mail_world.firm(account)
    wanted = {"purpose": "ses-dkim", "type": "CNAME", "name": "abc._domainkey.firm.example"}
    value = "abc.dkim.amazonses.com."
    hand_over_records(domain=one, source="ses", records=[{**wanted, "value": value}])
    page = as_alice.get(f"/mail/domains/{one.pk}").content.decode()
    assert f'data-copy="{value}"' in page
    assert page.index("So that your mail is believed") < page.index(value) < page.index("Names of your own")
    zone = as_alice.get(f"/mail/domains/{one.pk}/zone").content.decode()
    assert f"{wanted['name']}. 3600 IN CNAME {value}" in zone.splitlines()


def test_everything_else_goes_to_a_mailbox_or_is_refused(as_alice: Client, account: Account) -> None:
    one = mail_world.firm(account)
    bo = Mailbox.objects.get(domain=one, local="bo")
    page = f"/mail/domains/{one.pk}"
    as_alice.post(page, {"do": "catch-all", "mailbox": str(bo.pk)})
    one.refresh_from_db()
    assert one.catch_all == bo
    assert "do not exist goes to bo@firm.example" in text(as_alice.get(page))
    as_alice.post(page, {"do": "catch-all", "mailbox": ""})
    one.refresh_from_db()
    assert one.catch_all is None


def test_a_mailbox_of_another_account_catches_nothing(
    as_alice: Client, account: Account, charlie: object
) -> None:
    theirs = mail_world.domain(mail_world.serving(charlie.accounts.get(), "other"), "other.example")  # type: ignore[attr-defined]
    one = mail_world.firm(account)
    answer = as_alice.post(
        f"/mail/domains/{one.pk}", {"do": "catch-all", "mailbox": str(mail_world.mailbox(theirs).pk)}
    )
    assert answer.status_code == 422
    assert "Choose one of the mailboxes." in text(answer)


def test_the_promise_of_encryption_is_chosen(as_alice: Client, account: Account) -> None:
    one = mail_world.firm(account)
    as_alice.post(f"/mail/domains/{one.pk}", {"do": "mta-sts", "mode": "enforce"})
    one.refresh_from_db()
    assert one.mta_sts == "enforce"


def test_an_alias_is_made_changed_and_removed(as_alice: Client, account: Account) -> None:
    page = f"/mail/domains/{mail_world.firm(account).pk}"
    as_alice.post(page, {"do": "alias", "local": "Sales", "targets": "anna@firm.example, bo@firm.example"})
    sales = Alias.objects.get(local="sales")
    assert sales.targets == ["anna@firm.example", "bo@firm.example"]
    as_alice.post(f"/mail/aliases/{sales.pk}", {"do": "change", "targets": "bo@firm.example"})
    sales.refresh_from_db()
    assert sales.targets == ["bo@firm.example"]
    answer = as_alice.post(f"/mail/aliases/{sales.pk}", {"do": "remove"}, follow=True)
    assert "To have it back, add it again." in text(answer)
    assert not Alias.objects.filter(local="sales").exists()


def test_an_alias_that_cannot_be_loses_nothing_of_what_was_typed(as_alice: Client, account: Account) -> None:
    page = f"/mail/domains/{mail_world.firm(account).pk}"
    answer = as_alice.post(page, {"do": "alias", "local": "anna", "targets": "bo@firm.example"})
    assert answer.status_code == 422
    assert "There is a mailbox anna@firm.example already." in text(answer)
    assert re.search(r"<textarea[^>]*>\s*bo@firm.example</textarea>", answer.content.decode())
    assert '<details id="new-alias" open>' in answer.content.decode()


def test_what_no_form_asks_is_not_there(as_alice: Client, account: Account) -> None:
    assert as_alice.post(f"/mail/domains/{mail_world.firm(account).pk}", {"do": "explode"}).status_code == 404


def test_who_removes_a_domain_is_told_what_is_lost_and_must_say_so(
    as_alice: Client, account: Account
) -> None:
    server = mail_world.serving(account)
    one = mail_world.domain(server)
    mail_world.mailbox(one)
    page = f"/mail/domains/{one.pk}/remove"
    assert "You lose 1 mailbox." in text(as_alice.get(page))
    answer = as_alice.post(page)
    assert answer.status_code == 422
    assert Domain.objects.filter(pk=one.pk).exists()
    assert headline(as_alice.post(page, {"understood": "yes"}, follow=True)) == "Add your first domain"
    assert not Domain.objects.exists()


def test_a_domain_that_mail_leaves_by_cannot_go_and_it_is_said_why(
    as_alice: Client, account: Account
) -> None:
    one = mail_world.firm(account)
    answer = as_alice.post(f"/mail/domains/{one.pk}/remove", {"understood": "yes"})
    assert "end the sending, first" in text(answer)
