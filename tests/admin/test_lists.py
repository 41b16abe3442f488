"""Staff see everything that matters, nothing that is secret, and change nothing by editing."""

from collections.abc import Callable, Iterator
from copy import copy

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from accounts.models import User
from audit.models import Event
from audit.staff_lists import StaffList
from engine.models import Run
from tests.admin.conftest import LISTS, SECRET, World, make_one
from tests.database import for_many_tests
from tests.keys import give_app

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def standing(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[tuple[Client, World]]:
    """Stella signed in, and one of everything: made once, because every test here looks at them and none needs others."""
    with for_many_tests(django_db_blocker, lambda: (signed_in(), make_one())) as made:
        yield made


def signed_in() -> Client:
    site = Client()
    stella = User.objects.create_user("stella@example.test", is_staff=True, is_superuser=True)
    give_app(stella)
    site.force_login(stella)
    return site


@pytest.fixture
def staff_site(standing: tuple[Client, World], db: None) -> Client:
    site = Client()
    site.cookies = copy(standing[0].cookies)
    return site


@pytest.fixture
def world(standing: tuple[Client, World], db: None) -> World:
    return standing[1]


def page_of(name: str, world: World) -> str:
    row = Event.objects.latest("id") if name == "audit/event" else world[name]
    return f"/admin/{name}/{row.pk}/change/"


@pytest.mark.parametrize("name", LISTS)
def test_stella_sees_each_list_and_each_row(staff_site: Client, world: World, name: str) -> None:
    assert staff_site.get(f"/admin/{name}/").status_code == 200
    page = staff_site.get(page_of(name, world))
    assert page.status_code == 200
    assert b"_save" not in page.content


@pytest.mark.parametrize("name", ["", *LISTS])
def test_alice_and_strangers_see_none(client: Client, alice: User, world: World, name: str) -> None:
    addresses = [f"/admin/{name}/" if name else "/admin/", *([page_of(name, world)] if name else [])]
    for address in addresses:
        assert client.get(address).status_code == 302
    client.force_login(alice)
    for address in addresses:
        assert client.get(address, follow=True).status_code == 403


@pytest.mark.parametrize("name", LISTS)
def test_nothing_can_be_added_changed_or_deleted(staff_site: Client, world: World, name: str) -> None:
    page = page_of(name, world)
    assert staff_site.get(f"/admin/{name}/add/").status_code == 403
    assert staff_site.post(f"/admin/{name}/add/", {}).status_code == 403
    assert staff_site.post(page, {"name": "x"}).status_code == 403
    assert staff_site.post(page.replace("/change/", "/delete/"), {"post": "yes"}).status_code == 403
    bulk = {"action": "delete_selected", "_selected_action": "1", "index": "0", "post": "yes"}
    before = {model: model._default_manager.count() for model in admin.site._registry}
    staff_site.post(f"/admin/{name}/", bulk)
    assert {model: model._default_manager.count() for model in admin.site._registry} == before


def test_every_registered_model_is_one_of_ours() -> None:
    assert {f"{m._meta.app_label}/{m._meta.model_name}" for m in admin.site._registry} == set(LISTS)
    assert all(isinstance(one, StaffList) for one in admin.site._registry.values())


@pytest.mark.parametrize("name", LISTS)
def test_no_secret_is_on_any_page(staff_site: Client, world: World, name: str) -> None:
    for address in (
        f"/admin/{name}/?state=all" if name.startswith("engine") else f"/admin/{name}/",
        page_of(name, world),
    ):
        html = staff_site.get(address).content.decode()
        assert SECRET not in html


def test_a_pings_body_is_text_and_nothing_else(staff_site: Client, world: World) -> None:
    html = staff_site.get(page_of("billing/ping", world)).content.decode()
    assert "a@b.test" in html
    assert "<script>alert(1)" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_a_ping_of_junk_is_shown_as_it_can_be(staff_site: Client, world: World) -> None:
    ping = world["billing/ping"]
    type(ping).objects.filter(pk=ping.pk).update(body=b'{"\xff\xfe\x00')
    page = staff_site.get(page_of("billing/ping", world))
    assert page.status_code == 200
    assert "cannot be read" in page.content.decode()


def queries(site: Client, address: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert site.get(address).status_code == 200
    return len(seen)


def test_many_rows_take_as_many_queries_as_few(staff_site: Client, make_world: Callable[[], World]) -> None:
    addresses = ["/admin/", *(f"/admin/{name}/" for name in LISTS)]
    for _ in range(4):
        make_world()
    staff_site.get("/admin/")  # a session seen for the first time is written down
    few = {address: queries(staff_site, address) for address in addresses}
    for _ in range(20):
        make_world()
    assert {address: queries(staff_site, address) for address in addresses} == few


def test_a_person_with_the_right_to_see_may_not_act(client: Client, world: World) -> None:
    sam = User.objects.create_user("sam@example.test", is_staff=True)
    sam.user_permissions.add(Permission.objects.get(codename="view_run"))
    give_app(sam)
    client.force_login(sam)
    run = world["engine/run"]
    assert client.get("/admin/engine/run/").status_code == 200
    assert b"Retry now" not in client.get(page_of("engine/run", world)).content
    client.post(
        "/admin/engine/run/?state=all", {"action": "retry_now", "_selected_action": run.pk, "index": "0"}
    )
    assert not Event.objects.filter(action="run.retried").exists()
    assert client.get("/admin/audit/event/").status_code == 403


FOUND = {
    "audit/deed": lambda w: [w["audit/deed"].by, w["audit/deed"].pk],
    "audit/fault": lambda w: [w["audit/fault"].reference],
    "accounts/account": lambda w: [w["accounts/user"].email.upper(), w["accounts/account"].pk],
    "accounts/user": lambda w: [w["accounts/user"].email, w["accounts/user"].pk],
    "accounts/letter": lambda w: [w["accounts/user"].email, w["accounts/letter"].pk, w["accounts/account"].pk],
    "billing/ping": lambda w: ["sub==", w["billing/ping"].pk],
    "billing/subscription": lambda w: [w["billing/subscription"].gumroad_id, w["accounts/account"].pk, w["accounts/user"].email.upper()],
    "billing/reconciliation": lambda w: [w["billing/reconciliation"].pk, w["billing/reconciliation"].subject],
    "servers/server": lambda w: [w["servers/server"].ipv4, w["servers/server"].ipv6, w["servers/server"].name, w["servers/server"].pk, w["servers/server"].machine_name, w["accounts/account"].pk],
    "servers/destruction": lambda w: [w["servers/server"].pk, w["accounts/account"].pk, w["servers/server"].name],
    "servers/replacement": lambda w: [w["servers/server"].subject, w["accounts/account"].pk, w["servers/server"].name],
    "servers/planchange": lambda w: [w["servers/server"].subject, w["accounts/account"].pk, w["servers/server"].name],
    "servers/suspension": lambda w: [w["servers/server"].subject, w["accounts/account"].pk, w["servers/server"].name],
    "domains/domain": lambda w: [w["domains/domain"].name.upper(), w["domains/domain"].pk, w["accounts/account"].pk, w["servers/server"].pk],
    "domains/mailbox": lambda w: [w["domains/mailbox"].address, w["domains/mailbox"].pk, w["servers/server"].subject],
    "domains/erasure": lambda w: [w["domains/erasure"].address, w["domains/erasure"].pk, w["accounts/account"].pk, w["servers/server"].subject],
    "domains/wayout": lambda w: [w["servers/server"].pk, w["accounts/account"].pk],
    "domains/letter": lambda w: [w["domains/letter"].to.upper(), w["domains/letter"].pk, w["accounts/account"].pk, w["servers/server"].subject],
    "engine/run": lambda w: [w["engine/run"].subject, w["servers/server"].pk, w["engine/run"].pk],
    "engine/alarm": lambda w: [w["engine/run"].subject, w["servers/server"].pk],
    "audit/event": lambda w: [w["engine/run"].subject, w["accounts/account"].pk, w["servers/server"].pk],
    "vault/secret": lambda w: [w["vault/secret"].pk, w["vault/secret"].account_id],
    "vault/key": lambda w: [w["vault/key"].pk],
    "sending/credentials": lambda w: [w["sending/credentials"].subject, w["accounts/account"].pk, w["servers/server"].subject, w["sending/credentials"].access_key[-4:].lower(), w["sending/credentials"].aws_account],
    "sending/standing": lambda w: [w["servers/server"].subject, w["accounts/account"].pk],
    "sending/identity": lambda w: [w["domains/domain"].name.upper(), w["domains/domain"].pk, w["servers/server"].subject],
    "sending/topic": lambda w: [w["sending/topic"].arn, w["servers/server"].pk, w["accounts/account"].pk],
    "sending/notice": lambda w: [w["sending/notice"].message, w["servers/server"].subject],
    "sending/feedback": lambda w: [w["sending/feedback"].sender.upper(), w["servers/server"].subject],
    "backups/repository": lambda w: [w["servers/server"].subject, w["servers/server"].pk, w["accounts/account"].pk],
    "backups/point": lambda w: [w["backups/point"].snapshot, w["servers/server"].subject],
    "backups/job": lambda w: [w["backups/job"].pk, w["servers/server"].subject],
    "backups/export": lambda w: [w["backups/export"].pk, w["backups/export"].mailbox, w["backups/export"].job_id, w["servers/server"].subject, w["accounts/account"].pk],
    "sending/suppression": lambda w: [w["servers/server"].subject, w["accounts/account"].pk],
    "sending/tester": lambda w: [w["servers/server"].subject, w["accounts/account"].pk],
    "sending/worry": lambda w: [w["servers/server"].subject, w["accounts/account"].pk],
    "audit/receipt": lambda w: [w["engine/run"].subject, w["accounts/account"].pk, w["audit/receipt"].pk, w["servers/server"].pk],
}  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_a_row_is_found_by_what_one_has_at_hand(
    staff_site: Client, make_world: Callable[[], World], name: str
) -> None:
    world, _other = make_world(), make_world()
    for words in FOUND[name](world):
        changelist = staff_site.get(f"/admin/{name}/", {"q": words}).context["cl"]
        assert len(changelist.result_list) >= 1, words
        if words != "sub==":
            assert len(changelist.result_list) == 1, words


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("words", ["nothing of the kind", "999999999999999999999999", "%", "\u0661", "@"])
def test_other_words_find_nothing_and_break_nothing(
    staff_site: Client, world: World, name: str, words: str
) -> None:
    answer = staff_site.get(f"/admin/{name}/", {"q": words})
    assert answer.status_code == 200
    assert answer.context["cl"].result_count == 0


def test_words_that_no_text_holds_break_nothing(staff_site: Client, world: World) -> None:
    assert staff_site.get("/admin/audit/event/", {"q": "a\x00b"}).status_code == 200


@pytest.mark.parametrize(("state", "index"), [("live", "run_live"), ("failing", "run_failing")])
def test_runs_that_live_are_not_looked_for_among_those_that_ended(
    staff_site: Client, state: str, index: str
) -> None:
    """A server's program is older than thousands of letters that were sent since."""
    now = timezone.now()
    Run.objects.bulk_create(
        Run(program="Keep", subject=f"server:{n}", error="no" * (n % 2)) for n in range(60)
    )
    Run.objects.bulk_create(Run(program="SendLetter", subject=f"l{n}", finished_at=now) for n in range(3000))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE engine_run")
    with CaptureQueriesContext(connection) as seen:
        staff_site.get("/admin/engine/run/", {"state": state})
    (rows,) = [one["sql"] for one in seen if one["sql"].startswith("SELECT") and "LIMIT 51" in one["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {rows}")
        assert index in str(cursor.fetchall())
