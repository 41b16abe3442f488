"""The page of exports: what it offers, to whom, until when, and where it leads."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account, User
from audit.models import Event
from backups import exports
from backups.models import Export, Job, Repository
from domains.models import Domain
from servers.models import Agent, Destruction, Server
from tests.dashboard import backups_world, exports_world, mail_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def firm(account: Account, settings: Any) -> Domain:
    backups_world.is_set_up(settings)
    domain = mail_world.firm(account)
    backups_world.repository(Server.objects.get(pk=domain.home))
    return domain


@pytest.fixture
def repository(firm: Domain) -> Repository:
    return Repository.objects.get(pk=firm.home)


def page(client: Client, home: UUID) -> str:
    response = client.get(f"/servers/{home}/exports")
    assert response.status_code == 200
    return response.content.decode()


def ask(client: Client, home: UUID, **fields: str) -> Any:
    return client.post(f"/servers/{home}/exports", {"do": "ask", **fields})


def test_one_mailbox_is_asked_for_and_the_page_says_how_far_it_is(as_alice: Client, firm: Domain) -> None:
    anna = firm.mailboxes.get(local="anna")
    assert ask(as_alice, firm.home, mailbox=str(anna.pk), format="eml").status_code == 302
    job = Job.objects.get(do="export")
    assert job.args == {"format": "eml", "mailbox": str(anna.pk)}
    assert "Being made: anna@firm.example, as EML files" in page(as_alice, firm.home)
    running = {"job": str(job.pk), "phase": "export", "done": 250_000, "total": 1_000_000, "left": 90}
    agent = Agent.objects.get(server_id=firm.home)
    Agent.objects.update(report={**agent.report, "backup": {"running": running}}, reported_at=timezone.now())
    assert "250 kB of 1.0 MB, 25 %" in page(as_alice, firm.home).replace("\xa0", " ")


def test_all_mailboxes_are_asked_for_once_however_often_the_button_is_pressed(
    as_alice: Client, firm: Domain
) -> None:
    for _ in range(3):
        assert ask(as_alice, firm.home, mailbox="all", format="mbox").status_code == 302
    assert Job.objects.get(do="export").args == {"format": "mbox"}
    assert "all mailboxes" in page(as_alice, firm.home)
    assert Event.objects.filter(action="backup.job_wanted").count() == 1


@pytest.mark.parametrize("fields", [
    {"mailbox": "all", "format": "pst"}, {"mailbox": "all"}, {"format": "mbox"},
    {"mailbox": "9f2c1d0e-0000-4000-8000-000000000000", "format": "mbox"}, {"mailbox": "../etc", "format": "mbox"},
])  # fmt: skip
def test_what_cannot_be_asked_is_refused_in_words(
    as_alice: Client, firm: Domain, fields: dict[str, str]
) -> None:
    response = ask(as_alice, firm.home, **fields)
    assert response.status_code == 422
    assert "This needs another look" in response.content.decode()
    assert not Job.objects.filter(do="export").exists()


def test_another_accounts_mailbox_is_none_of_this_servers(
    as_alice: Client, firm: Domain, account: Account
) -> None:
    other = mail_world.mailbox(
        mail_world.domain(mail_world.serving(account, "other"), "other.example"), "eva"
    )
    assert ask(as_alice, firm.home, mailbox=str(other.pk), format="mbox").status_code == 422


def test_a_member_sees_what_is_there_and_can_neither_ask_fetch_nor_delete(
    client: Client, bob: User, firm: Domain, repository: Repository
) -> None:
    client.force_login(bob)
    export = exports_world.ready(repository)
    text = page(client, firm.home)
    assert "18204 messages" in text.replace(",", "")
    assert "Make the export" not in text
    assert "Delete now" not in text
    assert "/file" not in text
    assert ask(client, firm.home, mailbox="all", format="mbox").status_code == 403
    assert client.post(f"/servers/{firm.home}/exports", {"do": "delete", "one": export.pk}).status_code == 403
    assert client.get(f"/servers/{firm.home}/exports/{export.pk}/file").status_code == 403


def test_a_file_is_shown_with_all_that_one_needs_to_know(
    as_alice: Client, firm: Domain, repository: Repository
) -> None:
    export = exports_world.ready(repository, skipped=2, downloads=1, downloaded_at=timezone.now())
    text = page(as_alice, firm.home)
    for words in (
        "2.3 GB",
        export.sha256,
        "2 messages went away",
        "Fetched once",
        "certutil",
        "Falkenstein, Germany",
        "not encrypted there",
    ):
        assert words in text.replace("\xa0", " ")


def test_with_its_server_a_file_leaves_sooner(as_alice: Client, firm: Domain, repository: Repository) -> None:
    exports_world.ready(repository)
    due = timezone.now() + timedelta(days=2)
    Destruction.objects.create(server_id=firm.home, by="gumroad", reason="cancelled", due_at=due)
    shown = page(as_alice, firm.home)
    assert f'until <time datetime="{due.isoformat(timespec="seconds")}"' in shown


def test_download_writes_down_who_and_leads_to_the_gate_with_a_word_for_this_file(
    as_alice: Client, alice: User, firm: Domain, repository: Repository
) -> None:
    export = exports_world.ready(repository)
    response = as_alice.get(f"/servers/{firm.home}/exports/{export.pk}/file")
    assert response.status_code == 302
    assert response["Location"].startswith("/storage/exports/")
    assert "no-store" in response["Cache-Control"]
    found, is_good = exports.opened(response["Location"].rpartition("/")[2])
    assert (found, is_good) == (export, True)
    event = Event.objects.get(action="export.downloaded")
    assert (event.by, event.account_id) == (f"user:{alice.pk}", firm.account_id)
    assert as_alice.head(f"/servers/{firm.home}/exports/{export.pk}/file").status_code == 200
    assert Event.objects.filter(action="export.downloaded").count() == 1


@pytest.mark.parametrize("state", ["gone", "failed", "uploading", "over", "anothers"])
def test_what_is_not_there_is_not_led_to(
    as_alice: Client, firm: Domain, repository: Repository, account: Account, state: str
) -> None:
    export = exports_world.ready(repository)
    if state == "over":
        Export.objects.update(expires_at=timezone.now())
    elif state == "anothers":
        other = backups_world.repository(mail_world.serving(account, "other"))
        export = exports_world.ready(other)
    else:
        Export.objects.update(state=state)
    assert as_alice.get(f"/servers/{firm.home}/exports/{export.pk}/file").status_code == 404
    assert not Event.objects.filter(action="export.downloaded").exists()


def test_delete_now_is_at_once_and_twice_is_told(
    as_alice: Client, firm: Domain, repository: Repository
) -> None:
    export = exports_world.ready(repository)
    url = f"/servers/{firm.home}/exports"
    assert as_alice.post(url, {"do": "delete", "one": export.pk}).status_code == 302
    assert export.sha256 not in page(as_alice, firm.home)
    again = as_alice.post(url, {"do": "delete", "one": export.pk})
    assert "This file is gone already" in again.content.decode()


def test_another_servers_file_is_not_deleted_from_here(
    as_alice: Client, firm: Domain, account: Account
) -> None:
    other = exports_world.ready(backups_world.repository(mail_world.serving(account, "other")))
    assert (
        as_alice.post(f"/servers/{firm.home}/exports", {"do": "delete", "one": other.pk}).status_code == 422
    )
    assert Export.objects.ready().count() == 1


def test_what_failed_is_told_with_what_to_do(as_alice: Client, firm: Domain, repository: Repository) -> None:
    exports_world.failed(repository, "the storage takes no more: delete exports that you have fetched")
    text = page(as_alice, firm.home)
    assert "There is no more room for exports of this server." in text


def test_of_a_server_that_is_being_deleted_nothing_is_asked(as_alice: Client, firm: Domain) -> None:
    now = timezone.now()
    Destruction.objects.create(server_id=firm.home, by="gumroad", reason="ended", due_at=now, begun_at=now)
    assert "Make the export" not in page(as_alice, firm.home)


def test_too_many_requests_are_refused_in_words(
    as_alice: Client, firm: Domain, repository: Repository
) -> None:
    for _ in range(10):
        backups_world.job(repository, "look")
    response = ask(as_alice, firm.home, mailbox="all", format="mbox")
    assert "Wait until it has done some" in response.content.decode()


def test_without_backups_there_is_nothing_to_ask(as_alice: Client, account: Account) -> None:
    server = mail_world.serving(account)
    assert "Make the export" not in page(as_alice, server.pk)


def test_back_from_the_gate_the_page_says_why(as_alice: Client, firm: Domain) -> None:
    for query, words in (("again", "open for a minute only"), ("away", "could not be reached just now")):
        assert words in as_alice.get(f"/servers/{firm.home}/exports?{query}").content.decode()


def test_the_part_that_asks_again_is_304_while_nothing_changed(
    as_alice: Client, firm: Domain, repository: Repository
) -> None:
    url = f"/servers/{firm.home}/exports/live"
    tag = as_alice.get(url)["ETag"]
    assert as_alice.get(url, headers={"If-None-Match": tag}).status_code == 304
    exports_world.ready(repository)
    assert as_alice.get(url, headers={"If-None-Match": tag}).status_code == 200
