"""The mailbox files what it is given, once, and shows it without running any of it."""

import asyncio
import smtplib
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import flask
import pytest
from flask.testing import FlaskClient

from sandbox.mail import Office, server
from sandbox.mail.office import with_links_on_top


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    yield office
    office.close()


@pytest.fixture
def browser(office: Office) -> FlaskClient:
    here = Path(__file__).resolve().parents[3] / "sandbox"
    app = flask.Flask("sandbox", root_path=str(here))
    app.register_blueprint(office.blueprint, url_prefix="/mail")
    app.add_url_rule("/", "index", lambda: "")
    return app.test_client()


def send(
    office: Office,
    *,
    to: str = "alice@example.test",
    message_id: str = "<1@mailat.test>",
    text: str = "Hello",
) -> None:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"], message["Message-ID"] = (
        "A letter",
        "hello@mailat.test",
        to,
        message_id,
    )
    message.set_content(text)
    message.add_alternative(
        f"<html><head></head><body><p>{text}</p><script>alert(1)</script></body></html>", subtype="html"
    )
    host, _, port = office.smtp.partition(":")
    with smtplib.SMTP(host, int(port), timeout=10) as door:
        door.send_message(message)


def messages(browser: FlaskClient, to: str = "") -> list[dict]:
    return browser.get(f"/mail/api/messages?to={to}").json["messages"]


def test_a_letter_is_filed_with_its_links(office: Office, browser: FlaskClient):
    send(office, text="Come in: http://127.0.0.1:8000/sign-in/link/abc and write back.")
    (letter,) = messages(browser)
    assert (letter["to"], letter["subject"]) == ("alice@example.test", "A letter")
    assert letter["links"] == ["http://127.0.0.1:8000/sign-in/link/abc"]


def test_a_letter_that_comes_twice_is_one_and_counted(office: Office, browser: FlaskClient):
    send(office)
    send(office)
    send(office, message_id="<2@mailat.test>")
    assert [letter["deliveries"] for letter in messages(browser)] == [1, 2]


def test_letters_can_be_looked_for_by_their_recipient(office: Office, browser: FlaskClient):
    send(office, to="Alice@example.test")
    send(office, to="bob@example.test")
    assert len(messages(browser, "alice@example.test")) == 1
    assert len(messages(browser)) == 2


def test_the_pages_show_a_letter_and_run_nothing_of_it(office: Office, browser: FlaskClient):
    send(office, text="<b>not bold</b> http://127.0.0.1:8000/x")
    assert "A letter" in browser.get("/mail/").text
    page = browser.get("/mail/1").text
    assert "&lt;b&gt;not bold" in page
    assert 'href="http://127.0.0.1:8000/x"' in page
    frame = browser.get("/mail/1/html")
    assert "default-src 'none'" in frame.headers["Content-Security-Policy"]
    assert "allow-scripts" not in frame.headers["Content-Security-Policy"]
    assert browser.get("/mail/99").status_code == 404


def test_a_link_does_not_take_the_full_stop_with_it(office: Office, browser: FlaskClient):
    send(
        office,
        text="Come in: http://127.0.0.1:8000/sign-in/link/abc. Or do not (http://127.0.0.1:8000/leave)!",
    )
    (letter,) = messages(browser)
    assert letter["links"] == ["http://127.0.0.1:8000/sign-in/link/abc", "http://127.0.0.1:8000/leave"]
    assert 'href="http://127.0.0.1:8000/sign-in/link/abc"' in browser.get("/mail/1").text


@pytest.mark.parametrize(
    ("bad", "subject", "text"),
    [
        (b"Subject: odd\r\nMessage-ID: <[>\r\nContent-Type: text/plain; charset=klingon\r\n\r\nhi", "odd", "hi"),
        (b"Subject: =?nowhere?q?x?=\r\n\r\n\xff hi", "=?nowhere?q?x?=", "\ufffd hi"),
        ("Subject: Grüße\r\n\r\nhi".encode(), "Grüße", "hi"),
        (b"Subject: a\xff\r\nContent-Type: text/plain; charset=\r\n\r\nhi", "a\ufffd", "hi"),
        (b"", "(no subject)", ""),
    ],
)  # fmt: skip
def test_a_letter_that_is_badly_written_is_shown_all_the_same(
    office: Office, browser: FlaskClient, bad: bytes, subject: str, text: str
):
    host, _, port = office.smtp.partition(":")
    with smtplib.SMTP(host, int(port), timeout=10) as door:
        door.sendmail("x@mailat.test", ["alice@example.test"], bad)
    (letter,) = messages(browser)
    assert (letter["subject"], letter["text"].strip()) == (subject, text)
    for path in ("/mail/", "/mail/1", "/mail/1/html"):
        assert browser.get(path).status_code == 200


def test_links_of_the_html_open_in_the_window(office: Office, browser: FlaskClient):
    send(office)
    assert '<base target="_top">' in browser.get("/mail/1/html").text
    assert with_links_on_top("<p>no head</p>").startswith('<base target="_top">')


def test_one_letter_that_is_slow_keeps_no_other_waiting(
    office: Office, browser: FlaskClient, monkeypatch: pytest.MonkeyPatch
):
    """The slow one is answered only after the other one was filed, or not at all."""
    released = threading.Event()
    monkeypatch.setattr(server, "nap", lambda seconds: asyncio.to_thread(released.wait, 10))
    browser.post("/mail/api/faults", json={"kind": "slow"})
    slow = threading.Thread(target=send, args=[office])
    slow.start()
    while browser.get("/mail/api/faults").json["faults"]:
        assert slow.is_alive()
    send(office, to="bob@example.test")
    assert [letter["to"] for letter in messages(browser)] == ["bob@example.test"]
    released.set()
    slow.join()
    assert len(messages(browser)) == 2


def test_an_empty_mailbox_says_what_to_do(browser: FlaskClient):
    assert "No mail yet" in browser.get("/mail/").text


def test_it_misbehaves_as_told_and_then_no_longer(office: Office, browser: FlaskClient):
    browser.post("/mail/api/faults", json={"kind": "refuse_later", "times": 1})
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(office)
    browser.post("/mail/api/faults", json={"kind": "lose_answer"})
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(office)
    send(office)
    assert [letter["deliveries"] for letter in messages(browser)] == [2]
    for wish in (
        {"kind": "explode"},
        {"kind": ["slow"]},
        [1],
        {"kind": "slow", "times": 0},
        {"kind": "slow", "times": "x"},
    ):
        assert browser.post("/mail/api/faults", json=wish).status_code == 400


def test_it_can_be_emptied(office: Office, browser: FlaskClient):
    send(office)
    browser.delete("/mail/api/messages")
    assert messages(browser) == []
