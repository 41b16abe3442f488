"""A restore after it was asked for: how far it is, what came of it, its undoing, and who sees it."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account, User
from backups.models import Job, Point
from domains.models import Mailbox
from servers.models import Server
from tests.dashboard import backups_world, mail_world
from tests.dashboard.backups.test_restore import job_page
from tests.dashboard.test_pages import headline, text


def test_progress_then_the_result_then_its_undoing(as_alice: Client, point: Point, anna: Mailbox) -> None:
    job = backups_world.restore(point, anna.pk, "wanted")
    page = as_alice.get(job_page(job))
    assert headline(page) == "Mail is being brought back"
    was = page.content.decode().partition("?was=")[2].partition('"')[0]
    backups_world.runs(Server.objects.get(pk=job.repository_id), job, "restore")
    assert "1.2 GB of 4.0 GB, 30 %" in text(as_alice.get(job_page(job)))
    result = {"folder": "Restored 2026-11-20 1400", "folders": 2, "messages": 213, "bytes": 34_000_000}
    Job.objects.filter(pk=job.pk).update(state="done", result=result, done_at=timezone.now())
    assert as_alice.get(f"{job_page(job)}/live", {"was": was})["HX-Refresh"] == "true"
    page = as_alice.get(job_page(job))
    assert headline(page) == "213 messages are in the folder Restored 2026-11-20 1400 of anna@firm.example"
    assert "Undo: delete Restored 2026-11-20 1400" in text(page)
    page = as_alice.post(job_page(job), {"do": "undo"}, follow=True)
    assert headline(page) == "The restore is being undone"
    taken_back = Job.objects.get(args={"undo": str(job.pk)})
    assert as_alice.post(job_page(job), {"do": "undo"}).status_code == 422
    Job.objects.filter(pk=taken_back.pk).update(state="done", result={"folders": 2})
    page = as_alice.get(job_page(job))
    assert headline(page) == "The restore was undone"
    assert "2 folders that it had made are gone again." in text(page)
    assert "Undo: delete" not in text(page)
    assert "Asked the server: undo a restore" in text(as_alice.get("/activity"))


def test_an_undo_that_failed_says_what_to_do_and_can_be_tried_again(
    as_alice: Client, point: Point, anna: Mailbox
) -> None:
    job = backups_world.restore(point, anna.pk)
    backups_world.undo(job, "failed", why="nothing is known of this restore any more")
    page = as_alice.get(job_page(job))
    assert "It could not be undone. The server does not know this restore any more" in text(page)
    assert "Undo: delete" in text(page)


def test_no_message_like_that_is_said_plainly(as_alice: Client, point: Point, anna: Mailbox) -> None:
    chosen = {"since": None, "before": None, "from": "nobody", "subject": "", "to": ""}
    none = {"folder": "", "folders": 0, "messages": 0, "bytes": 0}
    job = backups_world.restore(point, anna.pk, args={"chosen": chosen}, result=none)
    page = as_alice.get(job_page(job))
    assert headline(page) == "No message came back"
    assert "nothing was made. Say less of it" in text(page)
    assert "Undo" not in text(page)
    assert as_alice.post(job_page(job), {"do": "undo"}).status_code == 422


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("there is no such restore point", "This restore point has left meanwhile"),
        ("this mailbox is not in the restore point", "It is not in this restore point."),
        ("this mailbox is not served: it has to be there before its mail can come back", "This mailbox is not on the server."),
        ("the disk has not enough room for it", "The server&#x27;s disk has not enough room for it."),
        ("not all could be restored: /srv/x", "Not everything could be fetched from the storage"),
        ("its host did not answer within a week", "The server did not answer within a week"),
        ("<b>unheard of</b>", "The server could not do it, and says: “&lt;b&gt;unheard of&lt;/b&gt;”."),
        ("", "The server could not do it."),
    ],
)  # fmt: skip
def test_a_failure_has_a_sentence_and_a_next_step(
    as_alice: Client, point: Point, anna: Mailbox, why: str, said: str
) -> None:
    job = backups_world.restore(point, anna.pk, "failed", why=why)
    page = as_alice.get(job_page(job))
    assert headline(page) == "It could not be restored"
    assert said in text(page)
    assert "Try it another way" in text(page)


@pytest.mark.parametrize(
    "result", [[], "x", {"messages": -3, "folder": 5}, {"folder": "<script>x</script>", "messages": 1e300}]
)
def test_nonsense_of_a_host_about_a_restore_breaks_nothing(
    as_alice: Client, point: Point, anna: Mailbox, result: Any
) -> None:
    job = backups_world.restore(point, anna.pk)
    Job.objects.filter(pk=job.pk).update(result=result)
    page = as_alice.get(job_page(job))
    assert page.status_code == 200
    assert "<script>x" not in page.content.decode()


def test_only_the_owner_sees_and_undoes_a_restore(
    client: Client, bob: User, charlie: User, point: Point, anna: Mailbox
) -> None:
    job = backups_world.restore(point, anna.pk)
    for user, status in ((bob, 403), (charlie, 404)):
        client.force_login(user)
        assert client.get(job_page(job)).status_code == status
        assert client.post(job_page(job), {"do": "undo"}).status_code == status
    assert Job.objects.filter(do="restore").count() == 1


def test_a_restore_of_a_whole_server_or_another_servers_has_no_such_page(
    as_alice: Client, account: Account, point: Point, anna: Mailbox
) -> None:
    whole = backups_world.job(point.repository, "restore", args={"point": point.snapshot})
    assert as_alice.get(job_page(whole)).status_code == 404
    job = backups_world.restore(point, anna.pk)
    other = backups_world.repository(mail_world.serving(account, "office", "office.example"))
    assert as_alice.get(f"/servers/{other.pk}/backups/jobs/{job.pk}").status_code == 404


def test_history_leads_to_the_pages_that_there_are(as_alice: Client, point: Point, anna: Mailbox) -> None:
    job = backups_world.restore(point, anna.pk)
    backups_world.undo(job, "done")
    backups_world.job(point.repository, "restore", args={"point": point.snapshot})
    backups_world.job(point.repository, "restore", args={"undo": "nonsense"})
    page = as_alice.get(f"/servers/{point.repository_id}/backups").content.decode()
    led = [part.partition('"')[0] for part in page.split("/backups/jobs/")[1:]]
    assert led == [str(job.pk)] * 2
    assert as_alice.get(job_page(job)).status_code == 200
