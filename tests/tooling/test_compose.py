"""The compose file: it fits together, and each container gets what it needs and no more."""

from typing import Any

import pytest
import yaml

from devtools.paths import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("migrate", "web", "gate", "worker", "beat")
EVERY = pytest.mark.parametrize("name", SERVICES)


def grace(service: dict[str, Any]) -> int:
    return int(service["stop_grace_period"].removesuffix("s"))


def seen_by(name: str) -> set[str]:
    """The secrets mounted into a container."""
    return set(SERVICES[name].get("secrets", []))


def test_all_of_the_product_is_there() -> None:
    assert set(SERVICES) == {"caddy", "migrate", "web", "gate", "worker", "beat", "postgres", "redis"}


@EVERY
def test_what_a_service_names_is_declared(name: str) -> None:
    service = SERVICES[name]
    assert seen_by(name) <= COMPOSE["secrets"].keys()
    assert set(service["networks"]) <= COMPOSE["networks"].keys()
    assert {each["source"] for each in service.get("configs", [])} <= COMPOSE["configs"].keys()
    assert set(service.get("depends_on", {})) <= SERVICES.keys()
    sources = [volume.split(":")[0] for volume in service.get("volumes", [])]
    for source in sources:
        assert (ROOT / source).is_file() if source.startswith(".") else source in COMPOSE["volumes"]


@EVERY
def test_a_container_has_no_rights_that_it_does_not_use(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not service.get("privileged")


@EVERY
def test_a_container_has_time_to_end_and_comes_back(name: str) -> None:
    service = SERVICES[name]
    assert grace(service) >= 40
    assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")


@EVERY
def test_a_service_that_is_waited_for_healthy_says_whether_it_is(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        if how["condition"] == "service_healthy":
            inherited = other in OURS and "healthcheck" not in SERVICES[other]
            assert inherited or SERVICES[other]["healthcheck"]["test"]


def test_only_the_worker_can_sign_open_secrets_rent_and_read_sales() -> None:
    for secret in ("signing-key.pem", "vault-private-keys.pem", "HETZNER_TOKEN", "GUMROAD_TOKEN"):
        assert [name for name in SERVICES if secret in seen_by(name)] == ["worker"]
    for setting in ("SIGNING_KEY_FILE", "VAULT_PRIVATE_KEYS_FILE"):
        told = [name for name in SERVICES if setting in SERVICES[name].get("environment", {})]
        assert told == ["worker"]


def test_the_storages_key_is_with_the_gate_and_the_workers_alone() -> None:
    for secret in ("STORAGE_ACCESS_KEY", "STORAGE_SECRET_KEY"):
        assert [name for name in SERVICES if secret in seen_by(name)] == ["gate", "worker"]
    assert SERVICES["gate"]["environment"] == {"ROOT_URLCONF": "mailat.gate_urls"}


def test_caddy_sends_the_storage_door_to_the_gate() -> None:
    text = (ROOT / "deploy" / "Caddyfile").read_text()
    assert "@gate path /agent/v1/storage /storage/exports/*\n\treverse_proxy @gate gate:8000" in text
    assert "gate" in SERVICES["caddy"]["depends_on"]


def test_only_caddy_is_reachable_and_the_stores_reach_nobody() -> None:
    assert [name for name in SERVICES if "ports" in SERVICES[name]] == ["caddy"]
    assert COMPOSE["networks"]["back"]["internal"] is True
    for store in ("postgres", "redis"):
        assert SERVICES[store]["networks"] == ["back"]


def test_there_is_no_secret_in_the_file() -> None:
    for name in SERVICES:
        for setting in SERVICES[name].get("environment", {}):
            assert setting.endswith(("_FILE", "_INITDB_ARGS", "_URLCONF"))
    assert all(set(secret) == {"file"} for secret in COMPOSE["secrets"].values())
