"""Where a domain's mail goes is asked of a real name server; what it says wrong is not believed."""

from collections.abc import Callable, Iterator

import pytest

from agent.mailat_agent.mail import mx
from tests.agent.mail.name_server import POINTER, NameServer

TWO = [(20, "backup.test"), (10, "POST.servers.test")]


@pytest.fixture
def names() -> Iterator[NameServer]:
    server = NameServer({"firm.test": TWO})
    yield server
    server.close()


def ask(names: NameServer, domain: str) -> list[tuple[int, str]]:
    return mx.lookup(domain, ["127.0.0.1"], names.port)


def test_exchangers_come_with_their_preference_in_lower_case(names: NameServer) -> None:
    assert ask(names, "firm.test") == [(20, "backup.test"), (10, "post.servers.test")]


def test_a_domain_without_exchangers_has_none(names: NameServer) -> None:
    assert ask(names, "other.test") == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda answer: bytes([answer[0] ^ 1]) + answer[1:],  # to another question
        lambda answer: answer[:2] + b"\x83\x80" + answer[4:],  # cut off
        lambda answer: answer[:2] + b"\x01\x00" + answer[4:],  # no answer at all
        lambda answer: answer[:-7],
        lambda answer: answer[:3],
        lambda answer: answer[:12] + POINTER + answer[14:],  # a name that points to itself
    ],
)
def test_what_is_no_answer_is_not_believed(names: NameServer, spoil: Callable[[bytes], bytes]) -> None:
    names.spoil = spoil
    assert ask(names, "firm.test") == []


def test_the_next_server_is_asked_where_one_is_away(names: NameServer) -> None:
    assert len(mx.lookup("firm.test", ["127.0.0.2", "127.0.0.1"], names.port)) == 2


def test_names_that_are_no_names_are_not_asked(names: NameServer) -> None:
    assert ask(names, "ü.test") == []
