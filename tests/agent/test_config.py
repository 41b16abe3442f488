"""A configuration that cannot be used is said to be so, without repeating what it holds."""

import json
import os
from pathlib import Path

import pytest

from agent.mailat_agent.config import ConfigError, load, without_token
from tests.agent.control_plane import ControlPlane
from tests.agent.host import Host
from tests.agent.orders import Signer

GOOD: dict[str, object] = {
    "control": "https://mailat.test/",
    "server": "0D6A1B0E-6c0f-4f6e-9d0b-2f7a40a3a111",
    "token": "canary-token",
    "order_keys": {"a": Signer().public},
}
ADDRESSES = [
    *(
        "",
        "mailat.test",
        "ftp://mailat.test",
        "file:///etc/passwd",
        "https://",
        "https://canary:canary@mailat.test",
    ),
    *(
        "https://mailat.test/?a=b",
        "https://mailat.test/#a",
        "https://mailat.test:x",
        "https://mailat.test:0",
        5,
        None,
    ),
]
KEYS: list[object] = [
    None,
    {},
    [],
    "key",
    {"a": 5},
    {"a": ""},
    {"a": "canary"},
    {"a": "AAAA"},
    {"a": Signer().public + "\n"},
]


def written(path: Path, fields: object) -> Path:
    (path / "agent.json").write_text(json.dumps(fields))
    return path / "agent.json"


def test_a_good_one_is_read(tmp_path: Path) -> None:
    config = load(written(tmp_path, GOOD))

    assert config.control == "https://mailat.test"
    assert config.server == "0d6a1b0e-6c0f-4f6e-9d0b-2f7a40a3a111"
    assert config.token == "canary-token"
    assert list(config.order_keys) == ["a"]
    assert "canary" not in repr(config)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("control", ADDRESSES),
        ("server", ["", "alice", 5, None, "../../etc"]),
        ("token", [5, ["canary"], True]),
        ("order_keys", KEYS),
    ],
)
def test_a_bad_field_is_named(tmp_path: Path, field: str, values: list[object]) -> None:
    for value in values:
        with pytest.raises(ConfigError, match=f"^{field} must") as said:
            load(written(tmp_path, {**GOOD, field: value}))
        assert "canary" not in str(said.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "5", "[" * 100_000, "\xff"])
def test_what_is_no_object_is_said_to_be_so(tmp_path: Path, text: str) -> None:
    (tmp_path / "agent.json").write_bytes(text.encode("latin-1"))

    with pytest.raises(ConfigError, match="is not"):
        load(tmp_path / "agent.json")


def test_without_a_file_nothing_is_started(host: Host, control: ControlPlane) -> None:
    host.config.unlink()

    assert host.once() == 2

    assert "cannot read" in host.said()
    assert control.requests == []


def test_without_a_token_it_only_reports(tmp_path: Path) -> None:
    for token in (None, ""):
        assert load(written(tmp_path, {**GOOD, "token": token})).token is None


def test_a_token_once_forgotten_is_nowhere(tmp_path: Path) -> None:
    config = without_token(load(written(tmp_path, GOOD)))

    assert config.token is None
    assert load(config.path).token is None
    assert json.loads(config.path.read_text()) == {
        key: value for key, value in GOOD.items() if key != "token"
    }
    assert config.path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["agent.json"]
