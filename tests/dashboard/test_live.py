"""Parts that ask again: 304 while nothing has changed, quickly only while something happens."""

import re

import pytest
from django.test import Client

from accounts.models import Account
from engine.models import Run
from servers.models import Agent, Server
from tests.dashboard import world


def attribute(html: str, name: str, part: str = "server") -> str:
    found = re.search(rf'id="{part}"[^>]*?data-{name}="([^"]*)"', html, re.S)
    assert found, f"no data-{name} on {part}"
    return found[1]


def ask(client: Client, path: str, etag: str = "") -> tuple[int, str, str]:
    headers = {"If-None-Match": f'"{etag}"'} if etag else {}
    response = client.get(path, headers=headers)
    return response.status_code, response.content.decode(), response.headers.get("ETag", "").strip('"')


@pytest.fixture
def one(account: Account) -> Server:
    return world.running(account)


def test_the_same_is_not_sent_again(as_alice: Client, one: Server) -> None:
    _, html, etag = ask(as_alice, f"/servers/{one.pk}/live")
    assert attribute(html, "etag") == etag
    assert ask(as_alice, f"/servers/{one.pk}/live", etag) == (304, "", etag)


def test_the_page_itself_bears_the_tag_of_its_part(as_alice: Client, one: Server) -> None:
    page = as_alice.get(f"/servers/{one.pk}").content.decode()
    assert ask(as_alice, f"/servers/{one.pk}/live", attribute(page, "etag"))[0] == 304


def test_a_tag_that_a_proxy_made_weak_still_counts(as_alice: Client, one: Server) -> None:
    etag = ask(as_alice, f"/servers/{one.pk}/live")[2]
    response = as_alice.get(f"/servers/{one.pk}/live", headers={"If-None-Match": f'W/"{etag}"'})
    assert response.status_code == 304


def test_a_change_is_sent(as_alice: Client, one: Server) -> None:
    etag = ask(as_alice, f"/servers/{one.pk}/live")[2]
    Agent.objects.filter(server=one).update(report={**world.REPORT, "cpu": 77.0})
    status, html, _ = ask(as_alice, f"/servers/{one.pk}/live", etag)
    assert status == 200
    assert "77 %" in html


def test_a_resting_server_is_asked_for_slowly(as_alice: Client, one: Server) -> None:
    page = as_alice.get(f"/servers/{one.pk}").content.decode()
    assert int(attribute(page, "poll")) >= 20
    assert int(attribute(page, "poll", "charts")) >= 30


def test_what_happens_now_is_asked_for_quickly(as_alice: Client, account: Account) -> None:
    made = world.being_made(account)
    page = as_alice.get(f"/servers/{made.pk}").content.decode()
    assert attribute(page, "poll") == "2"
    assert attribute(as_alice.get("/overview").content.decode(), "poll", "overview") == "2"


def test_what_is_gone_is_hardly_asked_for(as_alice: Client, account: Account) -> None:
    page = as_alice.get(f"/servers/{world.gone(account).pk}").content.decode()
    assert int(attribute(page, "poll")) >= 300


def test_a_listener_hears_of_the_next_step_and_of_nothing_else(as_alice: Client, account: Account) -> None:
    made = world.being_made(account, step="wait_agent")
    first = attribute(ask(as_alice, f"/servers/{made.pk}/live")[1], "says")
    Run.objects.filter(subject=made.subject).update(args={"ordered_at": 1})
    assert attribute(ask(as_alice, f"/servers/{made.pk}/live")[1], "says") == first
    Run.objects.filter(subject=made.subject).update(step="wait_set_up")
    assert attribute(ask(as_alice, f"/servers/{made.pk}/live")[1], "says") != first


def test_the_page_is_loaded_anew_when_the_server_is_ready(as_alice: Client, account: Account) -> None:
    made = world.being_made(account)
    url = re.search(r'hx-get="([^"]+/live[^"]*)"', as_alice.get(f"/servers/{made.pk}").content.decode())
    assert url
    assert "HX-Refresh" not in as_alice.get(url[1]).headers
    Server.objects.filter(pk=made.pk).update(ready_at=made.wanted_at)
    assert as_alice.get(url[1]).headers["HX-Refresh"] == "true"


def test_looking_makes_reports_come_faster(as_alice: Client, one: Server) -> None:
    as_alice.get(f"/servers/{one.pk}")
    one.refresh_from_db()
    assert one.watched_until is not None


def test_nobody_watches_what_is_gone(as_alice: Client, account: Account) -> None:
    gone = world.gone(account)
    as_alice.get(f"/servers/{gone.pk}")
    gone.refresh_from_db()
    assert gone.watched_until is None


def test_a_part_leads_the_whole_page_to_sign_in(client: Client, one: Server) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver/servers/{one.pk}"}
    response = client.get(f"/servers/{one.pk}/live", headers=headers)
    assert response.headers["HX-Redirect"].startswith("/sign-in?next=")
    assert response.content == b""
