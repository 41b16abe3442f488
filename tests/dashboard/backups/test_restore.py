"""What an owner wants back: the form, what will happen, the job, what came of it, and its undoing."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account, User
from audit.models import Event
from backups.models import Job, Point
from domains.models import Domain, Mailbox
from tests import keys
from tests.dashboard import backups_world, mail_world
from tests.dashboard.backups.test_point import page_of
from tests.dashboard.test_pages import headline, text

BERLIN = ZoneInfo("Europe/Berlin")


def job_page(job: Job) -> str:
    return f"/servers/{job.repository_id}/backups/jobs/{job.pk}"


def asked(**changes: str) -> dict[str, str]:
    return {"do": "restore", "which": "all", **changes}


def test_before_anything_is_asked_it_says_what_will_happen(
    as_alice: Client, point: Point, anna: Mailbox
) -> None:
    backups_world.looked_into(point, anna.pk, anna.address)
    page = as_alice.post(page_of(point, anna.pk), asked(do="review", which="folder", folder=".Sent"))
    said = text(page)
    assert headline(page) == "Restore the folder Sent of anna@firm.example?"
    assert f"Restored {point.at:%Y-%m-%d %H%M}" in said
    assert "2,040 messages" in said
    assert "beside what is there, in a new folder. Nothing that is there is changed" in said
    assert "You can undo it afterwards" in said
    assert not Job.objects.filter(do="restore").exists()
    assert '<input type="hidden" name="folder" value=".Sent">' in page.content.decode()


@pytest.mark.parametrize(
    ("said", "more"),
    [
        ({"which": "all"}, {}),
        ({"which": "all", "folder": ".Sent"}, {}),
        ({"which": "folder", "folder": ""}, {"folder": ""}),
        ({"which": "folder", "folder": ".Work.2026"}, {"folder": ".Work.2026"}),
    ],
)
def test_a_mailbox_or_a_folder_is_asked_for(
    as_alice: Client, alice: User, point: Point, anna: Mailbox, said: dict[str, str], more: dict[str, Any]
) -> None:
    answer = as_alice.post(page_of(point, anna.pk), asked(**said))
    job = Job.objects.get(do="restore")
    assert answer["Location"] == job_page(job)
    assert job.args == {"point": point.snapshot, "mailbox": str(anna.pk), **more}
    assert job.by == f"user:{alice.pk}"


def test_chosen_messages_are_asked_for_in_the_readers_days(
    as_alice: Client, point: Point, anna: Mailbox
) -> None:
    words = {
        "sender": " Bo ",
        "subject": "Rent for November",
        "recipient": "",
        "since": "2026-11-02",
        "until": "2026-11-06",
    }
    review = as_alice.post(page_of(point, anna.pk), asked(do="review", which="chosen", folder="*", **words))
    assert (
        "From the day 2026-11-02 Until the day 2026-11-06 Sender has Bo Subject has Rent for November"
        in text(review)
    )
    as_alice.post(page_of(point, anna.pk), asked(which="chosen", folder="*", **words))
    since, before = (int(datetime(2026, 11, day, tzinfo=BERLIN).timestamp()) for day in (2, 7))
    chosen = {"since": since, "before": before, "from": "Bo", "subject": "Rent for November", "to": ""}
    job = Job.objects.get(do="restore")
    assert job.args == {"point": point.snapshot, "mailbox": str(anna.pk), "chosen": chosen}
    assert "Subject has Rent for November" in text(as_alice.get(job_page(job)))


def test_what_a_mail_is_about_is_not_in_the_log(as_alice: Client, point: Point, anna: Mailbox) -> None:
    as_alice.post(page_of(point, anna.pk), asked(which="chosen", folder="*", subject="The divorce"))
    event = Event.objects.get(action="backup.job_wanted")
    assert event.facts["args"]["chosen"] == ["subject"]
    assert "divorce" not in str(event.facts)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"which": "chosen", "folder": "*"}, "Say at least one thing of the messages"),
        ({"which": "chosen", "folder": "*", "since": "2026-11-06", "until": "2026-11-02"}, "The last day is before the first one."),
        ({"which": "chosen", "folder": "*", "since": "yesterday"}, "Type a day, such as 2026-11-02."),
        ({"which": "chosen", "folder": "*", "until": "9999-12-31"}, "Type a day between 1970 and 2100."),
        ({"which": "chosen", "folder": "*", "since": "0001-01-01"}, "Type a day between 1970 and 2100."),
        ({"which": "chosen", "folder": "../x", "sender": "bo"}, "Choose one of the folders."),
        ({"which": "chosen", "folder": "*", "sender": "x" * 201}, "at most 200 characters"),
        ({"which": "folder", "folder": "Sent"}, "Choose one of the folders."),
        ({"which": "folder", "folder": ".a/../b"}, "Choose one of the folders."),
        ({"which": "everything"}, "everything"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("do", ["review", "restore"])
def test_what_makes_no_sense_is_not_asked(
    as_alice: Client, point: Point, anna: Mailbox, said: dict[str, str], why: str, do: str
) -> None:
    answer = as_alice.post(page_of(point, anna.pk), asked(do=do, **said))
    assert answer.status_code == 422
    assert why in text(answer)
    assert not Job.objects.filter(do="restore").exists()


def test_the_first_day_of_all_time_is_one_that_the_host_takes(
    as_alice: Client, point: Point, anna: Mailbox
) -> None:
    as_alice.post(page_of(point, anna.pk), asked(which="chosen", folder="*", since="1970-01-01"))
    assert Job.objects.get(do="restore").args["chosen"]["since"] == 0


def test_a_mailbox_that_would_be_too_full_is_warned_of(as_alice: Client, point: Point, anna: Mailbox) -> None:
    backups_world.looked_into(point, anna.pk, anna.address, {"": 40_000})
    page = as_alice.post(page_of(point, anna.pk), asked(do="review"))
    assert (
        "anna@firm.example would be too full: 1.4 GB are used, 6.4 GB come back, and it may hold 5.0 GB."
        in text(page)
    )


def test_a_removed_mailbox_is_brought_back_first(as_alice: Client, point: Point, anna: Mailbox) -> None:
    Mailbox.objects.filter(pk=anna.pk).update(removed_at=timezone.now())
    page = as_alice.get(page_of(point, anna.pk))
    assert "Bring the mailbox back first" in text(page)
    assert f'href="/mail/mailboxes/{anna.pk}"' in page.content.decode()
    assert as_alice.post(page_of(point, anna.pk), asked()).status_code == 422
    as_alice.post(f"/mail/mailboxes/{anna.pk}", {"do": "restore"})
    assert as_alice.post(page_of(point, anna.pk), asked()).status_code == 302


def test_a_mailbox_that_is_gone_comes_back_into_one_that_is_made_anew(
    as_alice: Client, firm: Domain, point: Point
) -> None:
    old = UUID("6f5c3a52-7d0e-4c1b-9a53-0d4f6c7b8a90")
    backups_world.looked_into(point, old, "dora@firm.example")
    said = text(as_alice.get(page_of(point, old)))
    assert "Make dora@firm.example again" in said
    assert "Choose the mailbox that the mail shall come into." in text(
        as_alice.post(page_of(point, old), asked())
    )
    new = mail_world.mailbox(firm, "dora")
    page = as_alice.get(page_of(point, old))
    assert "There is another mailbox of this address now." in text(page)
    first = page.content.decode().partition('name="into"')[2].partition("<option")[2]
    assert first.startswith(f' value="{new.pk}"')
    review = as_alice.post(page_of(point, old), asked(do="review", into=str(new.pk)))
    assert "Whoever reads dora@firm.example can read this mail." in text(review)
    as_alice.post(page_of(point, old), asked(into=str(new.pk)))
    assert Job.objects.get(do="restore").args == {
        "point": point.snapshot,
        "mailbox": str(old),
        "into": str(new.pk),
    }


def test_before_somebody_else_can_read_it_an_owner_shows_again_who_she_is(
    as_alice: Client, firm: Domain, point: Point, anna: Mailbox
) -> None:
    old, bo = UUID("6f5c3a52-7d0e-4c1b-9a53-0d4f6c7b8a90"), firm.mailboxes.get(local="bo")
    backups_world.looked_into(point, old, "dora@firm.example")
    keys.age(as_alice)
    for answer in (
        as_alice.get(page_of(point, old)),
        as_alice.post(page_of(point, old), asked(do="review", into=str(bo.pk))),
        as_alice.post(page_of(point, old), asked(into=str(bo.pk))),
    ):
        assert answer["Location"] == "/prove?" + urlencode({"next": page_of(point, old)})
    assert not Job.objects.filter(do="restore").exists()
    assert as_alice.post(page_of(point, anna.pk), asked()).status_code == 302
    assert Job.objects.get(do="restore").args["mailbox"] == str(anna.pk)


def test_mail_comes_into_no_mailbox_of_another_server_or_account(
    as_alice: Client, account: Account, charlie: User, point: Point
) -> None:
    old = UUID("6f5c3a52-7d0e-4c1b-9a53-0d4f6c7b8a90")
    elsewhere = mail_world.domain(mail_world.serving(account, "office", "office.example"), "office.example")
    theirs = mail_world.domain(
        mail_world.serving(charlie.accounts.get(), "theirs", "theirs.example"), "theirs.example"
    )
    for domain in (elsewhere, theirs):
        box = mail_world.mailbox(domain, "box")
        assert as_alice.post(page_of(point, old), asked(into=str(box.pk))).status_code == 422
    assert not Job.objects.filter(do="restore").exists()


def test_the_mail_of_one_who_is_there_goes_to_nobody_else(
    as_alice: Client, firm: Domain, point: Point, anna: Mailbox
) -> None:
    bo = firm.mailboxes.get(local="bo")
    as_alice.post(page_of(point, anna.pk), asked(into=str(bo.pk)))
    assert "into" not in Job.objects.get(do="restore").args
