"""What a browser is told with every answer, and what it is never told."""

import re
from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from django.http import HttpResponse
from django.test import Client

from accounts.models import User
from devtools.paths import ROOT
from tests.doors.conftest import Places
from tests.doors.everything import Door, doors
from tests.doors.people import window

pytestmark = pytest.mark.django_db
SITE = doors()
PAGES = [door for door in SITE if not door.route.startswith(("agent/", "hooks/"))]
MACHINES = [door for door in SITE if door not in PAGES]
# The same for everybody.
FOR_ALL = {"", "plans", "healthz", ".well-known/mailat-signing-keys", "admin/jsi18n/"}
LOOSE = ("unsafe-inline", "unsafe-eval", "http:", "https:", " *", "blob:", "strict-dynamic")


def policy(response: HttpResponse) -> dict[str, str]:
    told = response["Content-Security-Policy"].split(";")
    return {name: value for name, _, value in (one.strip().partition(" ") for one in told)}


@pytest.mark.parametrize("door", PAGES, ids=str)
def test_every_page_has_all_of_the_headers(place: Places, stella: User, door: Door) -> None:
    for client in (window(), window(stella)):
        response = client.get(place(door))
        assert policy(response)["default-src"] == "'none'"
        assert policy(response)["frame-ancestors"] == "'none'"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["X-Frame-Options"] == "DENY"
        assert response["Referrer-Policy"] in ("same-origin", "strict-origin", "no-referrer")
        assert response["Cross-Origin-Opener-Policy"] == "same-origin"
        assert response["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "camera=()" in response["Permissions-Policy"]
        assert "Server" not in response


@pytest.mark.parametrize("door", [door for door in PAGES if not door.is_staffs], ids=str)
def test_no_page_of_a_customer_allows_anything_inline_or_from_elsewhere(
    place: Places, alice: User, door: Door
) -> None:
    for client in (window(), window(alice)):
        told = client.get(place(door))["Content-Security-Policy"]
        assert [loose for loose in LOOSE if loose in told] == []


@pytest.mark.parametrize("door", [door for door in PAGES if door.is_staffs], ids=str)
def test_a_page_of_the_staff_allows_one_thing_more(stella: User, door: Door) -> None:
    told = window(stella).get(door.path())["Content-Security-Policy"]
    assert [loose for loose in LOOSE if loose in told] in ([], ["unsafe-eval"])


@pytest.mark.parametrize("door", [door for door in PAGES if door.route not in FOR_ALL], ids=str)
def test_no_page_of_somebody_who_is_signed_in_is_kept(
    place: Places, alice: User, stella: User, door: Door
) -> None:
    """On a shared computer, Back shows nothing after the sign-out."""
    response = window(stella if door.is_staffs else alice).get(place(door))
    assert response.status_code != 200 or "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("door", MACHINES, ids=str)
def test_a_machines_door_shows_a_browser_nothing(door: Door) -> None:
    response = window().get(door.path())
    assert response["Content-Security-Policy"].startswith("default-src 'none'")
    assert response["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["/nowhere", "/servers/x", "/admin/nowhere/", "/static/nowhere.css", "/%00", "//evil.example/x"]
)
def test_what_is_not_there_is_said_with_the_same_headers(path: str) -> None:
    response = window().get(path)
    assert policy(response)["default-src"] == "'none'"
    assert response["X-Content-Type-Options"] == "nosniff"


# --- the name of the site


@pytest.mark.parametrize(
    "host", ["evil.example", "testserver.evil.example", "evil.example:80", "testserver@evil.example", "[::1]"]
)
@pytest.mark.parametrize("path", ["/", "/sign-in", "/overview", "/admin/", "/account"])
def test_another_host_is_refused(host: str, path: str, alice: User) -> None:
    for client in (window(), window(alice)):
        response = client.get(path, headers={"Host": host})
        assert response.status_code == 400
        assert "evil" not in str(response.headers) + response.content.decode()


def test_what_a_proxy_is_told_of_the_host_by_others_means_nothing() -> None:
    response = window().get(
        "/overview", headers={"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    )
    assert response["Location"] == "/sign-in?next=%2Foverview"


@pytest.fixture
def _over_tls(settings: LazySettings) -> Iterator[None]:
    """As production is set up; the names of cookies are made of this when the process starts."""
    settings.SECURE_SSL_REDIRECT = settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_SSL_HOST, settings.SECURE_HSTS_SECONDS = "mailat.example", 31_536_000
    settings.HSTS = "max-age=31536000; includeSubDomains; preload"
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    return


@pytest.mark.usefixtures("_over_tls")
def test_without_tls_one_is_led_to_our_own_name() -> None:
    client = Client()
    assert client.get("/plans?a=1")["Location"] == "https://mailat.example/plans?a=1"
    assert client.get("/healthz").status_code == 200


@pytest.mark.usefixtures("_over_tls")
@pytest.mark.parametrize("path", ["/plans", "/sign-in", "/nowhere", "/hooks/gumroad/x", "/agent/v1/report"])
def test_with_tls_every_answer_says_so_for_a_year(path: str) -> None:
    response = Client(headers={"X-Forwarded-Proto": "https"}).get(path)
    assert response["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"


# --- the ways by which a secret could leave in a path


def test_caddys_log_blanks_every_path_that_holds_a_word() -> None:
    """A door whose path holds a word of its own must be among those that Caddy's filter knows."""
    text = (ROOT / "deploy" / "Caddyfile").read_text()
    blanks = re.compile(re.search(r'request>uri regexp "(.*)" "\$1-"', text)[1])  # type: ignore[index]
    word = "nobodys-word-0123456789"
    for door in [*SITE, *doors("mailat.gate_urls")]:
        if {"StringConverter", "SlugConverter"} & set(door.takes.values()):
            assert word not in blanks.sub(r"\1-", door.path()), door.route
