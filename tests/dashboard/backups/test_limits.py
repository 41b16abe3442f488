"""When a server may back up and how fast, and the list of restore points in its pages."""

from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from backups.models import Repository
from servers.models import Server
from tests.dashboard import backups_world
from tests.dashboard.backups.test_page import page_of
from tests.dashboard.test_pages import text


def test_limits_are_kept_in_utc_and_shown_in_the_readers_zone(
    as_alice: Client, server: Server, repository: Repository
) -> None:
    as_alice.post(page_of(server), {"do": "limits", "first": "21", "last": "4", "megabits": "20"})
    repository.refresh_from_db()
    assert (repository.hours_from, repository.hours_to, repository.kib_s) == (21, 4, 2441)
    page = as_alice.get(page_of(server))
    shift = timezone.now().astimezone(ZoneInfo("Europe/Berlin")).utcoffset()
    first = (21 + int(shift.total_seconds()) // 3600) % 24  # type: ignore[union-attr]
    assert f"from {first:02}:00 until" in text(page)
    assert "(21:00 – 04:00 UTC)" in text(page)  # noqa: RUF001
    assert "at most 20 megabits a second" in text(page)
    assert '<option value="21" selected>' in page.content.decode()


def test_nothing_means_no_limit(as_alice: Client, server: Server, repository: Repository) -> None:
    Repository.objects.update(hours_from=1, hours_to=4, kib_s=100)
    as_alice.post(page_of(server), {"do": "limits", "first": "", "last": "", "megabits": ""})
    repository.refresh_from_db()
    assert (repository.hours_from, repository.hours_to, repository.kib_s) == (None, None, None)
    assert "at any hour and go as fast as it goes" in text(as_alice.get(page_of(server)))


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"first": "3"}, "Choose both hours, or neither."),
        ({"last": "3"}, "Choose both hours, or neither."),
        ({"first": "3", "last": "3"}, "Choose two hours that differ"),
        ({"first": "24", "last": "3"}, "Choose an hour of the day."),
        ({"megabits": "fast"}, "Type a number, such as 20, or nothing."),
        ({"megabits": "0"}, "Type at least 0.1, or nothing."),
        ({"megabits": "NaN"}, "Type a number, such as 20, or nothing."),
        ({"megabits": "99999999"}, "Type at most 10000, or nothing."),
    ],
)
def test_limits_that_make_no_sense_are_refused(
    as_alice: Client, server: Server, repository: Repository, typed: dict[str, str], why: str
) -> None:
    answer = as_alice.post(
        page_of(server), {"do": "limits", "first": "", "last": "", "megabits": "", **typed}
    )
    assert answer.status_code == 422
    assert why in text(answer)
    repository.refresh_from_db()
    assert (repository.hours_from, repository.kib_s) == (None, None)


def test_points_are_grouped_by_day_and_their_pages_turned(
    as_alice: Client, server: Server, repository: Repository
) -> None:
    repository.points.all().delete()
    backups_world.hourly(repository, 100)
    seen: list[str] = []
    address = page_of(server)
    while address:
        body = as_alice.get(address).content.decode()
        seen += [part.split('"')[0] for part in body.split("/backups/points/")[1:]]
        older = body.partition("?before=")[2].partition("#points")[0] if '#points">Older' in body else ""
        address = f"{page_of(server)}?before={older}" if older else ""
    assert seen == [str(pk) for pk in repository.points.order_by("-stored_at").values_list("pk", flat=True)]


def test_a_key_that_is_none_shows_the_newest(as_alice: Client, server: Server) -> None:
    for key in ("x", "-1", "9" * 30, "999999999", "1'", "²"):
        assert "Look and restore" in text(as_alice.get(page_of(server), {"before": key}))
