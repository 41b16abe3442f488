"""Secrets are planted at every entrance, everything goes well, wrong and down, and then they are looked for everywhere.

What a tracker of errors such as Sentry would be told is not looked at, for none is part of the product: the tracebacks in the
logs stand for it.
"""

import json
import os
import pickle
import secrets
import smtplib
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis as client
import requests
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection

from audit.actions import record
from devtools.postgres import Postgres
from devtools.services import postgres, redis
from tests.integration import planted_places as places
from tests.integration.planted import Allowed, Found, Planted, forbidden, forms, search, unused
from tests.integration.planted_deeds import ODD, Deeds
from tests.integration.planted_site import Browser, Site, at_work_in, eventually, site

pytestmark = pytest.mark.integration

NAMES = ("SECRET_KEY", "HETZNER_TOKEN", "GUMROAD_TOKEN", "GUMROAD_WEBHOOK_SECRET")
CONTROL = Planted("the control", f"control-{secrets.token_hex(16)}{ODD}{secrets.token_hex(8)}".encode())
HERSELF = "shown to whoever typed it, and to nobody else"
MUST_BE = [
    Allowed("sign-in: *'s *", "mail:*: Sign in to Mailat", "the mail is how it gets to its owner"),
    Allowed("invitation: its token", "mail:anna@elsewhere.test: *", "the mail is how it gets to its owner"),
    Allowed("session: *", "table:django_session", "Django keeps a session under its key"),
    Allowed("session: *", "page:* cookie", "the cookie is set by answers that change what is remembered"),
    Allowed("sign-in: the cookie*", "page:* sign-in asked 302 cookie", "the cookie is set by the answer"),
    Allowed("topic: its token", "table:sending_topic", "compared with what Amazon's call bears"),
    Allowed("ping: *", "table:billing_ping", "a ping is kept as it came, before it is read"),
    Allowed(
        "ping: as the kind",
        "table:engine_alarm | table:accounts_letter | mail:stella@*",
        "staff are told which kind",
    ),
    Allowed(
        "sign-in: Alice's code", "page:* opened elsewhere 200", "who has the link may type its code elsewhere"
    ),
    Allowed("app: *", "page:* app *", HERSELF),
    Allowed("recovery code: in groups", "page:* codes shown 200", HERSELF),
    Allowed("admin: *", "page:* admin *", HERSELF),
]


@pytest.fixture(scope="module")
def database() -> Iterator[Postgres]:
    with postgres() as server:
        yield server


@pytest.fixture(scope="module")
def lived(
    database: Postgres, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator["Lived"]:
    """All deeds are done, and everything that is left of them is gathered."""
    home = tmp_path_factory.mktemp("planted")
    words = {name: secrets.token_urlsafe(48) for name in ("database", "redis", *NAMES)}
    url = database.url().replace("//mailat@", f"//mailat:{words['database']}@")
    with redis() as broker, django_db_blocker.unblock():
        client.Redis.from_url(broker.url).config_set("requirepass", words["redis"])
        broker_url = broker.url.replace("//", f"//:{words['redis']}@")
        heard = home.parent / f"{home.name}-redis"
        with (
            places.overheard(broker.port, words["redis"], heard),
            at_work_in(database.url()),
            site(home, database_url=url, broker_url=broker_url, secrets={n: words[n] for n in NAMES}) as one,
        ):
            yield Lived(one, words, client.Redis.from_url(broker_url), database, heard)


class Lived:
    """What was planted, and where everything lies."""

    def __init__(
        self, one: Site, words: dict[str, str], broker: "client.Redis[bytes]", database: Postgres, heard: Path
    ) -> None:
        self.site, self.broker, self.database, self.heard = one, broker, database, heard
        deeds = Deeds(one)
        self.planted = deeds.planted
        for name in ("database", "redis"):
            deeds.plant(f"environment: the password of the {name}", words[name])
        self._all(deeds)
        with Controls(self, deeds):
            self.places = self._gathered()
        self.found = search([*self.planted, CONTROL], self.places)

    def _all(self, deeds: Deeds) -> None:
        deeds.sign_in()
        deeds.refused_keys()
        deeds.broken_pages()
        deeds.passwords()
        deeds.staff()
        deeds.tried_keys()
        deeds.machines()
        self._database_goes(deeds)
        deeds.read_by_staff()

    def _database_goes(self, deeds: Deeds) -> None:
        """For a moment there is no Postgres at all."""
        self.database.stop()
        try:
            self.gone = [deeds.alice.get("/overview", "overview, no database").status_code]
            said = {"do": "set", "secret": deeds.plant("key: while there is no database")}
            self.gone.append(deeds.alice.post(deeds.page, "key, no database", said).status_code)
        finally:
            self.database.start()
            connection.close()
            connection.close_pool()
        eventually(self._is_back, "the site after its database")

    def _is_back(self) -> bool:
        """Each web process has looked for its database again: after a failure it waits twice as long as before."""
        return all(requests.get(f"{self.site.url}/healthz", timeout=60).ok for _ in range(16))

    def _gathered(self) -> dict[str, bytes]:
        return {
            **dict(places.on_disk(self.site.home)),
            **dict(places.tables(self.database.url())),
            **dict(places.in_redis(self.broker)),
            **dict(places.traffic(self.heard)),
            **dict(places.letters(self.site.sandbox)),
            **dict(places.arguments(os.getpid())),
            **dict(Browser.pages),
            "log:postgres": self.database.log.read_bytes(),
        }

    def of(self, name: str) -> list[Found]:
        return [one for one in self.found if one.name == name]


class Controls:
    """One more secret is really put into each kind of place, so that the search is seen to find it there."""

    def __init__(self, lived: Lived, deeds: Deeds) -> None:
        self.lived, self.deeds, self.text = lived, deeds, CONTROL.value.decode()

    def __enter__(self) -> None:
        home = self.lived.site.home
        for log in [*home.glob("*.log"), self.lived.database.log]:
            with log.open("a") as file:
                file.write(f"{self.text!r}\n")
        (home / "control.bin").write_bytes(b64encode(b"x" + CONTROL.value))
        self._in_database()
        self.lived.broker.set("control", self.text * 50)
        self.lived.broker.rpush("control-list", json.dumps({"body": b64encode(self.text.encode()).decode()}))
        self.deeds.stella.get("/admin/vault/secret/", "admin control", params={"q": self.text})
        self._in_mail()
        command = [sys.executable, "-c", "import time; time.sleep(600)", self.text]
        self.process = subprocess.Popen(command)

    def _in_database(self) -> None:
        record("test.control", by="test", account=None, subject="test:control", words=self.text)
        session = SessionStore()
        session["words"] = self.text * 20
        session.save()
        packed = b64encode(pickle.dumps([self.text])).decode()
        with psycopg.connect(self.lived.database.url()) as link:
            link.execute(
                "INSERT INTO django_cache VALUES ('control', %s, now() + interval '1 day')", [packed]
            )

    def _in_mail(self) -> None:
        host, _, port = str(self.lived.site.sandbox.where["smtp"]).partition(":")
        said = f"Subject: control\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{self.text}\r\n"
        with smtplib.SMTP(host, int(port)) as post:
            post.sendmail("a@example.test", ["b@example.test"], said.encode())

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()


def test_a_secret_is_found_in_whatever_form_it_was_written_down():
    """Each form is put among other bytes and found; without it, nothing is."""
    for value in (CONTROL.value, secrets.token_bytes(32), secrets.token_urlsafe(48).encode()):
        one = Planted("one", value)
        for name, text in forms(value).items():
            assert search([one], {"a": b"..." + text + b"...", "b": text[:-1]})[0].place == "a", name
        assert search([one], {"a": secrets.token_bytes(10_000)}) == []
        for before in range(3):
            assert search([one], {"a": b64encode(b"{" * before + value + b"}}")})


def test_the_search_finds_what_was_put_into_each_kind_of_place(lived: Lived):
    there = {one.place for one in lived.of(CONTROL.name)}
    kinds = {place.partition(":")[0] for place in there}
    assert kinds >= {
        "log",
        "file",
        "table",
        "session",
        "cache",
        "redis",
        "redis traffic",
        "page",
        "mail",
        "argv",
    }
    logs = {place for place in lived.places if place.startswith("log:")}
    assert logs <= there
    assert {"log:gunicorn-web.log", "log:celery-worker.log", "log:celery-beat.log", "log:postgres"} <= logs
    assert {"redis:control", "redis:control-list", "cache:control"} <= there
    assert any(place.startswith("table:audit_event") for place in there)


def test_everything_that_should_break_did_break(lived: Lived):
    web, worker = lived.site.log("gunicorn-web"), lived.site.log("celery-worker")
    assert web.count("Traceback") > 10
    assert "Traceback" in worker
    assert "ValueError" in worker
    assert lived.gone == [500, 500]
    assert len(lived.planted) > 60


def test_no_secret_stays_anywhere(lived: Lived):
    wrong = forbidden([one for one in lived.found if one.name != CONTROL.name], MUST_BE)
    assert wrong == [], "\n".join(f"{one.name} in {one.place} as {one.form}" for one in wrong)


def test_every_exception_is_needed(lived: Lived):
    assert unused(lived.found, MUST_BE) == []
