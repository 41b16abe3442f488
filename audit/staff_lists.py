"""The lists that staff look at: read only, paged by key, searched by what is indexed.

Nothing is added, changed or deleted here, for that would lead around the programs; what staff may do are actions that
record an event.
"""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters, ShowFacets
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.views import ChangeList as UnfoldChangeList

from audit import keyset
from audit import staff_words as words
from audit.staff_acts import Act, unsent

AFTER, BEFORE = "after", "before"
ALL = "all"  # the choice that leaves nothing out, where a filter has choices
ACT_AT_ONCE = 200  # rows that one action touches at most


class Choice(admin.SimpleListFilter):
    """A filter whose first choice holds until another is made."""

    choices_by_word: ClassVar[dict[str, tuple[str, Callable[[], Q]]]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(word, label) for word, (label, _) in self.choices_by_word.items()]

    def value(self) -> str:
        return super().value() or next(iter(self.choices_by_word))

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        for word, label in self.lookup_choices:
            query = changelist.get_query_string({str(self.parameter_name): word})
            yield {"selected": self.value() == word, "query_string": query, "display": label}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in self.choices_by_word:
            raise IncorrectLookupParameters(self.value())
        return queryset.filter(self.choices_by_word[self.value()][1]())


class KeysetPages:
    """Stands where Django's admin expects a paginator; the page itself knows what comes before and after it."""

    template_name = "admin/staff/pages.html"
    num_pages = 1

    def __init__(self, per_page: int) -> None:
        self.per_page = per_page


class KeysetList(UnfoldChangeList):
    """A page by key instead of by number, and an estimate instead of a count."""

    page: keyset.Page
    is_estimate: bool

    def get_filters_params(self, params: dict[str, Any] | None = None) -> dict[str, Any]:
        return _without_place(super().get_filters_params(params))

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        """Whoever filters or searches anew begins with the first page."""
        return super().get_query_string(new_params, [*(remove or []), AFTER, BEFORE])

    def get_results(self, request: HttpRequest) -> None:
        given = {name: request.GET[name] for name in (AFTER, BEFORE) if request.GET.get(name)}
        try:
            self.page = keyset.page(self.queryset, self.model_admin.order, size=self.list_per_page, **given)
        except keyset.BadPlace as error:
            raise IncorrectLookupParameters from error
        self.is_estimate = not self.page.is_all
        shown = len(self.page.rows)
        self.result_count = max(keyset.estimate(self.queryset), shown) if self.is_estimate else shown
        self._fill()

    def _fill(self) -> None:
        """What else Django's admin reads of a list."""
        self.full_result_count = self.result_count
        self.show_full_result_count = self.can_show_all = self.multi_page = False
        self.has_filters = False  # the choices stand above the list, not in a drawer
        self.show_admin_actions = bool(self.page.rows)
        self.result_list = self.page.rows
        self.paginator = KeysetPages(self.list_per_page)

    @property
    def shown_choices(self) -> list[dict[str, Any]]:
        """Of the filters whose first choice holds until another is made: they stand above the list, to be seen."""
        chosen = (spec.choices(self) for spec in self.filter_specs if isinstance(spec, Choice))
        return [choice for choices in chosen for choice in choices]

    @property
    def narrowed(self) -> str:
        """What alone is shown, if that is not everything."""
        return next(
            (one["display"] for one in self.shown_choices if one["selected"] and one["display"] != ALL), ""
        )

    @property
    def all_url(self) -> str:
        return next((one["query_string"] for one in self.shown_choices if one["display"] == ALL), "?")

    @property
    def first_url(self) -> str:
        return self.get_query_string()

    @property
    def newer_url(self) -> str:
        return self._url(BEFORE, self.page.newer)

    @property
    def older_url(self) -> str:
        return self._url(AFTER, self.page.older)

    def _url(self, way: str, place: str) -> str:
        return f"{self.get_query_string()}&{urlencode({way: place})}".replace("?&", "?") if place else ""


def _without_place(params: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if name not in (AFTER, BEFORE)}


class StaffList(ModelAdmin):
    """Base of every list. `order` must be that of an index and end with a unique field."""

    order: ClassVar[tuple[str, ...]] = ("-id",)
    acts: ClassVar[tuple[Act, ...]] = ()
    acts_need: ClassVar[str] = "change"
    nothing: ClassVar[str] = "There is nothing here yet."
    change_list_template = "admin/staff/list.html"
    list_per_page = 50
    sortable_by = ()
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_disable_select_all = True
    change_form_outer_before_template = "admin/staff/acts.html"

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Who may see is not yet who may act."""
        return request.user.has_perm(f"{self.opts.app_label}.{self.acts_need}_{self.opts.model_name}")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        again = unsent(self, request) if self.has_view_permission(request) else None
        return again or super().changelist_view(request, extra_context)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetList]:
        return KeysetList

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return self.order

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip().replace("\x00", "")
        if not term:
            return queryset, False
        found = self.found(term)
        return (queryset.none() if found is None else queryset.filter(found)), False

    def found(self, term: str) -> Q | None:
        """Rows that have exactly this in an indexed field; None if the words can be in none."""
        raise NotImplementedError

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **more: Any
    ) -> HttpResponse:
        shown = [] if obj is None else self.get_actions(request).values()
        acts = [(name, verb) for act, name, verb in shown if self._means_something(act, obj)]
        return super().render_change_form(
            request, {**context, "acts": acts, "all": self.all_of_it}, *args, obj=obj, **more
        )

    @property
    def all_of_it(self) -> str:
        """The list's query that leaves nothing out: an act finds its row only in what its list shows."""
        choices = [one for one in self.list_filter if isinstance(one, type) and issubclass(one, Choice)]
        return "?" + urlencode({str(one.parameter_name): ALL for one in choices}) if choices else ""

    def _means_something(self, act: Any, row: Any) -> bool:
        return not act.refuses(row) if isinstance(act, Act) else self.can_act(row)

    def can_act(self, row: Any) -> bool:
        """Whether the actions of Django's kind mean anything for this row; an Act says so itself."""
        return True

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """The acts, for who may act."""
        mine = {act.name: (act, act.name, act.verb) for act in self.acts}
        return {**super().get_actions(request), **(mine if self.has_act_permission(request) else {})}

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """From the page of one row, an action leads back to that page."""
        try:
            queryset.filter(pk__in=request.POST.getlist(ACTION_CHECKBOX_NAME))
        except (ValueError, ValidationError):
            self.message_user(request, "There is no such row.", messages.ERROR)
            return HttpResponseRedirect(request.path)
        response = super().response_action(request, queryset)
        one = request.POST.get("from_page_of")
        if one and isinstance(response, HttpResponseRedirect):
            return HttpResponseRedirect(
                reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[one])
            )
        return response


class OfHome(StaffList):
    """Rows about one server of one account, that somebody wrote: `home`, `account` and `by`, where they have them."""

    search_help_text = "The id of a server or an account"

    def found(self, term: str) -> Q | None:
        one = as_uuid(term.removeprefix("server:"))
        return Q(home=one) | Q(account_id=one) if one else None

    @admin.display(description="server")
    def of_home(self, row: Any) -> str:
        return words.subject_link(f"server:{row.home}", brief=True)

    @admin.display(description="account")
    def of_account(self, row: Any) -> str:
        return words.link(row.account)

    @admin.display(description="by")
    def whom(self, row: Any) -> str:
        return words.subject_link(row.by)


def as_uuid(term: str) -> UUID | None:
    try:
        return UUID(term)
    except ValueError:
        return None


def as_number(term: str) -> int | None:
    return int(term) if term.isascii() and term.isdigit() and len(term) < 19 else None


def staff(request: HttpRequest) -> str:
    """How events name the one who acts."""
    return f"staff:{request.user.pk}"
