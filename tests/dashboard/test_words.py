"""Everything that is recorded can be read by the people of the account."""

import re
from pathlib import Path

import pytest

from accounts.models import User
from dashboard import words

ROOT = Path(__file__).parents[2]
ROOMS = (
    "engine",
    "accounts",
    "billing",
    "domains",
    "servers",
    "dashboard",
    "support",
    "vault",
    "sending",
    "backups",
)
LITERAL = re.compile(r'\b_?record(?:_for_accounts|_of)?\(\s*"([a-z_]+(?:\.[a-z_]+)?)"')
NOTED = re.compile(r'\bnote\((server, )?"([a-z_]+)"')  # of a subscription, or of the server that stands first


def recorded() -> set[str]:
    """The actions that stand in the code; billing's are nouns of a subscription."""
    found = set()
    for room in ROOMS:
        for file in (ROOT / room).rglob("*.py"):
            for name in LITERAL.findall(file.read_text()):
                found.add(name if "." in name else f"subscription.{name}")
            found |= {
                f"{'server' if server else 'subscription'}.{name}"
                for server, name in NOTED.findall(file.read_text())
            }
    named = {"server.late", "server.lost", "backup.job_done", "backup.job_failed"}  # by what happened
    return (found | named) - {"noun.verb"}


def test_the_code_records_something() -> None:
    assert {"server.wanted", "subscription.began", "destruction.removed"} <= recorded()


@pytest.mark.parametrize("action", sorted(recorded()))
def test_each_recorded_action_has_a_sentence(action: str) -> None:
    assert action in words.ACTIONS


def test_a_missing_fact_is_no_error() -> None:
    assert words.sentence("server.wanted", {}) == "Ordered the server “…”"


def test_an_unknown_action_is_told_by_its_name() -> None:
    assert words.sentence("mailbox.made_larger", {}) == "Mailbox made larger"


@pytest.mark.parametrize(
    ("by", "who"),
    [
        ("user:1", "You"),
        ("user:2", "Bob"),
        ("user:99", "Somebody who has left"),
        ("user:", "Mailat, by itself"),
        ("staff:3", "Mailat staff"),
        ("gumroad", "Gumroad"),
        ("mailbox:5f0c", "The owner of the mailbox"),
        ("program:Provision", "Mailat, by itself"),
        ("clock", "Mailat, by itself"),
    ],
)
def test_who_did_it(by: str, who: str) -> None:
    alice, bob = User(pk=1, name="Alice"), User(pk=2, name="Bob")
    assert words.who(by, alice, {1: alice, 2: bob}) == who
