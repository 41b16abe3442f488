"""The page of a move: what it says before, while and after, who may ask for what, and that nothing is asked by mistake."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account, User
from backups.models import Point, Repository
from engine.models import Alarm, Run
from servers.models import Agent, Replacement, Server
from tests.dashboard import backups_world, world

pytestmark = pytest.mark.django_db


@pytest.fixture
def post(account: Account, settings: Any) -> Server:
    """Alice's server, with a restore point of an hour ago."""
    backups_world.is_set_up(settings)
    server = world.running(account)
    Server.objects.filter(pk=server.pk).update(machine_id=4711)
    backups_world.point(backups_world.repository(server))
    server.refresh_from_db()
    return server


def page(of: Server) -> str:
    return f"/servers/{of.pk}/rebuild"


def moving(of: Server, step: str = "wait_restored", program: str = "Rebuild", **fields: Any) -> Replacement:
    now = timezone.now()
    point = Point.objects.get()
    Server.objects.filter(pk=of.pk).update(rebuilding_since=None if fields.get("served_at") else now)
    Run.objects.create(program=program, subject=of.subject, step=step, step_since=now)
    about = {"point": point.snapshot, "point_at": point.at, "messages": point.messages, "old_machine": 4711}
    return Replacement.objects.create(
        server=of, asked_by="user:1", old_ipv4=of.ipv4, old_ipv6=of.ipv6, **{**about, **fields}
    )


def shown(client: Client, of: Server) -> str:
    answer = client.get(page(of))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_it_says_what_happens_before_anything_does(as_alice: Client, post: Server):
    html = shown(as_alice, post)
    for words in (
        "Meanwhile nobody can read or send mail",
        "Mail for you waits at its senders",
        "you can go back",
    ):
        assert words in html
    assert not Replacement.objects.exists()


@pytest.mark.parametrize("name", ["", "other", "pos"])
def test_without_its_name_typed_nothing_begins(as_alice: Client, post: Server, name: str):
    answer = as_alice.post(page(post), {"do": "start", "name": name})
    assert answer.status_code == 422
    assert "Type the name of the server, post" in answer.content.decode()
    assert not Replacement.objects.exists()


@pytest.mark.parametrize("name", ["post", " Post ", "post.mailat.test"])
def test_with_its_name_typed_it_begins(as_alice: Client, post: Server, name: str):
    answer = as_alice.post(page(post), {"do": "start", "name": name}, follow=True)
    assert "It moves to another machine" in answer.content.decode()
    assert Run.objects.get(program="Rebuild").subject == post.subject
    assert Replacement.objects.get().old_machine == 4711


def test_an_earlier_restore_point_can_be_meant(as_alice: Client, post: Server):
    point = Point.objects.get()
    assert (
        f'name="point" value="{point.pk}"' in as_alice.get(f"{page(post)}?point={point.pk}").content.decode()
    )
    as_alice.post(page(post), {"do": "start", "name": "post", "point": point.pk})
    assert Replacement.objects.get().wish == point.snapshot


@pytest.mark.parametrize("point", ["0", "x", "9" * 40, "-1"])
def test_a_point_that_is_not_there_is_not_found(as_alice: Client, post: Server, point: str):
    assert as_alice.get(f"{page(post)}?point={point}").status_code == 404
    assert as_alice.post(page(post), {"do": "start", "name": "post", "point": point}).status_code == 404


def test_a_point_of_another_server_is_not_found(as_alice: Client, post: Server, account: Account):
    other = world.running(account, "other")
    foreign = backups_world.point(backups_world.repository(other))
    assert as_alice.get(f"{page(post)}?point={foreign.pk}").status_code == 404


def test_where_there_is_no_restore_point_it_says_so(as_alice: Client, post: Server):
    Point.objects.all().delete()
    html = shown(as_alice, post)
    assert "There is no restore point yet" in html
    assert 'value="start"' not in html
    assert as_alice.post(page(post), {"do": "start", "name": "post"}).status_code == 422


@pytest.mark.parametrize("do", ["start", "back", "release"])
def test_members_ask_for_nothing_and_strangers_find_nothing(
    client: Client, bob: User, charlie: User, post: Server, do: str
):
    moving(post)
    for who, status in ((bob, 403), (charlie, 404)):
        client.force_login(who)
        for address in (page(post), f"{page(post)}/live"):
            assert client.get(address).status_code == status
        said = {"do": do, "name": "post", "understood": "yes"}
        assert client.post(page(post), said).status_code == status
    assert Replacement.objects.get().state == Replacement.State.UNDER_WAY


def test_the_steps_are_told_with_what_is_waited_for(as_alice: Client, post: Server):
    moving(post)
    running = {"job": "x", "phase": "restore", "done": 2.5e9, "total": 1e10, "left": 60}
    Agent.objects.update(report={**world.REPORT, "backup": {"running": running}})
    html = shown(as_alice, post)
    for words in ("Bring everything back", "The server fetches what was backed up", "2.5 GB of 10 GB"):
        assert words in html
    assert "Bring everything back" in " ".join(as_alice.get(f"/servers/{post.pk}").content.decode().split())


def test_what_is_not_in_the_point_is_said_plainly(as_alice: Client, post: Server):
    moving(post, lost_since=Point.objects.get().at, queued=3, old_machine=None)
    html = shown(as_alice, post)
    assert "is not in it" in html
    assert "The old machine is gone, and with it what was only there." in html
    assert "3 mails waited on the old machine" in html
    assert "Go back to the old machine" not in html


def test_going_back_is_asked_with_a_box(as_alice: Client, post: Server):
    moving(post)
    assert as_alice.post(page(post), {"do": "back"}).status_code == 422
    as_alice.post(page(post), {"do": "back", "understood": "yes"})
    assert Replacement.objects.get().state == Replacement.State.GOING_BACK
    assert not Run.objects.filter(program="Rebuild", finished_at=None).exists()
    html = shown(as_alice, post)
    assert "Back to the old machine" in html
    assert 'value="back"' not in html


def test_a_kept_machine_can_be_let_go_or_gone_back_to(as_alice: Client, post: Server):
    now = timezone.now()
    moving(post, "wait_release", served_at=now, release_at=now + timedelta(days=3), lost_since=now)
    html = shown(as_alice, post)
    assert "delete the old machine now" in html
    assert "mail which has come to the new machine is lost" in html
    as_alice.post(page(post), {"do": "release"})
    assert Replacement.objects.get().release_at <= timezone.now()


def test_what_is_too_late_is_refused_in_words(as_alice: Client, post: Server):
    moving(post, "delete_old", state=Replacement.State.SETTLED, served_at=timezone.now())
    for do in ("back", "release", "dance"):
        answer = as_alice.post(page(post), {"do": do, "understood": "yes"})
        assert (answer.status_code, "not possible any more" in answer.content.decode()) == (422, True)


def test_other_addresses_are_told_with_what_to_change(as_alice: Client, post: Server):
    now = timezone.now()
    moving(post, served_at=now, finished_at=now, state=Replacement.State.DONE, old_machine=None)
    Run.objects.update(finished_at=now)
    Server.objects.update(ipv4="192.0.2.99")
    html = shown(as_alice, post)
    assert "<code>192.0.2.25</code> → <code>192.0.2.99</code>" in html
    assert "in SPF" in html


def test_the_live_part_is_304_until_something_changes_and_the_page_new_when_other_things_can_be_asked(
    as_alice: Client, post: Server
):
    row = moving(post)
    address = f"{page(post)}/live?was=moves"
    first = as_alice.get(address)
    assert as_alice.get(address, headers={"If-None-Match": first["ETag"]}).status_code == 304
    Run.objects.update(step="prove")
    assert as_alice.get(address, headers={"If-None-Match": first["ETag"]}).status_code == 200
    Replacement.objects.filter(pk=row.pk).update(finished_at=timezone.now(), state=Replacement.State.DONE)
    assert as_alice.get(address)["HX-Refresh"] == "true"


def test_every_page_of_a_server_is_there_while_it_has_no_machine_and_no_agent(as_alice: Client, post: Server):
    moving(post, "retire")
    Agent.objects.all().delete()
    Server.objects.update(machine_id=None, ipv4=None, ipv6=None)
    own = f"/servers/{post.pk}"
    pages = (own, f"{own}/live", f"{own}/charts", f"{own}/backups", f"{own}/backups/live", f"{own}/exports")
    for address in (
        *pages,
        page(post),
        "/overview",
        "/mail",
        f"/mail/sending/{post.pk}",
        "/activity",
        "/backups",
    ):
        answer = as_alice.get(address, follow=True)
        assert answer.status_code == 200, address
    assert "is being made" in as_alice.get("/overview").content.decode()


def test_a_server_whose_machine_is_gone_is_offered_it(as_alice: Client, post: Server):
    offer = "Bring it back on another machine"
    assert offer not in as_alice.get(f"/servers/{post.pk}").content.decode()
    Alarm.objects.create(key=f"reap:{post.subject}", subject=post.subject, says="gone")
    Agent.objects.update(health="lost")
    assert offer in as_alice.get(f"/servers/{post.pk}").content.decode()
    assert "its machine does not exist any more" in shown(as_alice, post)


def test_a_section_of_the_backups_page_leads_there(as_alice: Client, post: Server):
    html = as_alice.get(f"/servers/{post.pk}/backups").content.decode()
    assert f'href="{page(post)}"' in html
    moving(post)
    assert "See how far it is" in as_alice.get(f"/servers/{post.pk}/backups").content.decode()
    assert Repository.objects.get().pk == UUID(str(post.pk))
