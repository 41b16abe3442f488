"""The product's settings for a process on this machine, as a newcomer's run, a test or a benchmark needs them."""

from collections.abc import Mapping
from pathlib import Path

from devtools.keys import STORAGE, Keys, ensure
from devtools.run import clean_environment

# What the stand-in's seller sells. The vendor makes these ids up; any will do as long as both sides agree.
PRODUCT = {"GUMROAD_PRODUCT_ID": "mailat-product==", "GUMROAD_SELLER_ID": "mailat-seller=="}
NOBODY = (
    "http://127.0.0.1:1"  # a port that nothing listens on: without a stand-in no call leaves this machine
)


def product_env(
    home: Path,
    *,
    database_url: str,
    broker_url: str | None = None,
    base_url: str = "http://127.0.0.1:8000",
    signs: bool = False,
    keys: Keys | None = None,
    more: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """A whole environment. Only a process that `signs` learns where the private keys lie, and the storage's key; `more` overrides all."""
    keys = keys or ensure(home / "secrets")
    settings = {
        **clean_environment(),
        **keys.values,
        **PRODUCT,
        **outside_world(NOBODY, NOBODY, NOBODY, NOBODY, "smtp://127.0.0.1:1"),
        "DJANGO_SETTINGS_MODULE": "mailat.settings",
        "BASE_URL": base_url,
        "AGENT_URL": base_url,
        "AWS_API_URL": NOBODY,
        "DATABASE_URL": database_url,
        "BROKER_URL": broker_url or f"filesystem://{home / 'broker'}",
        "SERVER_DOMAIN": "servers.example.test",
        "MAIL_FROM": "Mailat <hello@mailat.example.test>",
        "STAFF_MAIL": "stella@example.test",
        "SIGNING_PUBLIC_KEYS_FILE": str(keys.public),
        "VAULT_PUBLIC_KEYS_FILE": str(keys.vault_public),
        "AGENT_BUILD_DIR": str(home / "agent"),
        "STATIC_ROOT": str(home / "static"),
        "LOG_FORMAT": "plain",
    }
    private = {"SIGNING_KEY_FILE": str(keys.private), "VAULT_PRIVATE_KEYS_FILE": str(keys.vault_private)}
    for name in (*private, *STORAGE, "VAULT_PRIVATE_KEYS", "VAULT_PUBLIC_KEYS"):
        settings.pop(name, None)
    if signs:
        settings |= private | keys.storage
    return settings | dict(more or {})


def outside_world(
    hetzner_api: str, gumroad_api: str, store: str, subscriptions: str, mail: str
) -> dict[str, str]:
    """Where the vendors are, by the settings' names."""
    return {
        "HETZNER_API_URL": hetzner_api,
        "GUMROAD_API_URL": gumroad_api,
        "GUMROAD_PRODUCT_URL": store,
        "GUMROAD_SUBSCRIPTIONS_URL": subscriptions,
        "EMAIL_URL": mail,
    }
