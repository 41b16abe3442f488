"""Each door is asked in its own protocol, and what is wrong with it is said in words."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.mailat_agent.mail import probes
from agent.mailat_agent.mail.part import Host
from tests.agent.mail.doors import HANG_UP, LISTEN, SILENCE, TLS, Door, Words, certificate

NAME = "post.servers.test"
HOST = Host(NAME, ("192.0.2.1",))
EHLO = "250-post.servers.test\r\n250-STARTTLS\r\n250 PIPELINING"
AUTH = "250-post.servers.test\r\n250 AUTH PLAIN LOGIN"
GREETING = "220 post.servers.test ESMTP"

WELL: dict[str, Words] = {
    "smtp": (GREETING, EHLO, "221 Bye"),
    "submission": (GREETING, EHLO, TLS, AUTH, "221 Bye"),
    "submissions": (GREETING, AUTH, "221 Bye"),
    "imaps": ("* OK ready", "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\na OK done", "* BYE"),
    "sieve": ('"IMPLEMENTATION" "Dovecot Pigeonhole"', "OK"),
    "https": (*[LISTEN] * 4, "HTTP/1.1 200 OK"),
    "lmtp": ("220 post.servers.test LMTP", "221 Bye"),
}
AT_ONCE = {"submissions", "imaps", "https"}
Ask = Callable[..., str]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ask]:
    """What the probe of this name finds wrong with a door that says these words."""
    monkeypatch.setattr(probes, "PATIENCE", 60.0)
    probes.forget()
    doors = []

    def ask(name: str, words: Words, shown: str = NAME) -> str:
        address = tmp_path / "lmtp" if name == "lmtp" else ""
        door = Door(words, certificate(tmp_path / shown, shown), name in AT_ONCE, address)
        doors.append(door)
        monkeypatch.setattr(probes, name.upper(), str(address) if address else door.port)
        return probes.look(HOST, [name])[name]

    yield ask
    for door in doors:
        door.close()


@pytest.mark.parametrize("name", sorted(WELL))
def test_a_door_that_keeps_to_its_protocol_is_well(ask: Ask, name: str) -> None:
    assert ask(name, WELL[name]) == ""


@pytest.mark.parametrize("status", ["200 OK", "301 Moved Permanently", "404 Not Found"])
def test_any_answer_of_the_web_server_is_well_unless_it_failed(ask: Ask, status: str) -> None:
    assert ask("https", (*[LISTEN] * 4, f"HTTP/1.1 {status}")) == ""
    assert ask("https", (*[LISTEN] * 4, "HTTP/1.1 502 Bad Gateway")) == "it answers 502 Bad Gateway"


@pytest.mark.parametrize("name", sorted(WELL))
def test_a_door_that_says_nothing(ask: Ask, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "PATIENCE", 0.5)

    assert ask(name, (SILENCE,)).startswith("no answer within")


@pytest.mark.parametrize("name", sorted(WELL))
def test_a_door_that_hangs_up(ask: Ask, name: str) -> None:
    assert ask(name, (HANG_UP,)) == "it hangs up"


@pytest.mark.parametrize("name", sorted(WELL))
def test_a_door_behind_which_is_nobody(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, name.upper(), str(tmp_path / "none") if name == "lmtp" else 1)

    assert probes.look(HOST, [name])[name] in (
        "nobody answers: Connection refused",
        "nobody answers: No such file or directory",
    )


@pytest.mark.parametrize("name", ["smtp", "submission", "submissions"])
def test_a_door_that_is_too_busy(ask: Ask, name: str) -> None:
    assert "421" in ask(name, ("421 too many connections",))


@pytest.mark.parametrize("name", ["imaps", "sieve", "lmtp"])
def test_a_door_of_something_else(ask: Ask, name: str) -> None:
    assert ask(name, ("HTTP/1.1 400 Bad Request",)) == "it answers HTTP/1.1 400 Bad Request"


def test_submission_without_starttls_or_without_sign_in(ask: Ask) -> None:
    assert ask("submission", (GREETING, "250 x", "221 Bye")) == "it does not offer STARTTLS"
    assert ask("submission", (GREETING, EHLO, TLS, "250 x", "221 Bye")) == (
        "nobody can sign in: it does not offer AUTH"
    )
    assert ask("submissions", (GREETING, "250 x", "221 Bye")) == "nobody can sign in: it does not offer AUTH"


@pytest.mark.parametrize("name", ["submission", "submissions", "imaps", "https"])
def test_a_certificate_of_somebody_else(ask: Ask, name: str) -> None:
    assert ask(name, WELL[name], shown="mail.other.test") == "its certificate is for mail.other.test"


@pytest.mark.parametrize("name", ["submissions", "imaps", "https"])
def test_a_door_that_does_not_speak_tls(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door(("220 plain", "250 plain"), certificate(tmp_path, NAME), at_once=False)
    monkeypatch.setattr(probes, name.upper(), door.port)

    assert probes.look(HOST, [name])[name].startswith("no TLS: ")
    door.close()


def test_only_the_doors_named_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "SMTP", 1)
    monkeypatch.setattr(probes, "IMAPS", 1)

    assert list(probes.look(HOST, ["imaps", "smtp", "unheard-of"])) == ["imaps", "smtp"]


def test_webmail_that_answered_is_believed_for_a_while_and_the_web_server_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(probes.time, "monotonic", lambda: now[0])
    door = Door((*[LISTEN] * 4, "HTTP/1.1 200 OK"), certificate(tmp_path, NAME), at_once=True)
    monkeypatch.setattr(probes, "HTTPS", door.port)
    probes.forget()

    for wait in (0.0, 60.0, 500.0, 60.0):
        now[0] += wait
        assert probes.look(HOST, ["https"]) == {"https": ""}
    probes.forget()
    probes.look(HOST, ["https"])
    door.close()

    asked = [line.split()[1] for line in door.heard if line.startswith(b"HEAD ")]
    assert asked == [b"/", b"/robots.txt", b"/robots.txt", b"/", b"/"]


def test_webmail_that_failed_is_asked_until_it_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = Door((*[LISTEN] * 4, "HTTP/1.1 502 Bad Gateway"), certificate(tmp_path, NAME), at_once=True)
    monkeypatch.setattr(probes, "HTTPS", door.port)
    probes.forget()

    for _ in range(2):
        assert probes.look(HOST, ["https"]) == {"https": "it answers 502 Bad Gateway"}
    door.close()

    assert [line for line in door.heard if line.startswith(b"HEAD ")] == [b"HEAD / HTTP/1.1\r\n"] * 2
