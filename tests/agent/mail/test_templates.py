"""Texts of configuration are filled in completely or not at all, also from inside the packed agent."""

import subprocess
import sys
from pathlib import Path

import pytest

from agent.mailat_agent.mail import templates

TEMPLATES = Path(templates.__file__).with_name("templates")


@pytest.fixture
def greeting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "_read", lambda path: "$who says $$5\n")


@pytest.mark.usefixtures("greeting")
def test_each_name_is_replaced_and_a_double_dollar_is_one() -> None:
    assert templates.text("any", who="Alice") == "Alice says $5\n"


@pytest.mark.usefixtures("greeting")
def test_a_value_that_is_missing_is_an_error() -> None:
    with pytest.raises(KeyError):
        templates.text("any")


@pytest.mark.usefixtures("greeting")
def test_a_value_that_nothing_uses_is_an_error() -> None:
    with pytest.raises(KeyError, match="any does not use whom"):
        templates.text("any", who="Alice", whom="Bob")


def test_the_packed_agent_reads_the_same_texts(agent: Path) -> None:
    code = "from mailat_agent.mail import templates; print(templates.plain('firewall/rules.nft'), end='')"
    said = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(agent)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert said.stdout == (TEMPLATES / "firewall/rules.nft").read_text()
