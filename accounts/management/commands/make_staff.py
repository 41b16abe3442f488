"""The first person of ours has nobody who could let them in, so a shell does."""

from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email

from accounts import actions, mail


class Command(BaseCommand):
    help = "Makes a person staff, who then signs in by a link in a mail like everybody else."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", required=True, help="their address")
        parser.add_argument("--name", default="", help="what they are called")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            validate_email(options["email"].strip())
        except ValidationError:
            raise CommandError(f"“{options['email']}” is no e-mail address.") from None
        user = actions.make_staff(email=options["email"], name=options["name"], by="shell")
        where = mail.absolute("/sign-in?" + urlencode({"next": "/admin/"}))
        self.stdout.write(f"{user.email} is staff. Sign in at {where}")
