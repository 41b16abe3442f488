"""A mailbox from its making to its end, as the owner of an account does it."""

import re
from datetime import UTC, datetime

import pytest
from django.core import mail as outbox
from django.test import Client
from django.utils import timezone

from accounts.models import Account, Letter
from domains.models import AppPassword, Domain, Invitation, Mailbox
from tests.dashboard import mail_world
from tests.dashboard.test_pages import text
from tests.dashboard.world import told

GB = 10**9


@pytest.fixture
def firm(account: Account) -> Domain:
    return mail_world.firm(account)


@pytest.fixture
def anna(firm: Domain) -> Mailbox:
    return Mailbox.objects.get(domain=firm, local="anna")


@pytest.fixture
def page(anna: Mailbox) -> str:
    return f"/mail/mailboxes/{anna.pk}"


def new(firm: Domain, **typed: str) -> dict[str, str]:
    return {"domain": str(firm.pk), "local": "dora", "name": "Dora", "quota": "2.5", "invite_to": "", **typed}


def test_a_mailbox_is_made_and_its_owner_invited(as_alice: Client, firm: Domain) -> None:
    answer = as_alice.post("/mail/mailboxes/new", new(firm, invite_to="Dora@elsewhere.test"), follow=True)
    dora = Mailbox.objects.get(local="dora")
    assert (dora.quota, dora.name, dora.password) == (int(2.5 * GB), "Dora", "")
    assert Invitation.objects.get(mailbox=dora).to == "dora@elsewhere.test"
    assert Letter.objects.filter(kind="mailbox_invitation", to="dora@elsewhere.test").count() == 1
    assert "The invitation goes to" in text(answer)
    assert outbox.outbox == []  # letters are sent by a worker


def test_nothing_that_was_typed_is_lost_after_an_error(as_alice: Client, firm: Domain) -> None:
    answer = as_alice.post(
        "/mail/mailboxes/new", new(firm, local="anna", quota="x", invite_to="d@elsewhere.test")
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    for value in ("anna", "Dora", "x", "d@elsewhere.test"):
        assert f'value="{value}"' in page
    assert "Type a number, such as 5 or 0.5." in text(answer)


@pytest.mark.parametrize(
    ("typed", "field", "why"),
    [
        ({"local": "a b"}, "local", "Before the @ stand letters"),
        ({"local": "anna"}, "local", "There is a mailbox anna@firm.example already."),
        ({"quota": "900"}, "quota", "That is more than is left"),
        ({"invite_to": "nobody"}, "invite_to", "is no mail address"),
    ],
)
def test_each_refusal_stands_beside_its_field(
    as_alice: Client, firm: Domain, typed: dict[str, str], field: str, why: str
) -> None:
    answer = as_alice.post("/mail/mailboxes/new", new(firm, **typed))
    beside = re.search(rf'<div id="{field}_error">(.*?)</div>', answer.content.decode(), re.S)
    assert beside
    assert why in beside[0]
    assert not Mailbox.objects.filter(local="dora").exists()


def test_the_plan_says_how_many_there_may_be(as_alice: Client, firm: Domain) -> None:
    for number in range(7):
        mail_world.mailbox(firm, f"n{number}", quota=GB)
    answer = as_alice.post("/mail/mailboxes/new", new(firm, quota="0.1"))
    assert "Your plan has room for 10 mailboxes, and all are in use." in text(answer)


def test_settings_are_saved_and_told_after_a_reload(as_alice: Client, page: str, anna: Mailbox) -> None:
    typed = {"do": "settings", "name": "Anna B.", "quota": "0.75", "per_hour": "20", "per_day": "90"}
    answer = as_alice.post(page, typed)
    assert answer.status_code == 302
    assert "The settings were saved." in text(as_alice.get(page))
    anna.refresh_from_db()
    assert (anna.name, anna.quota, anna.per_hour, anna.per_day) == ("Anna B.", 750_000_000, 20, 90)


def test_an_error_in_one_form_leaves_the_others_as_they_were(as_alice: Client, page: str) -> None:
    typed = {"do": "settings", "name": "Anna", "quota": "5", "per_hour": "50", "per_day": "10"}
    answer = as_alice.post(page, typed)
    assert answer.status_code == 422
    assert 'href="#settings-per_day"' in answer.content.decode()
    assert answer.content.decode().count('role="alert"') == 2  # and the frame's, which is hidden


def test_forwarding_is_set_and_ended(as_alice: Client, page: str, anna: Mailbox) -> None:
    as_alice.post(
        page, {"do": "forward", "targets": "a@elsewhere.test\r\nbo@firm.example", "keep_copy": "on"}
    )
    anna.refresh_from_db()
    assert (anna.forward, anna.keep_copy) == (["a@elsewhere.test", "bo@firm.example"], True)
    as_alice.post(page, {"do": "forward", "targets": ""})
    anna.refresh_from_db()
    assert anna.forward == []


def test_a_circle_is_refused_and_said(as_alice: Client, page: str, firm: Domain) -> None:
    Mailbox.objects.filter(domain=firm, local="bo").update(forward=["anna@firm.example"])
    answer = as_alice.post(page, {"do": "forward", "targets": "bo@firm.example"})
    assert answer.status_code == 422
    assert "Mail would run in a circle" in text(answer)


def test_an_answer_while_away(as_alice: Client, page: str, anna: Mailbox) -> None:
    typed = {
        "do": "vacation",
        "subject": "Away",
        "text": "Back soon.",
        "begins": "2026-12-24",
        "ends": "2026-12-01",
    }
    answer = as_alice.post(page, typed)
    assert "The last day is before the first." in text(answer)
    assert "Back soon.</textarea>" in answer.content.decode()
    as_alice.post(page, {**typed, "ends": "2027-01-02"})
    anna.refresh_from_db()
    assert (anna.vacation_text, str(anna.vacation_ends)) == ("Back soon.", "2027-01-02")


def once_of(page: object) -> str:
    return re.search(r'name="once" value="(\w+)"', page.content.decode())[1]  # type: ignore[attr-defined, index]


def test_an_app_password_is_shown_once_and_made_once(as_alice: Client, page: str, anna: Mailbox) -> None:
    typed = {"label": "Telephone", "once": once_of(as_alice.get(page))}
    answer = as_alice.post(f"{page}/app-passwords", typed)
    secret = re.search(r'data-copy="([^"]+)"', answer.content.decode())[1]  # type: ignore[index]
    assert "no-store" in answer["Cache-Control"]
    assert len(secret) >= 16
    assert secret not in AppPassword.objects.get().hash
    again = as_alice.post(f"{page}/app-passwords", typed, follow=True)
    assert "was shown already" in text(again)
    assert AppPassword.objects.count() == 1
    assert secret not in as_alice.get(page).content.decode()


def test_an_app_password_needs_a_name(as_alice: Client, page: str) -> None:
    answer = as_alice.post(f"{page}/app-passwords", {"label": "", "once": "1"})
    assert answer.status_code == 422
    assert "Say which device it is for" in text(answer)


def test_an_app_password_is_revoked_by_its_name(as_alice: Client, page: str, anna: Mailbox) -> None:
    row = mail_world.app_password(anna)
    assert "Revoke “Telephone”" in text(as_alice.get(page))
    answer = as_alice.post(page, {"do": "revoke", "one": str(row.pk)}, follow=True)
    assert "The app password “Telephone” was revoked." in text(answer)
    assert "was revoked already" in text(as_alice.post(page, {"do": "revoke", "one": str(row.pk)}))


def test_an_app_password_of_another_mailbox_is_not_touched(as_alice: Client, page: str, firm: Domain) -> None:
    row = mail_world.app_password(Mailbox.objects.get(domain=firm, local="bo"))
    as_alice.post(page, {"do": "revoke", "one": str(row.pk)})
    assert AppPassword.objects.filter(pk=row.pk).exists()


def test_suspended_and_used_again(as_alice: Client, page: str, anna: Mailbox) -> None:
    answer = as_alice.post(page, {"do": "suspend", "why": "On leave"}, follow=True)
    assert "“On leave” It receives, and nobody can sign in to it." in text(answer)
    as_alice.post(page, {"do": "resume"})
    anna.refresh_from_db()
    assert anna.suspended_at is None


def test_a_stopped_mailbox_says_why_since_when_and_what_to_do(as_alice: Client, account: Account) -> None:
    stop = {
        "mailbox": "anna@firm.example",
        "at": timezone.now().timestamp() - 60,
        "why": "512 recipients",
        "releases": 0,
    }
    anna = Mailbox.objects.get(domain=mail_world.firm(account, stopped=[stop]), local="anna")
    page = f"/mail/mailboxes/{anna.pk}"
    said = text(as_alice.get(page))
    assert f"Since {told(datetime.fromtimestamp(stop['at'], UTC))}" in said
    assert "“512 recipients”" in said
    as_alice.post(page, {"do": "release"})
    assert "It cannot send" not in text(as_alice.get(page))


def test_removed_and_brought_back(as_alice: Client, page: str, anna: Mailbox) -> None:
    said = text(as_alice.get(f"{page}/remove"))
    assert "Its 8211 mails (1.4 GB) cannot be read meanwhile." in said
    assert "For 7 days you can bring it back as it was" in said
    answer = as_alice.post(f"{page}/remove", follow=True)
    assert re.search(r"It was removed (today|yesterday) at", text(answer))
    assert "Bring back anna@firm.example" in text(answer)
    as_alice.post(page, {"do": "restore"})
    anna.refresh_from_db()
    assert anna.removed_at is None


def test_the_program_is_told_the_servers_own_name_until_the_domains_has_a_certificate(
    as_alice: Client, account: Account
) -> None:
    anna = Mailbox.objects.get(domain=mail_world.firm(account, certificates=[]), local="anna")
    said = text(as_alice.get(f"/mail/mailboxes/{anna.pk}"))
    assert "post.mailat.test , port 993" in said
    assert "profile" not in said
