"""When a server may back up and how fast: rows hold hours of UTC and KiB a second, people read their zone and megabits."""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from backups.models import Repository
from dashboard.mail.forms import PageForm, Words

MEGABIT = Decimal(10**6) / 8 / 1024  # in KiB
HOURS = [("", lazy("at any hour")), *((str(hour), str(hour)) for hour in range(24))]


def _hour(label: Words) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=label,
        choices=HOURS,
        coerce=int,
        required=False,
        empty_value=None,
        error_messages={"invalid_choice": lazy("Choose an hour of the day.")},
    )


class LimitsForm(PageForm):
    first = _hour(lazy("Begin from"))
    last = _hour(lazy("until"))
    megabits = forms.DecimalField(
        label=lazy("At most, in megabits a second"),
        help_text=lazy("Each way. Empty: as fast as it goes."),
        required=False,
        min_value=Decimal("0.1"),
        max_value=Decimal(10_000),
        decimal_places=1,
        widget=forms.NumberInput(attrs={"inputmode": "decimal", "step": "any"}),
        error_messages={
            "invalid": lazy("Type a number, such as 20, or nothing."),
            "min_value": lazy("Type at least 0.1, or nothing."),
            "max_value": lazy("Type at most 10000, or nothing."),
            "max_decimal_places": lazy("One digit behind the point is enough."),
            "max_digits": lazy("Type at most 10000, or nothing."),
            "max_whole_digits": lazy("Type at most 10000, or nothing."),
        },
    )

    def clean(self) -> dict[str, object]:
        said = super().clean() or {}
        if self.errors:
            return said
        first, last = said.get("first"), said.get("last")
        if (first is None) != (last is None):
            self.add_error("last" if last is None else "first", lazy("Choose both hours, or neither."))
        elif first is not None and first == last:
            self.add_error("last", lazy("Choose two hours that differ, or neither for the whole day."))
        return said


@dataclass(frozen=True)
class Limits:
    hours: str
    speed: str


def form_of(repository: Repository, data: object = None) -> LimitsForm:
    """The choices are hours of UTC, named by those of the reader and in their order."""
    initial = {"first": _text(repository.hours_from), "last": _text(repository.hours_to)}
    form = LimitsForm(data, name="limits", initial={**initial, "megabits": _megabits(repository.kib_s)})
    for name in ("first", "last"):
        form.fields[name].choices = choices()  # type: ignore[attr-defined]
    return form


def choices() -> list[tuple[str, str]]:
    named = sorted((_here(hour), hour) for hour in range(24))
    return [("", str(_("at any hour"))), *((str(hour), _named(here, hour)) for here, hour in named)]


def wanted(said: dict[str, Any]) -> tuple[tuple[int, int] | None, int | None]:
    """Hours of UTC and KiB a second, as actions take them."""
    first, last, megabits = (said[name] for name in ("first", "last", "megabits"))
    hours = None if first is None else (first, last)
    return hours, None if megabits is None else max(1, round(megabits * MEGABIT))


def limits_of(repository: Repository) -> Limits:
    """What is set, in words."""
    first, last, kib_s = repository.hours_from, repository.hours_to, repository.kib_s
    hours = _("at any hour")
    if first is not None and last is not None:
        hours = _("from %(first)s until %(last)s") % {"first": _here(first), "last": _here(last)}
        if timezone.localtime().utcoffset():
            hours += f" ({first:02}:00 – {last:02}:00 UTC)"  # noqa: RUF001
    speed = _("as fast as it goes")
    if kib_s is not None:
        speed = _("at most %s megabits a second") % _megabits(kib_s)
    return Limits(hours, speed)


def _named(here: str, hour: int) -> str:
    return here if here == f"{hour:02}:00" else f"{here} ({hour:02}:00 UTC)"


def _here(hour: int) -> str:
    """An hour of UTC in the reader's zone, as it is today."""
    at = datetime.combine(timezone.now().date(), time(hour % 24), tzinfo=UTC)
    return date_format(timezone.localtime(at), "H:i")


def _text(hour: int | None) -> str:
    return "" if hour is None else str(hour % 24)


def _megabits(kib_s: int | None) -> str:
    if kib_s is None:
        return ""
    return f"{(kib_s / MEGABIT).quantize(Decimal('0.1')).normalize():f}"
