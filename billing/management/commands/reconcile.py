"""Has what we hold compared with what Gumroad tells, at once instead of at night."""

from typing import Any

from django.core.management.base import BaseCommand

from billing.actions import reconcile
from billing.models import Reconciliation


class Command(BaseCommand):
    help = (
        "Asks for a reconciliation with Gumroad, which workers carry out, and tells how the last one ended."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        last = Reconciliation.objects.order_by("-began_at", "-pk").first()
        if last:
            self.stdout.write(last.in_words())
        reconcile(by="staff:command", reason="asked for by the command")
        self.stdout.write("Asked for. Run this again, or look in the admin, to see how it ended.")
