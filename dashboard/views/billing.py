"""What do I pay, until when, and what happens if I stop?"""

from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import account_of
from audit.models import Receipt
from dashboard.access import PersonsRequest, signed_in
from dashboard.evidence import Evidence, evidence_of
from dashboard.subscriptions import paid


@signed_in
@require_safe
def billing(request: PersonsRequest) -> HttpResponse:
    account = account_of(request)
    context = {
        "account": account,
        "paid": paid(account),
        "receipts": _receipts(account.pk),
        "grace": settings.DESTRUCTION_GRACE,
    }
    return render(request, "dashboard/billing.html", context)


def _receipts(account: UUID) -> list[Evidence]:
    rows = Receipt.objects.filter(account_id=account).order_by("-issued_at", "id")[:100]
    return [evidence_of(row) for row in rows]
