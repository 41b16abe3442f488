"""`manage.py hand_over_audit`: the log to a role that no process of ours bears."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.hand_over import CannotHandOver, hand_over


class Command(BaseCommand):
    help = (
        "Makes OWNER the owner of the audit log, so that PROCESSES, the role of web and workers, can add to it and "
        "read it but neither change it nor switch its rules off. Run as a superuser of Postgres, after migrating."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("owner", help="an existing role that nobody signs in with")
        parser.add_argument("processes", help="the role of web and workers")

    def handle(self, *args: Any, owner: str, processes: str, **options: Any) -> None:
        try:
            hand_over(owner=owner, processes=processes)
        except CannotHandOver as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"The log is {owner}'s; {processes} reads it and adds to it.")
