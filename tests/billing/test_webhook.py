"""The door for pings: nothing that a ping holds leads to anything but 200, and what could not be kept is asked for again."""

import io
import logging
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection
from django.http import HttpRequest
from django.test import Client, RequestFactory

from billing import webhook
from billing.models import Ping
from billing.pings import MOST_BYTES
from engine import at_once
from engine.at_once import KNOCK_EVERY, Crowd
from engine.models import Run
from tests.billing.shop import encode

SECRET = "webhook-secret-for-tests"
HERE = f"/hooks/gumroad/{SECRET}"
FORM = "application/x-www-form-urlencoded"
SALE = encode({"sale_id": "S==", "full_name": "Zoë [x]", "resource_name": "sale"})


def post(body: bytes = SALE, content_type: str = FORM, path: str = HERE, **headers: Any) -> Any:
    return Client(raise_request_exception=False).post(path, data=body, content_type=content_type, **headers)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "body",
    [SALE, b" ", b"\xff\xfe\x00", b"%%%&=&[", b'{"sale_id": 1}', bytes(range(256)), b"a=1\r\n\r\n" * 99],
)
def test_a_ping_is_kept_byte_for_byte_with_its_program(body: bytes) -> None:
    response = post(body)
    assert response.status_code == 200
    ping = Ping.objects.get()
    assert (bytes(ping.body), ping.content_type, ping.became) == (body, FORM, Ping.Became.NEW)
    run = Run.objects.get()
    assert (run.program, run.subject, run.finished_at) == ("ApplyPing", f"ping:{ping.pk}", None)


@pytest.mark.django_db
def test_what_gumroad_has_in_line_for_the_secret_before_is_kept(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.GUMROAD_WEBHOOK_SECRET, settings.GUMROAD_WEBHOOK_SECRET_BEFORE = "the-new-word", SECRET
    compared: list[str] = []
    compare = webhook.constant_time_compare
    monkeypatch.setattr(
        webhook, "constant_time_compare", lambda given, right: compared.append(right) or compare(given, right)
    )
    assert [post().status_code, post(path="/hooks/gumroad/the-new-word").status_code] == [200, 200]
    assert post(path="/hooks/gumroad/another").status_code == 404
    assert compared == ["the-new-word", SECRET] * 3, "how long it takes does not tell which one it was"


@pytest.mark.django_db
def test_the_secret_before_is_forgotten_when_it_is_set_no_more(settings: Any) -> None:
    settings.GUMROAD_WEBHOOK_SECRET = "the-new-word"
    assert settings.GUMROAD_WEBHOOK_SECRET_BEFORE == ""
    assert post().status_code == 404
    assert webhook.gumroad(RequestFactory().post("/"), "").status_code == 404, "an empty word is none"


@pytest.mark.django_db
def test_an_empty_ping_is_kept() -> None:
    assert post(b"").status_code == 200
    assert bytes(Ping.objects.get().body) == b""


@pytest.mark.django_db
@pytest.mark.parametrize("content_type", ["", "application/json", "x" * 500, "multipart/form-data", "\xe9/*"])
def test_no_content_type_is_too_strange(content_type: str) -> None:
    assert post(content_type=content_type).status_code == 200
    assert bytes(Ping.objects.get().body) == SALE


@pytest.mark.django_db
def test_of_what_is_too_long_the_beginning_is_kept() -> None:
    assert post(SALE + b"&x=" + b"y" * (3 * 1024 * 1024)).status_code == 200
    kept = bytes(Ping.objects.get().body)
    assert len(kept) == MOST_BYTES
    assert kept.startswith(SALE)


@pytest.mark.django_db
def test_every_ping_is_another_one() -> None:
    for _ in range(3):
        post()
    assert Ping.objects.count() == Run.objects.count() == 3


@pytest.mark.django_db
@pytest.mark.parametrize("secret", ["x", "webhook-secret-for-test", SECRET + "x", SECRET.upper(), "é", "%00"])
def test_who_does_not_know_the_secret_is_told_of_nothing(secret: str) -> None:
    response = post(path=f"/hooks/gumroad/{secret}")
    assert (response.status_code, response.content) == (404, b"")
    assert not Ping.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/hooks/gumroad/", "/hooks/gumroad", HERE + "/", HERE + "/x", "/hooks/"])
def test_no_address_nearby_leads_here_or_redirects(path: str) -> None:
    assert post(path=path).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "head", "put", "delete", "patch", "options"])
def test_only_a_post_is_a_ping(method: str) -> None:
    response = getattr(Client(), method)(HERE)
    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert not Ping.objects.exists()


@pytest.mark.django_db
def test_a_ping_needs_no_cookie_and_leaves_none() -> None:
    response = Client(enforce_csrf_checks=True).post(HERE, data=SALE, content_type=FORM)
    assert response.status_code == 200
    assert not response.cookies


@pytest.mark.django_db
def test_what_could_not_be_kept_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise psycopg.OperationalError("the database is away")

    monkeypatch.setattr("engine.prepared.run", broken)
    assert post().status_code == 503
    assert not Ping.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_ping_is_not_kept_without_its_program() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE engine_run ADD CONSTRAINT nobody CHECK (program <> 'ApplyPing') NOT VALID"
        )
    try:
        assert post().status_code == 503
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE engine_run DROP CONSTRAINT nobody")
    assert not Ping.objects.exists()


@pytest.mark.django_db
def test_a_ping_that_broke_off_is_asked_for_again() -> None:
    request = RequestFactory().post(HERE, data=SALE, content_type=FORM)
    request.META["CONTENT_LENGTH"] = str(len(SALE) + 10)
    assert webhook.gumroad(request, SECRET).status_code == 503
    assert not Ping.objects.exists()


@pytest.mark.django_db
def test_a_ping_that_does_not_tell_its_length_is_kept() -> None:
    request = RequestFactory().generic(
        "POST", HERE, **{"wsgi.input": io.BytesIO(SALE), "wsgi.input_terminated": True}
    )
    assert "CONTENT_LENGTH" not in request.META
    assert webhook.gumroad(request, SECRET).status_code == 200
    assert bytes(Ping.objects.get().body) == SALE


@pytest.fixture
def dead_broker() -> Iterator[None]:
    """Knocks go to a Redis where nobody listens."""
    from mailat.celery import app, broker

    away = "redis://127.0.0.1:9/0"
    before = app.conf.broker_write_url, app.conf.broker_transport_options
    app.conf.broker_write_url = away
    app.conf.broker_transport_options = broker(away)["broker_transport_options"]
    del app.amqp
    app.amqp._producer_pool = None
    yield
    app.conf.broker_write_url, app.conf.broker_transport_options = before
    app.amqp._producer_pool = None


@pytest.mark.django_db(transaction=True)
def test_a_ping_is_kept_while_the_broker_is_away_and_gumroad_does_not_wait(
    dead_broker: None, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at_once, "crowd", Crowd(KNOCK_EVERY))  # no ping of another test came just before
    waited: list[float] = []
    monkeypatch.setattr("kombu.utils.functional.sleep", waited.append)
    assert post().status_code == 200
    assert Ping.objects.count() == Run.objects.count() == 1
    assert "no knock" in caplog.text
    assert not waited


@pytest.mark.django_db
@pytest.mark.parametrize("trouble", [OperationalError("away"), RuntimeError("a fault of ours"), None])
def test_no_log_holds_the_secret(
    trouble: Exception | None, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Django itself logs the path of what went wrong."""
    for name in ("django.request", "mailat.request", "billing"):
        caplog.set_level(logging.DEBUG, logger=name)
    if trouble:
        monkeypatch.setattr("billing.actions.keep_ping", _raising(trouble))
    responses = [post(), Client().get(HERE)]
    assert [response.status_code for response in responses][1] == 405
    shown = caplog.text + "".join(repr(vars(record)) for record in caplog.records)
    assert "Method Not Allowed" in shown
    assert SECRET not in shown


def _raising(trouble: Exception) -> Any:
    def keep_ping(**_: Any) -> None:
        raise trouble

    return keep_ping


def test_the_secret_is_compared_without_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[str, str]] = []
    monkeypatch.setattr(webhook, "constant_time_compare", lambda *both: bool(compared.append(both)))
    assert webhook.gumroad(HttpRequest(), "guess").status_code == 404
    assert compared == [("guess", SECRET)]
