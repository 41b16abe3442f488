"""Long lists are paged by key: no row twice, none left out, none counted, whatever comes meanwhile."""

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import keyset
from audit.actions import record
from audit.models import Event
from billing.models import Ping
from tests.examples import ONE_WORLD

pytestmark = pytest.mark.django_db
SIZE = 7


@pytest.fixture
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    for model in (Event, Ping):
        monkeypatch.setattr(admin.site._registry[model], "list_per_page", SIZE)


def ids(answer: object) -> list[int]:
    return [row.pk for row in answer.context["cl"].result_list]  # type: ignore[attr-defined]


def walk(site: Client, address: str, way: str = "older_url") -> Iterator[list[int]]:
    """Page after page, by the links on them."""
    path = address.partition("?")[0]
    while address:
        answer = site.get(address)
        assert answer.status_code == 200
        yield ids(answer)
        url = getattr(answer.context["cl"], way)
        assert not url or url.replace("&", "&amp;") in answer.content.decode()
        address = f"{path}{url}" if url else ""


def events(count: int) -> list[int]:
    for number in range(count):
        record("some.event", by="user:1", subject=f"thing:{number % 2}")
    return list(Event.objects.order_by("-pk").values_list("pk", flat=True))


@pytest.mark.usefixtures("_small_pages")
@pytest.mark.parametrize("count", [0, 1, SIZE, SIZE + 1, 3 * SIZE, 40])
def test_every_row_is_seen_once_in_order(staff_site: Client, count: int) -> None:
    everything = events(count)
    pages = list(walk(staff_site, "/admin/audit/event/"))
    assert [pk for page in pages for pk in page] == everything
    assert all(len(page) == SIZE for page in pages[:-1])


@pytest.mark.usefixtures("_small_pages")
def test_the_way_back_shows_the_same_rows(staff_site: Client) -> None:
    everything = events(40)
    last = f"/admin/audit/event/?after={everything[-SIZE]}"
    assert [pk for page in reversed(list(walk(staff_site, last, "newer_url"))) for pk in page] == everything


@pytest.mark.usefixtures("_small_pages")
def test_equal_times_do_not_hide_rows(staff_site: Client) -> None:
    now = timezone.now()
    Ping.objects.bulk_create([Ping(body=b"x", received_at=now) for _ in range(30)])
    everything = list(Ping.objects.order_by("-received_at", "-pk").values_list("pk", flat=True))
    assert [pk for page in walk(staff_site, "/admin/billing/ping/") for pk in page] == everything


@pytest.mark.usefixtures("_small_pages")
def test_what_comes_meanwhile_shifts_nothing(staff_site: Client) -> None:
    everything, seen = events(20), []
    for page in walk(staff_site, "/admin/audit/event/"):
        seen += page
        events(3)
    assert seen == everything


@pytest.mark.usefixtures("_small_pages")
def test_a_search_goes_on_from_page_to_page(staff_site: Client) -> None:
    events(40)
    wanted = list(Event.objects.filter(subject="thing:1").order_by("-pk").values_list("pk", flat=True))
    assert [pk for page in walk(staff_site, "/admin/audit/event/?q=thing:1") for pk in page] == wanted


@pytest.mark.usefixtures("_small_pages")
def test_another_choice_begins_with_the_first_page(staff_site: Client) -> None:
    Ping.objects.bulk_create([Ping(body=b"x") for _ in range(3 * SIZE)])
    second = staff_site.get(
        "/admin/billing/ping/" + staff_site.get("/admin/billing/ping/").context["cl"].older_url
    )
    links = [
        choice["query_string"]
        for spec in second.context["cl"].filter_specs
        for choice in spec.choices(second.context["cl"])
    ]
    assert links
    assert not any("after" in link or "before" in link for link in [*links, second.context["cl"].first_url])


@pytest.mark.usefixtures("_small_pages")
def test_no_page_counts_and_none_skips(staff_site: Client) -> None:
    events(40)
    with CaptureQueriesContext(connection) as seen:
        staff_site.get("/admin/audit/event/")
    asked = [query["sql"] for query in seen if "audit_event" in query["sql"]]
    assert len(asked) == 2
    assert not any("OFFSET" in sql or "COUNT(" in sql for sql in asked)
    assert sum("EXPLAIN" in sql for sql in asked) == 1


@pytest.mark.usefixtures("_small_pages")
def test_a_single_page_says_exactly_how_many(staff_site: Client) -> None:
    events(3)
    answer = staff_site.get("/admin/audit/event/")
    assert not answer.context["cl"].is_estimate
    assert answer.context["cl"].result_count == 3


@pytest.mark.parametrize("place", ["x", "1~2", "~", "9" * 40, "-1", "1~2~3", "nan"])
@pytest.mark.parametrize("name", ["audit/event", "billing/ping", "accounts/account", "servers/destruction"])
@pytest.mark.parametrize("way", ["after", "before"])
def test_a_place_that_is_none_leads_to_the_list(staff_site: Client, name: str, place: str, way: str) -> None:
    answer = staff_site.get(f"/admin/{name}/", {way: place}, follow=True)
    assert answer.status_code == 200


def test_an_unknown_choice_leads_to_the_list(staff_site: Client) -> None:
    assert staff_site.get("/admin/engine/run/?state=odd", follow=True).status_code == 200


@settings(max_examples=30, deadline=None, suppress_health_check=ONE_WORLD)
@given(times=st.lists(st.integers(0, 3), max_size=12), size=st.integers(1, 5), forwards=st.booleans())
def test_any_order_with_a_unique_end_is_walked_whole(
    db: None, times: list[int], size: int, forwards: bool
) -> None:
    now = timezone.now()
    Ping.objects.all().delete()
    Ping.objects.bulk_create([Ping(body=b"", received_at=now + timezone.timedelta(seconds=t)) for t in times])
    order = ("-received_at", "id")
    rows = Ping.objects.all()
    page, seen = keyset.page(rows, order, size=size), []
    while True:
        seen += [row.pk for row in page.rows]
        if not page.older:
            break
        page = keyset.page(rows, order, size=size, after=page.older)
    assert seen == list(rows.order_by(*order).values_list("pk", flat=True))
