"""Writes docs/gumroad.md anew after billing/policy.py was changed."""

from typing import Any

from django.core.management.base import BaseCommand

from billing.policy_page import PAGE, page


class Command(BaseCommand):
    help = "Writes docs/gumroad.md from what the code acts by."

    def handle(self, *args: Any, **options: Any) -> None:
        PAGE.write_text(page(), encoding="utf-8")
        self.stdout.write(f"{PAGE.name} is written.")
