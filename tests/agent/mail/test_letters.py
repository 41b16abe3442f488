"""A test mail is handed in once, and what is reported of it is what the way out said."""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from agent.mailat_agent.mail import flight, letters, postfix
from agent.mailat_agent.mail.chore import Situation
from agent.mailat_agent.mail.part import Host
from tests.agent.mail.small_post import AT, RELAY, Post, Programs, asking, listening, small_host

ONE = {"id": "0d6a1b0e-6c0f-4f6e-9d0b-2f7a40a3a111", "to": "carol@outside.test", "from": "alice@firm.test"}
SES = "email-smtp.eu-central-1.amazonaws.com[192.0.2.7]"


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """Its way out is in force."""
    host = small_host(tmp_path / "home")
    monkeypatch.setattr(postfix, "CURRENT", str(tmp_path / "current"))
    (tmp_path / "current/postfix").mkdir(parents=True)
    line = f"[{RELAY['host']}]:587\t{RELAY['username']}:secret\n"
    (tmp_path / "current/postfix/relay_password").write_text(line)
    monkeypatch.setenv("SSL_CERT_FILE", str(host.certificate(host.hostname)[0]))
    return host


@pytest.fixture
def post(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    programs = Programs(tmp_path)
    monkeypatch.setenv("PATH", f"{programs.path}:/usr/bin:/bin")
    post = Post(programs)
    with listening(post, host) as port:
        monkeypatch.setattr(flight, "SUBMISSION", port)
        yield post


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is seen was seen too long ago."""
    monkeypatch.setattr(letters, "PATIENCE", 0.0)


def told(situation: Situation) -> list[tuple[int, str]]:
    return [(one["code"], one["answer"]) for one in letters.run(situation)["letters"]]


def deferred(words: str) -> str:
    return f"{AT.format('4.7.8', 'deferred')} ({words})"


NO_SIGN_IN = deferred(
    f"SASL authentication failed; server {SES} said: 535 Authentication Credentials Invalid"
)


def test_it_is_handed_in_as_it_was_asked_for_and_the_way_outs_words_are_reported(
    host: Host, post: Post
) -> None:
    assert told(asking(host, ONE)) == [(250, "250 Ok 0102018f-000000")]
    (mail,) = post.taken
    head = mail.decode().split("\r\n\r\n")[0].split("\r\n")
    for line in (
        "From: alice@firm.test",
        "To: carol@outside.test",
        "Auto-Submitted: auto-generated",
        f"Message-ID: <{ONE['id']}@firm.test>",
    ):
        assert line in head


def test_it_is_reported_as_long_as_it_is_ordered_and_never_sent_again(host: Host, post: Post) -> None:
    first = letters.run(asking(host, ONE))
    assert letters.run(asking(host, ONE)) == first
    assert letters.run(asking(host)) == {"letters": []}
    assert letters.run(asking(host, ONE)) == first
    assert len(post.taken) == 1


def test_what_no_order_names_any_more_is_forgotten_at_last(
    host: Host, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letters, "REMEMBERED", 2)
    asked = [{**ONE, "id": str(uuid4())} for _ in range(4)]
    for one in asked:
        letters.run(asking(host, one))
    letters.run(asking(host))
    assert set(json.loads((host.home / letters.FILE).read_text())) == {one["id"] for one in asked[2:]}


def test_a_refusal_is_told_in_the_words_of_the_way_out(host: Host, post: Post) -> None:
    said = "554 Message rejected: Email address is not verified. alice@firm.test"
    post.outcome = (
        f"{AT.format('5.0.0', 'bounced')} (host {SES} said: {said} (in reply to end of DATA command))"
    )
    assert told(asking(host, ONE)) == [(554, said)]


@pytest.mark.parametrize("before", ["", "delivery temporarily suspended: "])
def test_a_refused_sign_in_is_told_at_once_and_the_letter_does_not_leave_later(
    host: Host, post: Post, before: str
) -> None:
    post.outcome = NO_SIGN_IN.replace("SASL", f"{before}SASL")
    assert told(asking(host, ONE)) == [(535, "535 Authentication Credentials Invalid")]
    assert post.programs.queue.read_text() == ""


@pytest.mark.parametrize(
    ("words", "known"),
    [
        (
            f"host {SES} said: 454 Throttling failure: Maximum sending rate exceeded.",
            (454, "454 Throttling failure: Maximum sending rate exceeded."),
        ),
        (
            f"SASL authentication failed; server {SES} said: 454 Temporary authentication failure",
            (454, "454 Temporary authentication failure"),
        ),
        (f"connect to {SES}:587: Connection timed out", (0, f"connect to {SES}:587: Connection timed out")),
    ],
)
def test_what_may_pass_is_waited_for_and_told_when_it_takes_too_long(
    host: Host, post: Post, monkeypatch: pytest.MonkeyPatch, words: str, known: tuple[int, str]
) -> None:
    post.outcome = deferred(words)
    situation = asking(host, ONE)
    assert told(situation) == []
    assert post.programs.queue.read_text() != ""
    monkeypatch.setattr(letters, "PATIENCE", 0.0)
    assert told(situation) == [known]
    assert post.programs.queue.read_text() == ""
    assert len(post.taken) == 1


def test_what_was_put_off_and_then_taken_was_taken(host: Host, post: Post) -> None:
    post.outcome = deferred(f"connect to {SES}:587: Connection refused")
    assert told(asking(host, ONE)) == []
    post.programs.say(f"4CFA81C0: to=<carol@outside.test>, {AT.format('2.0.0', 'sent')} (250 Ok 02)")
    assert told(asking(host, ONE)) == [(250, "250 Ok 02")]


@pytest.mark.usefixtures("late")
def test_a_letter_of_which_the_log_says_nothing_is_told_to_be_unknown_and_not_sent_again(
    host: Host, post: Post
) -> None:
    post.loses = True
    for _ in range(2):
        assert told(asking(host, ONE)) == [(0, "it is not known what became of it")]
    assert len(post.taken) == 1


def test_where_nobody_knows_whether_it_was_taken_the_log_tells(host: Host, post: Post) -> None:
    post.hangs_up = True
    assert told(asking(host, ONE)) == [(250, "250 Ok 0102018f-000000")]
    assert len(post.taken) == 1


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
def test_what_this_host_refuses_for_good_is_told_at_once(host: Host, post: Post, command: str) -> None:
    post.answers[command] = "553 5.7.1 not owned by user canary"
    assert told(asking(host, ONE)) == [(0, "not sent: refused: 553 5.7.1 not owned by user canary")]


@pytest.mark.parametrize("command", ["AUTH", "MAIL", "RCPT", "DATA"])
def test_what_this_host_puts_off_is_tried_again(host: Host, post: Post, command: str) -> None:
    post.answers[command] = "454 4.3.0 try again later"
    assert told(asking(host, ONE)) == []
    post.answers.clear()
    assert told(asking(host, ONE))[0][0] == 250
    assert len(post.taken) == 1


@pytest.mark.usefixtures("late")
def test_a_sign_in_that_this_host_itself_refuses_is_not_taken_for_the_way_outs(
    host: Host, post: Post
) -> None:
    post.answers["AUTH"] = "535 5.7.8 authentication failed"
    ((code, words),) = told(asking(host, ONE))
    assert (code, words.endswith("signing in failed: 535 5.7.8 authentication failed")) == (0, True)


def test_a_certificate_that_nobody_trusts_yet_is_waited_for(
    host: Host, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    assert told(asking(host, ONE)) == []
    assert post.taken == []


def test_it_does_not_leave_by_another_way_out_than_the_orders(host: Host, post: Post) -> None:
    newer = {**RELAY, "username": "AKIA" + "Y" * 16}
    for situation in (asking(host, ONE, relay=None), asking(host, ONE, relay=newer)):
        assert told(situation) == []
    changing = asking(host, ONE)
    with changing.busy:
        assert told(changing) == []
    assert post.taken == []
    assert told(changing)[0][0] == 250


@pytest.mark.usefixtures("late")
def test_that_there_is_no_way_out_is_told_at_last(host: Host, post: Post) -> None:
    assert told(asking(host, ONE, relay=None)) == [(0, "not sent: there is no way out")]


def test_it_hurries_only_while_somebody_waits(host: Host, post: Post) -> None:
    assert letters.every(asking(host)) == letters.LATER
    assert letters.every(asking(host, ONE)) == letters.SOON
    letters.run(asking(host, ONE))
    assert letters.every(asking(host, ONE)) == letters.LATER


@pytest.mark.parametrize("text", ["", "{", "[]", '{"x": 5}', '{"x": {"since": 1, "of a later version": 2}}'])
def test_a_file_that_cannot_be_read_is_no_reason_to_stop(host: Host, post: Post, text: str) -> None:
    (host.home / letters.FILE).write_text(text)
    assert told(asking(host, ONE))[0][0] == 250


def test_no_answer_is_longer_than_a_report_takes(host: Host, post: Post) -> None:
    post.outcome = f"{AT.format('5.0.0', 'bounced')} (host {SES} said: 554 {'x' * 900})"
    assert len(told(asking(host, ONE))[0][1]) == 300
