"""The page of a server's backups: when the last good one is from, when it was proven, and what may be changed."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account, User
from audit.models import Event
from backups.models import Job, Repository
from dashboard import words
from domains.models import Domain
from servers.models import Agent, Server
from tests.dashboard import backups_world, mail_world, world
from tests.dashboard.test_pages import headline, text


def page_of(server: Server) -> str:
    return f"/servers/{server.pk}/backups"


def test_it_says_when_the_last_good_one_is_from_and_when_it_was_proven(
    as_alice: Client, server: Server
) -> None:
    page = as_alice.get(page_of(server))
    said = text(page)
    assert headline(page).startswith("The last good backup is from ")
    assert "6.3 GB of mail and settings, from 3 mailboxes with 39,218 messages" in said
    assert "The next one begins" in said
    assert "20 minutes of mail would be missing. Backups begin 1 hour apart." in said
    assert "12 minutes as measured" in said
    assert "3 mailboxes, 38,990 messages, all as they were." in said


def test_how_long_points_are_kept_is_said_from_the_same_constants(as_alice: Client, server: Server) -> None:
    said = text(as_alice.get(page_of(server)))
    assert "7 days, as your plan says, counted from when we saw the restore point in the storage" in said
    assert "7 days 2 hours, and 30 minutes more where the server did not tell us of it" in said
    assert "stay 1 day more in the trash, once the server has tidied up" in said
    assert "stays as long as the server exists" in said
    assert (
        "encrypted pieces that no point leads to may stay until the server tidies up, or is deleted" in said
    )


def test_where_it_lies_is_said_and_that_it_is_another_part_of_the_world(
    as_alice: Client, server: Server
) -> None:
    near = text(as_alice.get(page_of(server)))
    assert "Object Storage in Falkenstein, Germany" in near
    assert "lie in the European Union" not in near
    Server.objects.filter(pk=server.pk).update(place="sin")
    assert "its backups lie in the European Union" in text(as_alice.get(page_of(server)))


def test_a_server_without_a_point_says_so(as_alice: Client, account: Account) -> None:
    server = mail_world.serving(account)
    backups_world.repository(server, began_at=timezone.now())
    page = as_alice.get(page_of(server))
    assert headline(page) == "There is no backup yet"
    assert "Each backup will stand here as a restore point" in text(page)
    assert "Prove it now" not in text(page)


def test_without_a_storage_there_is_nothing_to_ask_for(
    as_alice: Client, server: Server, settings: Any
) -> None:
    settings.STORAGE_URL = ""
    page = as_alice.get(page_of(server))
    assert headline(page) == "No backups are made of this server"
    assert as_alice.post(page_of(server), {"do": "backup"}).status_code == 404


def test_before_the_server_is_there_and_after_it_went(as_alice: Client, account: Account) -> None:
    assert headline(as_alice.get(page_of(world.being_made(account)))) == "There are no backups yet"
    assert headline(as_alice.get(page_of(world.gone(account)))) == "The backups were deleted with the server"


@pytest.mark.parametrize(
    ("kind", "words_"),
    [
        ("none", "There is no backup yet, though there should be one by now."),
        ("old", "The newest backup is older than it should be."),
        ("shrinking", "The newest backup has less than half of what an earlier one of this week has."),
        ("growing", "The backups take more room than the plan"),
        ("removals", "The server wanted to remove more than half of its backups"),
        ("missing", "Something that was stored is not in the storage any more."),
        ("damaged", "Something in the storage is not as long as it was"),
        ("drill", "The last proof found something that did not come back as it was."),
        ("unproven", "The backups were not proven for more than forty days."),
    ],
)
def test_what_is_wrong_is_said_in_the_owners_words(
    as_alice: Client, server: Server, kind: str, words_: str
) -> None:
    backups_world.alarm(server, kind, "Its newest backup is 5 hours old.")
    said = text(as_alice.get(page_of(server)))
    assert words_ in said
    assert "5 hours old" not in said


def test_what_only_staff_can_do_something_about_is_not_said(as_alice: Client, server: Server) -> None:
    before = text(as_alice.get(page_of(server)))
    backups_world.alarm(server, "not_forgotten")
    assert text(as_alice.get(page_of(server))) == before


def test_a_backup_that_was_refused_says_why(as_alice: Client, server: Server) -> None:
    backups_world.reports(
        server, error="the storage takes no more: the backups are larger than the plan has room for"
    )
    said = text(as_alice.get(page_of(server)))
    assert "The latest backup could not be made. The storage takes no more" in said


def test_what_the_host_says_is_shown_as_text(as_alice: Client, server: Server) -> None:
    backups_world.reports(server, error='<script>alert("x")</script>\u202e')
    page = as_alice.get(page_of(server)).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert "\u202e" not in page


def test_progress_has_bytes_percent_and_time_left(as_alice: Client, server: Server) -> None:
    backups_world.runs(server)
    page = as_alice.get(f"{page_of(server)}/live")
    assert '<progress class="progress" max="100" value="30"' in page.content.decode()
    assert "1.2 GB of 4.0 GB, 30 %; about 3 minutes left" in page.content.decode()
    assert 'data-poll="2"' in page.content.decode()


@pytest.mark.parametrize(
    "running",
    [
        {"job": "", "phase": "<b>", "done": float("1e300"), "total": -1, "left": 1e300},
        {"job": [], "phase": None, "done": "many", "total": {}, "left": None},
        {},
        "at once",
    ],
)
def test_nonsense_about_progress_breaks_nothing(as_alice: Client, server: Server, running: Any) -> None:
    backups_world.reports(server, running=running, next="soon")
    assert as_alice.get(f"{page_of(server)}/live").status_code == 200


def test_a_server_that_is_silent_is_said_to_be(as_alice: Client, server: Server) -> None:
    backups_world.runs(server)
    Agent.objects.filter(server=server).update(reported_at=timezone.now() - timedelta(minutes=40))
    said = text(as_alice.get(page_of(server)))
    assert "The server was last heard" in said
    assert "1.2 GB of 4.0 GB" not in said


@pytest.mark.parametrize(
    ("do", "words_"), [("backup", "asked to back up now"), ("drill", "asked to prove the newest")]
)
def test_an_owner_asks_for_it_now(
    as_alice: Client, alice: User, server: Server, do: str, words_: str
) -> None:
    page = as_alice.post(page_of(server), {"do": do}, follow=True)
    as_alice.post(page_of(server), {"do": do})
    job = Job.objects.get(do=do, state="wanted")
    assert (job.repository_id, job.args, job.by) == (server.pk, {}, f"user:{alice.pk}")
    assert words_ in text(page)
    event = Event.objects.get(action="backup.job_wanted")
    assert words.sentence(event.action, event.facts) in (
        "Asked the server: back up now",
        "Asked the server: prove the backups",
    )


def test_more_than_a_server_can_be_asked_is_refused(
    as_alice: Client, server: Server, repository: Repository
) -> None:
    for number in range(10):
        backups_world.job(repository, "look", args={"point": f"{number:064}"})
    answer = as_alice.post(page_of(server), {"do": "backup"})
    assert answer.status_code == 422
    assert "The server was asked for 10 things already" in text(answer)


@pytest.mark.parametrize("do", ["backup", "drill", "limits"])
def test_a_member_sees_it_and_asks_for_nothing(client: Client, bob: User, server: Server, do: str) -> None:
    client.force_login(bob)
    page = client.get(page_of(server))
    assert headline(page).startswith("The last good backup is from ")
    assert 'name="do"' not in page.content.decode()
    assert "Look and restore" not in text(page)
    assert client.post(page_of(server), {"do": do}).status_code == 403


def test_proofs_are_listed_and_a_failed_one_names_the_mailbox(
    as_alice: Client, server: Server, repository: Repository
) -> None:
    differ = [
        {
            "mailbox": "x",
            "address": "anna@firm.example",
            "folder": ".Work",
            "why": "811 messages instead of 812",
        }
    ]
    backups_world.drill(repository, "failed", timedelta(hours=2), why="anna@firm.example, folder Work: 811 messages instead of 812", result={"differ": differ})  # fmt: skip
    backups_world.drill(
        repository, "failed", timedelta(hours=9), why="it was cut off each time", result={"seconds": None}
    )
    said = text(as_alice.get(page_of(server)))
    assert "anna@firm.example did not come back as it was." in said
    assert "anna@firm.example , folder Work : 811 messages instead of 812" in said.replace(
        "example,", "example ,"
    ).replace("Work:", "Work :")
    assert "It could not be carried out." in said
    assert "It was cut off three times, and given up." in said
    assert "3 mailboxes with 38,990 messages (6.3 GB) came back in 12 minutes, all as they were." in said


def test_history_says_who_asked_and_what_came_of_it(
    as_alice: Client, alice: User, bob: User, firm: Domain, repository: Repository
) -> None:
    point = repository.points.latest("stored_at")
    anna = firm.mailboxes.get(local="anna")
    backups_world.restore(point, anna.pk, by=f"user:{alice.pk}")
    backups_world.restore(point, anna.pk, "failed", by=f"user:{bob.pk}", args={"folder": ".Sent"}, why="the disk has not enough room for it")  # fmt: skip
    said = text(as_alice.get(page_of(Server.objects.get(pk=firm.home))))
    assert (
        "Restore anna@firm.example : 213 messages came back You, today" in said
        or "213 messages came back You, yesterday" in said
    )
    assert "Restore the folder Sent of anna@firm.example" in said
    assert "disk has not enough room for it. Bob, " in said


def test_one_server_needs_no_list(as_alice: Client, server: Server, account: Account) -> None:
    assert as_alice.get("/backups")["Location"] == page_of(server)
    other = mail_world.serving(account, "office", "office.example")
    backups_world.repository(other, began_at=timezone.now())
    said = text(as_alice.get("/backups"))
    assert "The last backup is from" in said
    assert "There is no backup yet." in said


def test_the_servers_page_and_the_overview_lead_there(as_alice: Client, server: Server) -> None:
    for address in ("/overview", f"/servers/{server.pk}"):
        page = as_alice.get(address).content.decode()
        assert f'href="{page_of(server)}"' in page
        assert "The last backup is from" in page
    assert 'href="/backups" aria-current="true"' in as_alice.get(page_of(server)).content.decode()


def test_what_changed_nothing_is_not_sent_again(as_alice: Client, server: Server) -> None:
    first = as_alice.get(f"{page_of(server)}/live")
    again = as_alice.get(f"{page_of(server)}/live", headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304


def test_every_event_of_backups_is_told_in_words() -> None:
    facts = json.loads(
        '{"do": "restore", "why": "", "points": 3, "now": "7 days, 0:00:00", "before": "1 day, 0:00:00"}'
    )
    for action in (one for one in words.ACTIONS if one.startswith("backup.")):
        assert "…" not in words.sentence(
            action, facts | {"says": "x", "objects": 1, "asked": 1, "rows": 1, "bytes": 1}
        )
    assert UUID(int=0)
