"""Who did what, and when?"""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import account_of
from dashboard.access import PersonsRequest, signed_in
from dashboard.activity import page_of


@signed_in
@require_safe
def activity(request: PersonsRequest) -> HttpResponse:
    account = account_of(request)
    page = page_of(account, request.user, request.GET.get("before", ""))
    context = {"account": account, "page": page, "kept": settings.AUDIT_KEPT}
    return render(request, "dashboard/activity.html", context)
