"""`manage.py verify_audit`: is the audit log as it was written?"""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from audit.chain import HOUSE, verify


def _account(text: str) -> UUID:
    return HOUSE if text == "house" else UUID(text)


class Command(BaseCommand):
    help = (
        "Checks each chain of events and prints a line for it: where it ends, or the first broken row. Exits with 1 if "
        "one is broken. Keep the lines somewhere else: a chain that was wholly written anew is only found by its end."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", type=_account, metavar="UUID|house", help="this chain alone")

    def handle(self, *args: Any, account: UUID | None, **options: Any) -> None:
        broken = events = 0
        for verdict in verify(account):
            events += verdict.events
            broken += bool(verdict.broken)
            self.stdout.write(f"{'BROKEN' if verdict.broken else 'ok'}  {verdict}")
        if broken:
            raise CommandError(f"{broken} chain{'s' if broken > 1 else ''} broken", returncode=1)
        self.stdout.write(f"{events} events checked")
