"""A look into a restore point: what is asked of the host, and what is made of its answer, whatever that is."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account, User
from audit.models import Event
from backups.models import Job, Point
from dashboard.backups import folders
from domains.models import Domain, Mailbox
from servers.models import Server
from tests.dashboard import backups_world, mail_world
from tests.dashboard.test_pages import headline, text


def page_of(point: Point, box: UUID | None = None) -> str:
    address = f"/servers/{point.repository_id}/backups/points/{point.pk}"
    return f"{address}/mailboxes/{box}" if box else address


def test_nothing_is_asked_until_somebody_wants_to_look(as_alice: Client, alice: User, point: Point) -> None:
    page = as_alice.get(page_of(point))
    assert headline(page).startswith("As it was ")
    assert "What is in it?" in text(page)
    assert not Job.objects.filter(do="look").exists()
    asked = as_alice.post(page_of(point), {"do": "look"}, follow=True)
    job = Job.objects.get(do="look")
    assert (job.args, job.by) == ({"point": point.snapshot}, f"user:{alice.pk}")
    assert "The server is looking" in text(asked)
    assert 'data-poll="2"' in asked.content.decode()


def test_while_it_is_waited_for_the_page_is_not_sent_again(as_alice: Client, point: Point) -> None:
    job = backups_world.look(point, state="wanted")
    live = f"{page_of(point)}/live?was=0-{job.pk}"
    first = as_alice.get(live)
    assert as_alice.get(live, headers={"If-None-Match": first["ETag"]}).status_code == 304
    Job.objects.filter(pk=job.pk).update(state="done", result={"mailboxes": []})
    assert as_alice.get(live)["HX-Refresh"] == "true"
    assert "There is no mailbox in it." in text(as_alice.get(page_of(point)))


def test_mailboxes_have_their_counts_and_what_became_of_them(
    as_alice: Client, firm: Domain, point: Point, anna: Mailbox
) -> None:
    bo = firm.mailboxes.get(local="bo")
    Mailbox.objects.filter(pk=bo.pk).update(removed_at=timezone.now())
    dora, gone = mail_world.erasure(firm, "dora"), uuid4()
    rows = [
        backups_world.row(anna, messages=1),
        backups_world.row(bo),
        backups_world.row(dora.pk, "dora@firm.example"),
    ]
    backups_world.look(point, *rows, backups_world.row(gone, "fritz@firm.example"))
    said = text(as_alice.get(page_of(point)))
    assert "anna@firm.example 1 message, 170 kB" in said
    assert "bo@firm.example removed 8,211 messages, 1.4 GB; the newest from" in said
    assert "dora@firm.example removed" in said
    assert "fritz@firm.example not on the server any more" in said


def test_an_address_that_we_know_is_ours_whatever_the_host_calls_it(
    as_alice: Client, point: Point, anna: Mailbox
) -> None:
    backups_world.look(point, backups_world.row(anna, "boss@elsewhere.example"))
    said = text(as_alice.get(page_of(point)))
    assert "anna@firm.example" in said
    assert "boss@elsewhere.example" not in said


def test_of_another_accounts_mailbox_nothing_is_told(as_alice: Client, charlie: User, point: Point) -> None:
    theirs = mail_world.domain(
        mail_world.serving(charlie.accounts.get(), "theirs", "theirs.example"), "theirs.example"
    )
    box = mail_world.mailbox(theirs, "secret")
    backups_world.look(point, backups_world.row(box.pk, "made-up@firm.example"))
    said = text(as_alice.get(page_of(point)))
    assert "secret@theirs.example" not in said
    assert "made-up@firm.example not on the server any more" in said
    page = as_alice.get(page_of(point, box.pk))
    assert "secret@theirs.example" not in page.content.decode()


NONSENSE: list[Any] = [
    {"mailboxes": "many"},
    {"mailboxes": [None, 3, [], {"id": 5}, {"id": "x"}, {"id": "../../etc"}], "more": True},
    {"mailboxes": [{"id": "A" * 8 + "-0000-4000-8000-000000000000"}]},
    {
        "mailboxes": [
            {"id": str(UUID(int=7)), "address": ["x"], "messages": -1, "bytes": "1", "newest": 1e300}
        ]
    },
    {"mailboxes": [{"id": str(UUID(int=7)), "address": "<script>x</script>\u202e", "messages": 1e300}]},
    {"cut": True},
    [],
    "done",
    None,
]


@pytest.mark.parametrize("result", NONSENSE)
def test_nonsense_of_a_host_breaks_nothing_and_runs_nowhere(
    as_alice: Client, point: Point, result: Any
) -> None:
    job = backups_world.look(point)
    Job.objects.filter(pk=job.pk).update(result=result if result is not None else {})
    page = as_alice.get(page_of(point))
    assert page.status_code == 200
    assert "<script>x" not in page.content.decode()
    assert "\u202e" not in page.content.decode()
    assert as_alice.get(f"/servers/{point.repository_id}/backups").status_code == 200


def test_a_long_list_comes_in_parts(as_alice: Client, point: Point, firm: Domain) -> None:
    first, second = sorted((uuid4(), uuid4()), key=str)
    backups_world.look(point, backups_world.row(first, "one@firm.example"), more=True)
    assert "Show the next mailboxes" in text(as_alice.get(page_of(point)))
    as_alice.post(page_of(point), {"do": "look"})
    assert Job.objects.get(do="look", state="wanted").args == {"point": point.snapshot, "after": str(first)}
    Job.objects.filter(state="wanted").delete()
    backups_world.look(point, backups_world.row(second, "two@firm.example"), after=str(first))
    said = text(as_alice.get(page_of(point)))
    assert "one@firm.example" in said
    assert "two@firm.example" in said
    assert "Show the next mailboxes" not in said


def test_answers_that_lead_in_a_circle_end(as_alice: Client, point: Point) -> None:
    box = backups_world.row(uuid4(), "one@firm.example")
    backups_world.look(point, box, more=True)
    backups_world.look(point, box, more=True, after=box["id"])
    assert text(as_alice.get(page_of(point))).count("one@firm.example") == 1


def test_a_look_that_failed_says_why_and_can_be_tried_again(as_alice: Client, point: Point) -> None:
    job = backups_world.look(point, state="failed")
    Job.objects.filter(pk=job.pk).update(why="another run holds the repository's lock")
    said = text(as_alice.get(page_of(point)))
    assert "Another run was using the backups. Nothing was changed. Try it again" in said
    assert "Look into it" in said


def test_a_point_that_has_left_or_is_anothers_is_not_there(
    as_alice: Client, account: Account, point: Point, anna: Mailbox
) -> None:
    other = mail_world.serving(account, "office", "office.example")
    backups_world.repository(other)
    assert as_alice.get(f"/servers/{other.pk}/backups/points/{point.pk}").status_code == 404
    Point.objects.filter(pk=point.pk).update(gone_at=timezone.now())
    assert as_alice.get(page_of(point)).status_code == 404
    assert as_alice.post(page_of(point, anna.pk), {"do": "restore", "which": "all"}).status_code == 404
    assert not Job.objects.filter(do="restore").exists()


@pytest.mark.parametrize("where", ["", "/mailboxes/{}"])
def test_members_and_strangers_do_not_look(
    client: Client, bob: User, charlie: User, point: Point, anna: Mailbox, where: str
) -> None:
    address = page_of(point) + where.format(anna.pk)
    for user, status in ((bob, 403), (charlie, 404)):
        client.force_login(user)
        assert client.get(address).status_code == status
        assert client.get(f"{address}/live").status_code == status
        assert client.post(address, {"do": "look"}).status_code == status
        assert client.post(address, {"do": "restore", "which": "all"}).status_code == status
    assert not Job.objects.filter(do__in=("look", "restore")).exists()


def test_folders_of_a_mailbox_are_asked_for_and_listed(as_alice: Client, point: Point, anna: Mailbox) -> None:
    as_alice.post(page_of(point, anna.pk), {"do": "look"})
    job = Job.objects.get(do="look")
    assert job.args == {"point": point.snapshot, "mailbox": str(anna.pk)}
    job.delete()
    backups_world.looked_into(
        point, anna.pk, anna.address, {"": 12, ".Sent": 3, ".B&APw-cher": 4, "../up": 5, "x": 6}, more=True
    )
    said = text(as_alice.get(page_of(point, anna.pk)))
    assert "Inbox 12 messages" in said
    assert "Bücher 4 messages" in said
    assert "up 5 messages" not in said
    assert "There are more folders than the server could list." in said


@pytest.mark.parametrize(
    ("name", "shown"),
    [("", "Inbox"), (".Sent", "Sent"), (".Work.2026", "Work/2026"), (".B&APw-cher", "Bücher"), (".R&-D", "R&D"),
     (".&!!-", "&!!-"), (".&AA-", "&AA-"), (".a\x1b[31mb", "a [31mb")],
)  # fmt: skip
def test_folders_are_called_as_mail_programs_call_them(name: str, shown: str) -> None:
    assert folders.shown(name) == shown


def test_looking_is_in_the_log_for_the_people_of_the_account(as_alice: Client, point: Point) -> None:
    as_alice.post(page_of(point), {"do": "look"})
    event = Event.objects.get(action="backup.job_wanted")
    assert event.account_id == Server.objects.get(pk=point.repository_id).account_id
    assert "Asked the server: look into a restore point" in text(as_alice.get("/activity"))
