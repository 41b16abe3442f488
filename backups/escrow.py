"""A repository's password in escrow: made and sealed on the host, opened by a worker for new hardware alone."""

import base64
from uuid import UUID

from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from backups.models import Repository, Stored
from vault import actions as vault
from vault import keys, sealing
from vault.box import Place
from vault.errors import KeyRetired, Taken

PURPOSE = "backup"
HANDED = b"mailat-backup-v1\n"  # then the server's id: to an agent's own key, so that it opens nowhere else
OTHER_KEY, TAKEN, MALFORMED = "another key", "taken", "malformed"


def place(repository: Repository) -> Place:
    """Where its password belongs in the vault."""
    return Place(repository.escrow, repository.account_id, PURPOSE, repository.subject)


def order(repository: Repository) -> dict[str, str]:
    """What a host needs to seal it; the same at every look until the vault's key changes."""
    info = base64.b64encode(place(repository).info()).decode()
    return {"id": repository.escrow_key, "public": repository.escrow_public, "info": info}


def sealing_key() -> tuple[str, str]:
    """The vault's key that seals now: its id, and its public half in base64."""
    name, key = keys.sealing()
    return name, base64.b64encode(key.public_bytes_raw()).decode()


@transaction.atomic
def take(home: UUID, sealed: bytes, key: str) -> str:
    """Keeps it; returns what is wrong, or nothing.

    Until the repository has a config nothing is encrypted by any password, so a later one takes the first one's place: a host may
    seal the same password again because our answer was lost. Afterwards the first one stays, whatever comes.
    """
    repository = Repository.objects.select_for_update(no_key=True).get(pk=home)
    if repository.secret_id and Stored.objects.filter(home=home, kind="config").exists():
        return ""
    try:
        secret = vault.keep_sealed(
            at=place(repository), sealed=sealed, key=key, by=f"agent:{home}", replaces=True
        )
    except KeyRetired:
        return OTHER_KEY
    except Taken:
        return TAKEN
    except ValueError:
        return MALFORMED
    if repository.secret_id is None:
        repository.secret = secret
        repository.save(update_fields=["secret"])
    return ""


@transaction.atomic
@sensitive_variables()
def hand_over(*, home: UUID, seal_key: str, by: str, why: str) -> None:
    """The agent of new hardware is given the password, sealed to its own key; for workers. Raises NoVaultKey, Unreadable."""
    repository = Repository.objects.select_for_update(no_key=True).get(pk=home)
    if repository.secret_id is None or repository.handed_to == seal_key:
        return
    password = vault.reading(
        secret=repository.secret_id, by=by, why=why, account=repository.account_id, purpose=PURPOSE,
        subject=repository.subject,
    )  # fmt: skip
    repository.handed = sealing.seal_to(seal_key, HANDED + str(home).encode(), password)
    repository.handed_to = seal_key
    repository.save(update_fields=["handed", "handed_to"])
