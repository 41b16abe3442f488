"""A call that is not as the protocol says gets nowhere, and nothing breaks."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as some

from backups import asked
from backups.models import Stored
from tests.backups.conftest import (
    NAMES,
    Host,
)
from tests.examples import ONE_WORLD

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MIB = 2**20


BAD_NAMES = ["", "..", "../x", "a" * 63, "A" * 64, "g" * 64, "a" * 65, f"{'a' * 64}/x", f"..{'a' * 62}", None, 5, ["a" * 64],
             "a" * 64 + "\n", "\u0661" * 64]  # fmt: skip


@pytest.mark.parametrize("name", BAD_NAMES, ids=repr)
@pytest.mark.parametrize("do", ["write", "wrote", "read", "remove"])
def test_a_name_that_is_no_hash_is_no_name(host: Host, do: str, name: object):
    one = {"kind": "data", "name": name, "bytes": 5}
    assert host.ask(do, objects=[one]).status_code == 400


BAD_CALLS: list[dict[str, Any]] = [
    {}, {"do": "delete"}, {"do": None}, {"do": ["write"]}, {"do": "write"}, {"do": "write", "objects": {}},
    {"do": "write", "objects": [5]}, {"do": "write", "objects": [{"kind": "data", "name": "a" * 64}]},
    {"do": "write", "objects": [{"kind": "other", "name": "a" * 64, "bytes": 1}]},
    {"do": "write", "objects": [{"kind": ["data"], "name": "a" * 64, "bytes": 1}]},
    *({"do": "write", "objects": [{"kind": "data", "name": "a" * 64, "bytes": size}]} for size in
      (0, -1, 1.5, True, "5", None, 2**30 + 1, 2**70)),
    {"do": "write", "objects": [{"kind": "config", "name": "", "bytes": 5}]},
    {"do": "write", "objects": [{"kind": "config", "name": "", "bytes": 5, "sha256": "x"}]},
    {"do": "write", "objects": [{"kind": "config", "name": "a" * 64, "bytes": 5, "sha256": "a" * 64}]},
    {"do": "list"}, {"do": "list", "kind": "data", "after": "x"}, {"do": "list", "kind": "data", "after": 5},
    {"do": "escrow"}, {"do": "escrow", "sealed": 5, "key": "x"}, {"do": "escrow", "sealed": "no base64!", "key": "x"},
]  # fmt: skip


@pytest.mark.parametrize("said", BAD_CALLS, ids=lambda said: json.dumps(said)[:70])
def test_nonsense_is_refused_and_leaves_nothing(host: Host, said: dict[str, Any]):
    assert host.post(json.dumps(said)).status_code == 400
    assert not Stored.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"null",
        b"\xff",
        b"[" * 60_000,
        b'{"do": "list", "kind": "data"}' + b" " * asked.MOST_BYTES,
    ],
)
def test_a_body_that_is_no_call_is_refused(host: Host, body: bytes):
    assert host.post(body).status_code == 400


def test_five_hundred_objects_are_taken_and_one_more_is_not(host: Host):
    many = [host.wish("data", f"{n}".encode()) for n in range(501)]
    assert host.ask("write", objects=many).status_code == 400
    assert not Stored.objects.exists()
    assert len(host.told("write", *many[:500])) == 500


ANY = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=70),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
ONE = some.fixed_dictionaries(
    {},
    optional={
        "kind": some.sampled_from(["config", *NAMES]) | ANY,
        "name": some.sampled_from(["a" * 64, "", ".."]) | ANY,
        "bytes": some.integers() | ANY,
        "sha256": some.just("b" * 64) | ANY,
    },
)


@how(max_examples=150, suppress_health_check=ONE_WORLD)
@given(
    do=some.sampled_from(["write", "wrote", "read", "list", "remove", "escrow"]) | ANY,
    said=some.fixed_dictionaries(
        {},
        optional={
            "objects": some.lists(ONE | ANY, max_size=4) | ANY,
            "kind": ANY,
            "after": ANY,
            "sealed": ANY,
            "key": ANY,
        },
    ),
)
def test_no_call_whatever_breaks_the_gate(host: Host, do: Any, said: dict[str, Any]):
    assert host.post(json.dumps({"do": do, **said})).status_code in (200, 400)
