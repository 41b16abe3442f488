"""An error says what happened, what to do, and a reference that staff can search."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from dashboard import errors

HANDLERS = [(errors.bad, 400), (errors.forbidden, 403), (errors.not_found, 404), (errors.too_many, 429)]


@pytest.fixture
def request_of_nobody(rf: RequestFactory) -> HttpRequest:
    request = rf.get("/somewhere")
    request.reference = "abc123abc123abc1"  # type: ignore[attr-defined]
    return request


@pytest.mark.parametrize(("handler", "status"), [*HANDLERS, (errors.form_forgotten, 403)])
def test_each_error_has_a_page(
    request_of_nobody: HttpRequest, handler: Callable[[HttpRequest], HttpResponse], status: int
) -> None:
    response = handler(request_of_nobody)
    assert response.status_code == status
    page = response.content.decode()
    assert "abc123abc123abc1" in page
    assert 'class="button' in page


def test_a_broken_page_asks_nothing_of_what_may_be_broken(request_of_nobody: HttpRequest, db: None) -> None:
    with CaptureQueriesContext(connection) as seen:
        response = errors.broken(request_of_nobody)
    assert response.status_code == 500
    assert len(seen) == 0
    assert "abc123abc123abc1" in response.content.decode()


def test_an_unknown_address_tells_the_reference_of_its_request(client: Client, alice: User) -> None:
    client.force_login(alice)
    response = client.get("/nowhere", headers={"X-Request-ID": "searched-for-this"})
    assert response.status_code == 404
    assert "Go to the overview" in response.content.decode()


def test_no_page_says_oops(request_of_nobody: HttpRequest) -> None:
    for handler, _status in HANDLERS:
        page = handler(request_of_nobody).content.decode().lower()
        assert "oops" not in page
        assert "!</" not in page
