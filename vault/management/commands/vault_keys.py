"""`manage.py vault_keys`: makes the vault's keys and says where they go; no private half is ever printed."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import Error

from vault import actions, keys, pairs
from vault.errors import BadKeys, NoVaultKey
from vault.models import Key

NAMES = {"private": "vault-private-keys.pem", "public": "vault-public-keys.pem"}
WHERE = """{private}
    to the workers alone: VAULT_PRIVATE_KEYS_FILE (or its text: VAULT_PRIVATE_KEYS). Keep a copy where no web process is.
{public}
    to every process: VAULT_PUBLIC_KEYS_FILE (or its text: VAULT_PUBLIC_KEYS). The last key in it seals."""
NEXT = """Start the workers anew, then all other processes. The workers then move every secret to the new key by themselves, and
retire the old one; an alarm tells when. After that: manage.py vault_keys --drop."""


class Command(BaseCommand):
    help = "Makes the vault's first pair of keys, unless there is one, and says which file goes to which process."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--new", action="store_true", help="add another pair, which is sealed to from then on"
        )
        parser.add_argument("--rotate", action="store_true", help="move every secret to the newest key now")
        parser.add_argument("--drop", action="store_true", help="take retired keys out of both files")
        parser.add_argument(
            "--folder", type=Path, help="where both files are (default: where the settings say, or here)"
        )

    def handle(
        self, *args: Any, new: bool, rotate: bool, drop: bool, folder: Path | None, **options: Any
    ) -> None:
        files = {half: _file(half, folder) for half in NAMES}
        try:
            if rotate:
                self._rotate()
            elif drop:
                self._drop(files)
            else:
                self._make(files, new)
        except (BadKeys, NoVaultKey, Error, OSError) as problem:
            raise CommandError(str(problem).strip()) from None

    def _make(self, files: dict[str, Path], new: bool) -> None:
        there = [file for file in files.values() if file.exists()]
        if len(there) == 1:
            other = next(file for file in files.values() if file not in there)
            raise CommandError(f"{there[0]} is there and {other} is not: they belong together")
        if new or not there:
            self._look(there)
            self.stdout.write(f"Made the key {pairs.add(files['private'], files['public'])}.")
        else:
            self.stdout.write(f"There are keys already; the one that seals is {_last(files['public'])}.")
        self.stdout.write(WHERE.format(**files))
        if new and there:
            self.stdout.write(NEXT)

    def _look(self, there: list[Path]) -> None:
        """Nothing is added to files that a process would refuse."""
        for file, read in zip(there, (keys.private_keys_in, keys.public_keys_in), strict=False):
            read(file)

    def _rotate(self) -> None:
        run = actions.rotate(by="shell")
        self.stdout.write(
            f"Run {run} moves every secret to {keys.sealing()[0]}; see it at /admin/engine/run/{run}/change/."
        )

    def _drop(self, files: dict[str, Path]) -> None:
        private, public = keys.private_keys_in(files["private"]), keys.public_keys_in(files["public"])
        retired = set(Key.objects.filter(retired_at__isnull=False).values_list("pk", flat=True))
        gone = sorted(retired & (private.keys() | public.keys()))
        if _last(files["public"]) in retired:
            raise CommandError("the key that seals is retired: make another with --new first")
        if not gone:
            self.stdout.write("No key in these files is retired.")
            return
        pairs.write_public(files["public"], [key for name, key in public.items() if name not in retired])
        pairs.write_private(files["private"], [key for name, key in private.items() if name not in retired])
        self.stdout.write(
            f"Taken out of both files: {', '.join(gone)}. Remove them from other copies of the files, too."
        )


def _file(half: str, folder: Path | None) -> Path:
    given = getattr(settings, f"VAULT_{half.upper()}_KEYS_FILE")
    return folder / NAMES[half] if folder else Path(given or NAMES[half])


def _last(public: Path) -> str:
    """The key that seals, by its id."""
    return next(reversed(keys.public_keys_in(public)))
