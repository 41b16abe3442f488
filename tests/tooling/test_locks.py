"""The locks pin what pyproject.toml asks for, by hash, and name no place to get it from."""

import re
import tomllib
from itertools import pairwise

import pytest

from devtools.paths import LOCKS, ROOT

KINDS = ("base", "sandbox", "dev", "uv")
PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)(?: ; .*?)? \\$", re.MULTILINE)


def pins(kind: str) -> dict[str, str]:
    return dict(PINNED.findall((LOCKS / f"{kind}.txt").read_text()))


def asked(*groups: str) -> set[str]:
    """The names that pyproject.toml asks for, as a lock spells them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wishes = [
        *project["dependencies"],
        *(w for group in groups for w in project["optional-dependencies"][group]),
    ]
    return {re.sub(r"[-_.]+", "-", re.match(r"[A-Za-z0-9._-]+", wish).group()).lower() for wish in wishes}


@pytest.mark.parametrize("kind", KINDS)
def test_a_lock_names_no_host(kind: str) -> None:
    text = (LOCKS / f"{kind}.txt").read_text()
    assert "://" not in text
    assert not re.search(
        r"^\s*(-i|--index-url|--extra-index-url|--find-links|--trusted-host)", text, re.MULTILINE
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_line_of_a_lock_is_a_pin_or_a_hash_of_one(kind: str) -> None:
    lines = (LOCKS / f"{kind}.txt").read_text().splitlines()
    odd = [
        line
        for line in lines
        if not PINNED.match(line) and not re.match(r"^    --hash=sha256:[0-9a-f]{64}", line)
    ]
    assert odd == []
    assert all(following.startswith("    --hash") for line, following in pairwise(lines) if "==" in line)


@pytest.mark.parametrize(
    ("kind", "groups"), [("base", ()), ("sandbox", ("sandbox",)), ("dev", ("sandbox", "dev"))]
)
def test_a_lock_has_all_that_is_asked_for(kind: str, groups: tuple[str, ...]) -> None:
    assert asked(*groups) <= pins(kind).keys()


def test_production_gets_none_of_the_tools() -> None:
    extra = (asked("sandbox") | asked("dev")) - asked()
    assert not extra & pins("base").keys()


def test_a_package_has_one_version_in_all_locks() -> None:
    dev = pins("dev")
    for kind in ("base", "sandbox"):
        assert pins(kind).items() <= dev.items()
