"""When a server may restart, as its page says and asks it: rows hold hours of UTC, people read those of their zone beside."""

from dataclasses import dataclass
from datetime import UTC, datetime, time

from django import forms
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from servers.models import Server

LENGTHS = (1, 2, 3, 4, 6, 8, 12, 24)  # hours


@dataclass(frozen=True)
class Window:
    says: str
    days: list[int]
    hour: int
    hours: int
    all_days: list[tuple[int, str]]
    all_hours: list[tuple[int, str]]
    all_lengths: list[tuple[int, str]]


class WindowForm(forms.Form):
    days = forms.TypedMultipleChoiceField(
        choices=[(number, name) for number, name in WEEKDAYS.items()],
        coerce=int,
        error_messages={
            "required": lazy("Choose at least one day."),
            "invalid_choice": lazy("Choose days of the week."),
        },
    )
    hour = forms.TypedChoiceField(
        choices=[(n, n) for n in range(24)],
        coerce=int,
        error_messages={"invalid_choice": lazy("Choose an hour of the day.")},
    )
    hours = forms.TypedChoiceField(
        choices=[(n, n) for n in LENGTHS],
        coerce=int,
        error_messages={"invalid_choice": lazy("Choose one of the lengths.")},
    )


def window_of(server: Server, form: WindowForm | None = None) -> Window:
    """The window as it is; the choices of a form that was not accepted stay as they were typed."""
    days = _typed_days(form) if form else [day for day in server.reboot_days if day in WEEKDAYS]
    hour, hours = server.reboot_hour, server.reboot_hours
    return Window(
        says=_says(server),
        days=days,
        hour=_typed(form, "hour", hour),
        hours=_typed(form, "hours", hours),
        all_days=[(number, str(name)) for number, name in WEEKDAYS.items()],
        all_hours=[(n, _hour(n)) for n in range(24)],
        all_lengths=[(n, ngettext("%d hour", "%d hours", n) % n) for n in sorted({*LENGTHS, hours})],
    )


def _typed_days(form: WindowForm) -> list[int]:
    return [int(day) for day in form.data.getlist("days") if day in map(str, WEEKDAYS)]  # type: ignore[attr-defined]


def _typed(form: WindowForm | None, field: str, now: int) -> int:
    value = form.data.get(field, "") if form else ""
    return int(value) if value.isascii() and value.isdigit() and len(value) < 3 else now


def _says(server: Server) -> str:
    if not server.reboot_days:
        return _("Never by itself.")
    first, last = server.reboot_hour, (server.reboot_hour + server.reboot_hours) % 24
    facts = {"days": _days(server.reboot_days), "utc": f"{first:02}:00 – {last:02}:00 UTC"}  # noqa: RUF001
    facts["here"] = f"{_here(first)} – {_here(last)}"  # noqa: RUF001
    if timezone.localtime().utcoffset():
        return _("%(days)s, %(here)s where you are (%(utc)s), if an update needs it.") % facts
    return _("%(days)s, %(utc)s, if an update needs it.") % facts


def _days(days: list[int]) -> str:
    if len(set(days)) == 7:
        return _("On any day")
    return ", ".join(str(WEEKDAYS[day]) for day in sorted(set(days)) if day in WEEKDAYS)


def _here(hour: int) -> str:
    """The hour of UTC in the reader's zone, as it is today."""
    at = datetime.combine(timezone.now().date(), time(hour), tzinfo=UTC)
    return date_format(timezone.localtime(at), "H:i")


def _hour(hour: int) -> str:
    utc, here = f"{hour:02}:00 UTC", _here(hour)
    return utc if here == f"{hour:02}:00" else _("%(utc)s, here %(here)s") % {"utc": utc, "here": here}
