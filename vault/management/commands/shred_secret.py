"""`manage.py shred_secret`: for a person who was asked to, or who found a secret that no longer opens."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from vault import actions


class Command(BaseCommand):
    help = "Empties one secret's ciphertext for good; its row and an event stay."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("secret", type=UUID)
        parser.add_argument("--why", required=True, help="stands in the audit log")

    def handle(self, *args: Any, secret: UUID, why: str, **options: Any) -> None:
        if not actions.shred(secret=secret, by="shell", why=why):
            raise CommandError("There is no such secret, or it was shredded before.")
        self.stdout.write(f"Secret {secret} is shredded.")
