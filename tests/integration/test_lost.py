"""Redis is emptied again and again, Postgres is restarted in the middle, the broker is away: every life still ends right."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devtools.postgres import Postgres
from devtools.services import Redis, postgres, redis
from tests.integration.stack import Stack, stack

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def database() -> Iterator[Postgres]:
    with postgres() as server:
        yield server


@pytest.fixture(scope="module")
def broker() -> Iterator[Redis]:
    with redis() as server:
        yield server


@pytest.fixture(scope="module")
def product(database: Postgres, broker: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    home = tmp_path_factory.mktemp("product")
    with stack(home, database_url=database.url(), broker_url=broker.url) as one:
        yield one


@pytest.fixture(scope="module")
def usual(product: Stack) -> dict[str, Any]:
    """What a life leaves behind that nothing disturbs."""
    return product.drive()


def ended_right(left: dict[str, Any], usual: dict[str, Any]) -> None:
    assert left["machines"] == []
    assert left["events"] == usual["events"]
    assert left["letters"] == usual["letters"]


def test_a_life_that_nothing_disturbs(usual: dict[str, Any]):
    assert usual["machines_made"] == 1
    assert set(usual["letters"].values()) == {1}
    assert usual["events"]["destruction.finished"] == 1


def test_redis_is_emptied_all_the_time(product: Stack, broker: Redis, usual: dict[str, Any]):
    emptied = []

    def meanwhile(driver: subprocess.Popen[str]) -> None:
        while driver.poll() is None:
            broker.empty()
            emptied.append(1)
            time.sleep(0.03)

    ended_right(product.drive(meanwhile), usual)
    assert len(emptied) > 20


def test_redis_is_killed_and_comes_back_empty(product: Stack, broker: Redis, usual: dict[str, Any]):
    def meanwhile(driver: subprocess.Popen[str]) -> None:
        for _ in range(3):
            time.sleep(1.0)
            broker.restart()

    ended_right(product.drive(meanwhile), usual)


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_postgres_is_restarted_in_the_middle(
    how: str, product: Stack, database: Postgres, usual: dict[str, Any]
):
    restarts = []

    def meanwhile(driver: subprocess.Popen[str]) -> None:
        while driver.poll() is None and len(restarts) < 5:
            time.sleep(1.0)
            getattr(database, how)()
            time.sleep(0.3)
            database.start()
            restarts.append(1)

    ended_right(product.drive(meanwhile), usual)
    assert restarts


def test_the_logs_of_it_all_hold_no_secret(product: Stack, usual: dict[str, Any]):
    text = "".join(path.read_text(errors="replace") for path in Path(product.home).glob("*.log"))
    assert text
    for name in ("SECRET_KEY", "HETZNER_TOKEN", "GUMROAD_TOKEN", "GUMROAD_WEBHOOK_SECRET"):
        assert product.env[name] not in text, name
