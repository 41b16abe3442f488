"""The outside world as one program: it starts, says where it is, keeps strangers out, ends, and comes back as it was."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from sandbox.app import Config, World

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
SECRETS = {
    "HETZNER_TOKEN": "hetzner-secret", "GUMROAD_TOKEN": "gumroad-secret",
    "GUMROAD_PING_URL": "http://127.0.0.1:9/hooks/gumroad/ping-secret", "DATABASE_URL": "",
}  # fmt: skip
ELSEWHERE = {"Origin": "https://charlie.test"}
Start = Callable[..., tuple[subprocess.Popen[str], dict[str, str]]]


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[FlaskClient]:
    world = World(Config(tmp_path, "http://127.0.0.1:8000", hosts="none", hetzner_token="t"))
    yield world.app.test_client()
    world.close()


def test_the_first_page_leads_to_every_other(browser: FlaskClient):
    page = browser.get("/").text
    links = set(re.findall(r'href="(/[^"]*)"', page))
    assert {
        "/gumroad/l/mailat",
        "/gumroad/seller",
        "/mail/",
        "/hetzner/sandbox",
        "/internet/",
        "/aws/",
        "/storage/",
        "/clock",
    } <= links
    assert {link: browser.get(link).status_code for link in links} == dict.fromkeys(links, 200)
    assert 'href="http://127.0.0.1:8000"' in page


def test_every_page_says_that_it_is_not_the_real_thing(browser: FlaskClient):
    for path in (
        "/",
        "/gumroad/l/mailat",
        "/gumroad/seller",
        "/mail/",
        "/hetzner/sandbox",
        "/internet/",
        "/aws/",
        "/storage/",
        "/clock",
    ):
        page = browser.get(path)
        assert f"not the real {'Gumroad' if 'gumroad' in path else 'service'}." in page.text, path
        assert "default-src 'self'" in page.headers["Content-Security-Policy"]
        assert not re.search(r"<script(?! src=)|\sstyle=|\son\w+=", page.text), path


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/clock"), ("POST", "/clock/pass"), ("DELETE", "/mail/api/messages"), ("POST", "/mail/api/faults"),
     ("POST", "/gumroad/seller"), ("POST", "/internet/api/names"), ("DELETE", "/internet/api/ses/faults"), ("POST", "/gumroad/sandbox/buy"), ("POST", "/hetzner/sandbox/faults")],
)  # fmt: skip
def test_a_page_from_elsewhere_changes_nothing(browser: FlaskClient, method: str, path: str):
    assert browser.open(path, method=method, headers=ELSEWHERE).status_code == 403
    assert browser.open(path, method=method, headers={"Origin": "null"}).status_code == 403


def test_a_strangers_name_for_this_machine_shows_nothing(browser: FlaskClient):
    for path in ("/mail/", "/mail/api/messages", "/gumroad/seller"):
        assert browser.get(path, base_url="http://charlie.test:8010").status_code == 400
        assert browser.get(path, base_url="http://127.0.0.1:8010").status_code == 200


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the program on the same files each time; nothing that it started outlives the test."""
    started: list[subprocess.Popen[str]] = []

    def starting(*words: str) -> tuple[subprocess.Popen[str], dict[str, str]]:
        command = [
            sys.executable,
            "-m",
            "sandbox",
            "--home",
            str(tmp_path),
            "--hosts",
            "none",
            "--control-url",
            "http://127.0.0.1:1",
        ]
        process = subprocess.Popen(
            [*command, *words], env={**os.environ, **SECRETS}, cwd=ROOT, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        started.append(process)
        assert process.stdout
        return process, json.loads(process.stdout.readline() or "{}")

    yield starting
    for process in started:
        process.kill()
        process.communicate()


def call(url: str, **body: Any) -> Any:
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return json.loads(answer.read())


def test_it_says_where_everything_is_and_no_secret(start: Start):
    process, where = start()
    assert {
        "url",
        "hetzner_api",
        "gumroad_api",
        "store",
        "mail",
        "smtp",
        "hosts",
        "aws",
        "internet",
        "socks",
        "ca",
        "storage",
        "storage_api",
    } <= set(where)
    assert (where["lan"], where["acme"]) == ("", "")
    assert "no network that they share" in where["acme_why"]
    assert Path(where["ca"]).read_text().startswith("-----BEGIN CERTIFICATE-----")
    for page in ("url", "store", "mail", "internet", "aws", "storage"):
        with urllib.request.urlopen(where[page], timeout=60) as answer:  # noqa: S310
            assert answer.status == 200
    bought = call(where["url"] + "/gumroad/sandbox/buy", email="alice@example.test", tier="Basic")
    assert bought["sale_id"].endswith("==")
    process.terminate()
    said = "".join(process.communicate(timeout=60)) + json.dumps(where)
    assert "-secret" not in said


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_and_comes_back_as_it_was(start: Start, how: signal.Signals):
    process, where = start()
    bought = call(where["url"] + "/gumroad/sandbox/buy", email="alice@example.test", tier="Basic")
    process.send_signal(how)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    _, where = start()
    state = call(where["url"] + "/gumroad/sandbox/state")
    assert [row["id"] for row in state["subscriptions"]] == [bought["subscription_id"]]


def test_it_comes_back_also_after_it_was_killed(start: Start):
    process, where = start()
    bought = call(where["url"] + "/gumroad/sandbox/buy", email="alice@example.test", tier="Basic")
    process.kill()
    process.wait()
    _, where = start()
    state = call(where["url"] + "/gumroad/sandbox/state")
    assert [row["id"] for row in state["sales"]] == [bought["sale_id"]]
    assert len(state["pings"]) == 1


def test_a_port_that_is_taken_ends_it_with_a_word(start: Start):
    _, where = start()
    second, _ = start("--port", where["url"].rpartition(":")[2])
    _, errors = second.communicate(timeout=60)
    assert second.returncode != 0
    assert "in use" in errors
