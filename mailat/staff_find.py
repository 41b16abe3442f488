"""One box for whatever a customer says: an address, a domain, a server, a sale, a receipt, the reference of an error."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import Account
from audit import staff_words as words
from mailat import staff_terms as terms
from mailat.staff_terms import Found

LONGEST = 300  # letters of what is asked for
MOST = 30  # rows shown


@dataclass(frozen=True)
class Hit:
    """One thing that was found, where it is looked at, and whose it is."""

    what: str
    link: object
    url: str
    customer: object


@require_safe
def find(request: HttpRequest) -> HttpResponse:
    """Leads to the one thing that is meant, or shows all that can be."""
    if not request.user.is_staff:
        raise PermissionDenied
    said = request.GET.get("q", "").replace("\x00", "")[:LONGEST]
    term = terms.clean(said)
    hits = _hits(request, terms.look(term)) if term else []
    if len(hits) == 1:
        return HttpResponseRedirect(hits[0].url)
    context = {
        **admin.site.each_context(request),
        "title": "Find",
        "said": said,
        "term": term,
        "heads": ("what", "named", "customer"),
        "hits": hits[:MOST],
        "more": len(hits) > MOST,
        "is_reference": terms.is_reference(term),
    }
    return TemplateResponse(request, "admin/staff/find.html", context)


def _hits(request: HttpRequest, found: Iterable[Found]) -> list[Hit]:
    """What this person may see, each once."""
    seen = {_key(one.row): one for one in found if _may(request, one.row)}
    owners = Account.objects.in_bulk({one.account for one in seen.values() if one.account})
    return [_hit(one, owners.get(one.account) if one.account else None) for one in seen.values()]


def _key(row: Model) -> tuple[str, object]:
    return row._meta.label_lower, row.pk


def _may(request: HttpRequest, row: Model) -> bool:
    return request.user.has_perm(f"{row._meta.app_label}.view_{row._meta.model_name}")


def _hit(one: Found, owner: Account | None) -> Hit:
    is_customer = isinstance(one.row, Account)
    url = story_url(one.row.pk) if is_customer else words.page_of(type(one.row), one.row.pk)
    return Hit(
        what="customer" if is_customer else str(one.row._meta.verbose_name),
        link=words.anchor(url, one.says or one.row),
        url=url,
        customer=words.NOTHING if owner is None or is_customer else words.story_link(owner.pk, owner),
    )


def story_url(account: UUID) -> str:
    return reverse("staff-story", args=[account])
