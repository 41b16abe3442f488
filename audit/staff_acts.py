"""What staff may do: each act has a page that names what will happen and asks why, and is done once and written down.

An act goes through an action of its room, which refuses what has ended and records an event with the reason; nothing
here writes a row of anybody else's.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, cast
from uuid import UUID, uuid4

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.utils.module_loading import import_string
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from audit import staff_words as words
from audit.models import Deed

if TYPE_CHECKING:
    from audit.staff_lists import StaffList

AT_ONCE = 200  # rows that one act touches at most
LEAST_REASON = 5  # letters
UNSENT = "unsent_act"  # the session's name for the form of an act that was not taken yet


class CannotBe(ValueError):
    """It is not done with this row, and the text says why."""


class Reason(forms.Form):
    """Why it is done. An act that must know more has a form of its own with further fields."""

    reason = forms.CharField(
        label="Why",
        min_length=LEAST_REASON,
        max_length=300,
        widget=UnfoldAdminTextInputWidget,
        help_text="Kept with your name for a year. The people of the account may read it.",
    )


class Days(Reason):
    """For what is put off."""

    days = forms.IntegerField(
        label="For how many more days",
        min_value=1,
        max_value=30,
        initial=7,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    field_order = ("days", "reason")


@dataclass(frozen=True)
class Order:
    """Who wants it and why, and what else they typed; the same `once` again is the same order."""

    by: str
    reason: str
    once: UUID
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Act:
    """One verb of a list. `do` raises CannotBe; `refuses` says beforehand why not, or nothing."""

    name: str
    verb: str
    does: str
    do: Callable[[Any, Order], object]
    refuses: Callable[[Any], str] = lambda row: ""
    form: type[Reason] = Reason
    do_not_call_in_templates: ClassVar[bool] = True  # Django's templates call what can be called

    def __call__(self, site: "StaffList", request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponse | None:
        """Called by Django's admin with the chosen rows: first for the page, then with the page's form."""
        rows = list(chosen[:AT_ONCE])
        if not rows:
            site.message_user(request, "There is no such row.", messages.ERROR)
            return None
        sent = "once" in request.POST
        form = self.form(request.POST if sent else None)
        once = _once_of(request)
        if not (sent and once and form.is_valid()):
            return self.page(site, request, form, rows, once or uuid4())
        if asks := import_string(settings.STAFF_ACTS_ASK)(request):
            _keep(request)
            return cast(HttpResponse, asks)
        _tell(site, request, self._carry_out(site, rows, _order(request, once, form.cleaned_data)), len(rows))
        return None

    def page(
        self, site: "StaffList", request: HttpRequest, form: Reason, rows: list[Any], once: UUID
    ) -> HttpResponse:
        apart = [(row, self.refuses(row)) for row in rows]
        context = {
            **site.admin_site.each_context(request),
            "opts": site.opts,
            "title": self.verb,
            "act": self,
            "form": form,
            "once": once,
            "accepted": [words.link(row) for row, why in apart if not why],
            "refused": [(words.link(row), why) for row, why in apart if why],
            "chosen": [row.pk for row in rows],
            "checkbox": ACTION_CHECKBOX_NAME,
            "one": request.POST.get("from_page_of", ""),
            "address": request.get_full_path(),
            "back": _page_before(site, request),
        }
        status = 422 if form.errors else 200
        return TemplateResponse(request, "admin/staff/act.html", context, status=status)

    def _carry_out(self, site: "StaffList", rows: list[Any], order: Order) -> "list[Told] | None":
        """All of it or nothing; None if this very page was sent before."""
        with transaction.atomic():
            deed, new = Deed.objects.get_or_create(
                once=order.once,
                defaults={
                    "by": order.by,
                    "act": f"{site.opts.label_lower}:{self.name}",
                    "title": self.verb,
                    "reason": order.reason,
                },
            )
            if not new:
                return None
            told = [Told(row, self._do(row, order)) for row in rows]
            deed.told = [one.plain(site) for one in told]
            deed.save(update_fields=["told"])
            return told

    def _do(self, row: Any, order: Order) -> str:
        """Nothing if it is done, else why it is not."""
        if why := self.refuses(row):
            return why
        try:
            with transaction.atomic():
                self.do(row, order)
        except CannotBe as error:
            return str(error)
        return ""


@dataclass(frozen=True)
class Told:
    """What became of one row."""

    row: Model
    why_not: str

    def plain(self, site: "StaffList") -> dict[str, str]:
        return {
            "row": f"{site.opts.label_lower}:{self.row.pk}",
            "name": str(self.row),
            "why_not": self.why_not,
        }


def _keep(request: HttpRequest) -> None:
    """Nothing in it is a secret: the reason is written to be read."""
    sent = request.POST.copy()
    sent.pop("csrfmiddlewaretoken", None)
    request.session[UNSENT] = {"at": request.get_full_path(), "sent": sent.urlencode()}


def unsent(site: "StaffList", request: HttpRequest) -> HttpResponse | None:
    """The page of the act once more, as it was filled in, for who comes back from showing who they are."""
    kept = request.session.get(UNSENT)
    if request.method != "GET" or not kept or kept["at"] != request.get_full_path():
        return None
    del request.session[UNSENT]
    request.POST = QueryDict(kept["sent"])
    act = site.get_actions(request).get(request.POST.get("action", ""), (None,))[0]
    rows = list(
        site.get_queryset(request).filter(pk__in=request.POST.getlist(ACTION_CHECKBOX_NAME))[:AT_ONCE]
    )
    if not isinstance(act, Act) or not rows:
        return None
    return act.page(site, request, act.form(request.POST), rows, _once_of(request) or uuid4())


def _once_of(request: HttpRequest) -> UUID | None:
    try:
        return UUID(request.POST.get("once", ""))
    except ValueError:
        return None


def _order(request: HttpRequest, once: UUID, given: dict[str, Any]) -> Order:
    more = {name: value for name, value in given.items() if name != "reason"}
    return Order(by=f"staff:{request.user.pk}", reason=given["reason"], once=once, more=more)


def _page_before(site: "StaffList", request: HttpRequest) -> str:
    one = request.POST.get("from_page_of", "")
    return words.page_of(site.model, one) if one else request.get_full_path()


def _tell(site: "StaffList", request: HttpRequest, told: list[Told] | None, chosen: int) -> None:
    if told is None:
        site.message_user(request, "This was sent twice; it was done the first time.", messages.WARNING)
        return
    for one in (one for one in told if one.why_not):
        site.message_user(request, f"{one.row}: {one.why_not}", messages.WARNING)
    done = sum(not one.why_not for one in told)
    level = messages.SUCCESS if done else messages.WARNING
    site.message_user(request, "Done." if done == chosen == 1 else f"Done for {done} of {chosen}.", level)
