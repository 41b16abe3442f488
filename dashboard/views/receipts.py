"""The receipt of a deletion: to read, to print, to download and to check."""

from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from audit import receipts
from dashboard.access import PersonsRequest, signed_in, the_receipt
from dashboard.evidence import evidence_of


@signed_in
@require_safe
def receipt(request: PersonsRequest, pk: UUID) -> HttpResponse:
    context = {
        "evidence": evidence_of(the_receipt(request.user, pk)),
        "keys": f"{settings.BASE_URL}/.well-known/mailat-signing-keys",
    }
    return render(request, "dashboard/receipt.html", context)


@signed_in
@require_safe
def receipt_file(request: PersonsRequest, pk: UUID) -> HttpResponse:
    """The file that is checked: the signed text as it was signed, its signature and how to check it."""
    one = the_receipt(request.user, pk)
    response = HttpResponse(receipts.as_file(one), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="mailat-receipt-{one.pk}.json"'
    return response
