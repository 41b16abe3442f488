"""A page with several forms: each posts to the page itself and says what it wants done by the name of its button, `do`.

What worked is told on the page that is shown next; what was refused stands beside its field, with all that was typed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from dashboard.mail.forms import PageForm
from domains.refusals import Refusal

Fields = dict[str, Any]


@dataclass(frozen=True)
class Doing:
    """`act` does it with the form's clean fields and returns the sentence to be told; it may raise Refusal."""

    act: Callable[[Fields], str]
    form: PageForm
    anchor: str = ""


def asked_of(request: HttpRequest, forms: Mapping[str, PageForm]) -> str:
    """What the form that was sent wants done. Raises Http404 for what no form of the page asks."""
    do = request.POST.get("do", "")
    if do not in forms:
        raise Http404
    return do


def carry_out(request: HttpRequest, doing: Doing, back: str) -> HttpResponse | None:
    """Leads back to the page if it was done; None, with the errors on the form, if not."""
    if not doing.form.is_valid():
        return None
    try:
        says = doing.act(doing.form.cleaned_data)
    except Refusal as refusal:
        doing.form.refuse(refusal)
        return None
    messages.success(request, says)
    return redirect(f"{back}#{doing.anchor}" if doing.anchor else back)
