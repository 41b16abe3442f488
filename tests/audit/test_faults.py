"""What broke is found by the reference that the person was shown; of what they asked nothing is kept."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from audit import faults, tasks
from audit.models import Fault
from tests.audit.breaking_urls import SECRET

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(settings: Any) -> Client:
    settings.ROOT_URLCONF = "tests.audit.breaking_urls"
    return Client(raise_request_exception=False)


def breaks(site: Client, address: str = "/breaks/a-token") -> str:
    """The reference on the page."""
    answer = site.get(address)
    assert answer.status_code == 500
    shown = re.search(r"<code>([^<]+)</code>", answer.content.decode())
    assert shown
    assert answer["X-Request-ID"] == shown[1]
    return shown[1]


def test_the_reference_on_the_page_leads_to_the_place(site: Client, alice: User) -> None:
    site.force_login(alice)
    fault = Fault.objects.get(reference=breaks(site))
    assert (fault.error, fault.method, fault.route) == ("LookupError", "GET", "breaks/<str:token>")
    assert re.fullmatch(r"tests/audit/breaking_urls\.py:\d+ in breaks", fault.place)
    assert fault.by == f"user:{alice.pk}"


def test_staff_find_it_by_that(site: Client, stella: User) -> None:
    reference = breaks(site)
    site.force_login(stella)
    fault = Fault.objects.get()
    assert site.get("/admin/find/", {"q": reference})["Location"] == f"/admin/audit/fault/{fault.pk}/change/"
    assert "LookupError" in site.get("/admin/").content.decode()


def test_nothing_of_what_was_asked_or_said_is_kept(site: Client) -> None:
    breaks(site)
    kept = " ".join(str(value) for value in Fault.objects.values_list().get())
    assert SECRET not in kept
    assert "a-token" not in kept


def test_of_a_stranger_nobody_is_named(site: Client) -> None:
    breaks(site)
    assert Fault.objects.get().by == ""


def test_while_the_database_is_away_nobody_waits_for_it_once_more(site: Client) -> None:
    breaks(site, "/strangely")
    assert not Fault.objects.exists()


def test_what_is_only_refused_is_no_fault(site: Client) -> None:
    assert site.get("/nowhere").status_code == 404
    assert site.post("/sign-in", {"email": "x"}).status_code < 500
    assert not Fault.objects.exists()


def test_a_page_that_breaks_for_everybody_fills_no_table(site: Client) -> None:
    Fault.objects.bulk_create(_fault() for _ in range(faults.MOST_AN_HOUR))
    breaks(site)
    assert Fault.objects.count() == faults.MOST_AN_HOUR
    Fault.objects.update(at=timezone.now() - timedelta(hours=2))
    breaks(site)
    assert Fault.objects.count() == faults.MOST_AN_HOUR + 1


def test_old_faults_leave(site: Client) -> None:
    Fault.objects.bulk_create([_fault(), _fault(at=timezone.now() - faults.KEPT - timedelta(minutes=1))])
    tasks.forget_faults()
    assert Fault.objects.count() == 1


def _fault(**given: Any) -> Fault:
    return Fault(**{"reference": "x", "method": "GET", "route": "r", "error": "E", "place": "p", **given})
