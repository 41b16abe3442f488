"""A secret that somebody else sealed to our public key is kept as it came, and opens for a worker alone."""

from uuid import UUID, uuid4

import pytest

from tests.vault.conftest import TEXT, Vault
from vault import actions, box, keys
from vault.box import Place
from vault.errors import KeyRetired, Taken, Unreadable
from vault.models import Key, Secret

pytestmark = pytest.mark.django_db
HOST = "agent:1"


def place(vault: Vault, **more: object) -> Place:
    given = {
        "secret": uuid4(),
        "account": vault.alice,
        "purpose": "backup",
        "subject": "repository:1",
        **more,
    }
    return Place(**given)  # type: ignore[arg-type]


def sealed(at: Place, text: str = TEXT) -> bytes:
    """As its maker seals it, who was told the public key and the place."""
    return box.seal(at, text, keys.sealing()[1])


def keep(at: Place, raw: bytes, key: str = "", **more: bool) -> Secret:
    return actions.keep_sealed(at=at, sealed=raw, key=key or keys.sealing()[0], by=HOST, **more)


def test_it_opens_for_a_worker_and_its_keeping_is_told(vault: Vault):
    vault.be_web()
    at = place(vault)
    secret = keep(at, sealed(at))
    assert secret.pk == at.secret
    vault.settings.VAULT_PRIVATE_KEYS_FILE = str(vault.private)
    assert vault.read(secret, account=vault.alice, purpose="backup", subject="repository:1") == TEXT
    event = vault.log(action="secret.kept").get()
    assert (event.by, event.facts["sealed"]) == (HOST, "elsewhere")


def test_the_same_may_come_again_and_another_may_not(vault: Vault):
    at = place(vault)
    raw = sealed(at)
    assert keep(at, raw) == keep(at, raw)
    with pytest.raises(Taken):
        keep(at, sealed(at, "another"))
    assert vault.read(at.secret) == TEXT
    assert vault.log(action="secret.kept").count() == 1


def test_one_that_may_be_replaced_is_and_it_is_told(vault: Vault):
    at = place(vault)
    keep(at, sealed(at))
    keep(at, sealed(at, "another"), replaces=True)
    assert vault.read(at.secret) == "another"
    assert vault.log(action="secret.replaced").count() == 1


@pytest.mark.parametrize("other", [{"account": UUID(int=7)}, {"purpose": "aws"}, {"subject": "repository:2"}])
def test_an_id_of_something_else_is_taken(vault: Vault, other: dict[str, object]):
    at = place(vault)
    keep(at, sealed(at))
    wrong = place(vault, secret=at.secret, **other)
    with pytest.raises(Taken):
        keep(wrong, sealed(wrong), replaces=True)


def test_what_was_shredded_is_not_filled_again(vault: Vault):
    at = place(vault)
    actions.shred(secret=keep(at, sealed(at)), by="user:1", why="removed")
    with pytest.raises(Taken):
        keep(at, sealed(at), replaces=True)


def test_it_must_be_sealed_to_the_key_that_seals_now(vault: Vault):
    at, before = place(vault), keys.sealing()[0]
    raw = sealed(at)
    keep(place(vault), raw)
    vault.add()
    for key in (before, "0" * 16, "nonsense"):
        with pytest.raises(KeyRetired):
            keep(at, raw, key)
    assert keep(at, sealed(at)).key_id == keys.sealing()[0]


def test_to_a_retired_key_nothing_is_kept_and_nothing_replaced(vault: Vault):
    at = place(vault)
    keep(at, sealed(at))
    Key.objects.update(retired_at="2026-01-01T00:00Z")
    with pytest.raises(KeyRetired):
        keep(at, sealed(at, "another"), replaces=True)
    fresh = place(vault)
    with pytest.raises(KeyRetired):
        keep(fresh, sealed(fresh))


@pytest.mark.parametrize("raw", [b"", b"x" * box.OVERHEAD, b"x" * (box.OVERHEAD + 4 * actions.LONGEST + 1)])
def test_what_has_not_the_form_of_a_sealed_secret_is_not_kept(vault: Vault, raw: bytes):
    with pytest.raises(ValueError, match="sealed secret"):
        keep(place(vault), raw)
    assert not Secret.objects.exists()


def test_what_was_sealed_for_another_place_is_kept_and_does_not_open(vault: Vault):
    """Nobody but a worker can tell; it is told when it reads."""
    at = place(vault)
    secret = keep(at, sealed(place(vault)))
    with pytest.raises(Unreadable):
        vault.read(secret)


def test_it_moves_to_a_new_key_with_all_others(vault: Vault):
    at = place(vault)
    secret = keep(at, sealed(at))
    newest = vault.add()
    vault.rotate()
    secret.refresh_from_db()
    assert secret.key_id == newest
    assert vault.read(secret) == TEXT
