"""A certificate is ordered as soon as the web server answers, while other daemons of the same generation still begin."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.mailat_agent.mail import acme, certificates, selfsigned
from tests.agent.mail.acme_host import AcmeHost

PATIENCE = 60.0  # seconds


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AcmeHost]:
    host = AcmeHost(tmp_path, monkeypatch)
    yield host
    host.close()


def wait(there: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE
    while not there():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_it_comes_while_a_generation_comes_into_force_and_is_loaded_after(host: AcmeHost) -> None:
    situation = host.situation(domains=[])
    turn = threading.Thread(target=certificates.run, args=[situation], daemon=True)
    with situation.busy:
        selfsigned.ensure(host.host)  # as the generation does before its web server begins
        own = host.chain()
        turn.start()
        wait(lambda: host.chain() != own)
        assert host.orders() == 1
        assert host.reloads() == 0
    turn.join(PATIENCE)
    assert host.reloads() == 1


def test_it_waits_as_long_as_no_web_server_answers(host: AcmeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    situation, door, served = host.situation(domains=[]), acme.DOOR, acme.served
    looks: list[bool] = []

    def look(home: Path) -> bool:
        looks.append(served(home))
        return looks[-1]

    monkeypatch.setattr(acme, "served", look)
    monkeypatch.setattr(acme, "DOOR", ("127.0.0.1", 1))
    turn = threading.Thread(target=certificates.run, args=[situation], daemon=True)
    with situation.busy:
        selfsigned.ensure(host.host)
        turn.start()
        wait(lambda: len(looks) > 1)
        assert host.orders() == 0
        monkeypatch.setattr(acme, "DOOR", door)
        wait(lambda: host.orders() == 1)
    turn.join(PATIENCE)

    assert looks[:2] == [False, False]


def test_where_the_generation_brings_nothing_the_host_makes_its_own_and_orders(host: AcmeHost) -> None:
    situation = host.situation(domains=[])
    turn = threading.Thread(target=certificates.run, args=[situation], daemon=True)
    with situation.busy:
        turn.start()
    turn.join(PATIENCE)

    assert (host.orders(), host.reloads()) == (1, 1)
