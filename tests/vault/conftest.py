"""A vault with keys of its own for each test, and ways to be a web process or a worker."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db.models import QuerySet

from audit.models import Event
from engine import worker
from engine.models import Run
from vault import actions, keys, pairs
from vault.models import Secret

TEXT = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


class Vault:
    """What tests do with the vault, in few words."""

    def __init__(self, folder: Path, settings: Any, *, uses_database: bool) -> None:
        self.private, self.public, self.settings = folder / "private.pem", folder / "public.pem", settings
        self.alice, self.charlie = uuid4(), uuid4()
        settings.VAULT_PRIVATE_KEYS_FILE, settings.VAULT_PUBLIC_KEYS_FILE = (
            str(self.private),
            str(self.public),
        )
        settings.VAULT_KEYS_OVERLAP = settings.VAULT_KEYS_OVERLAP * 0
        self.first = self.add()
        self.before = (
            Event.objects.order_by("-id").values_list("pk", flat=True).first() if uses_database else 0
        )

    def add(self) -> str:
        """Another pair, which seals from now on."""
        return pairs.add(self.private, self.public)

    def be_web(self) -> None:
        self.settings.VAULT_PRIVATE_KEYS_FILE = ""

    def keep(self, text: str = TEXT, account: UUID | None = None, **more: str) -> Secret:
        place = {"purpose": "aws", "subject": "credentials:1", **more}
        return actions.keep(account=account or self.alice, secret=text, by="user:1", **place)

    def read(self, secret: Secret, **expected: Any) -> str:
        return actions.reading(secret=secret, by="program:Test", why="a test looks", **expected)

    def rotate(self) -> Run:
        """Works until the rotation naps for long or ends."""
        run = Run.objects.get(pk=actions.rotate(by="staff:1"))
        worker.work(run.pk)
        run.refresh_from_db()
        return run

    def drop(self, *names: str) -> None:
        """Takes private halves out of the workers' file."""
        kept = [key for name, key in keys.private_keys().items() if name not in names]
        pairs.write_private(self.private, kept)

    def log(self, **wanted: Any) -> QuerySet[Event]:
        """Events of this test: those of processes that were started by others stay."""
        return Event.objects.filter(pk__gt=self.before or 0, **wanted).order_by("id")

    def events(self, secret: Secret) -> list[str]:
        found = Event.objects.filter(subject=f"secret:{secret.pk}").order_by("id")
        return list(found.values_list("action", flat=True))


@pytest.fixture
def vault(request: pytest.FixtureRequest, tmp_path: Path, settings: Any) -> Vault:
    marked = request.node.get_closest_marker("django_db")
    uses_database = bool(marked or {"db", "transactional_db"} & set(request.fixturenames))
    if uses_database:
        request.getfixturevalue("_django_db_helper")
    return Vault(tmp_path, settings, uses_database=uses_database)
