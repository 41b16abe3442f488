"""Figures as people read them."""

import math

from django.utils.translation import gettext as _


def finite(value: object) -> float | None:
    """The number, or None for what is missing, no number, or not finite: an agent may say anything."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def percent(value: float | None) -> str:
    return "–" if value is None else f"{min(max(value, 0), 100):.0f} %"  # noqa: RUF001


def load(value: float | None) -> str:
    return "–" if value is None else f"{max(value, 0):.2f}"  # noqa: RUF001


def size(value: float | None) -> str:
    """Bytes, by the thousand as disks are sold."""
    if value is None:
        return "–"  # noqa: RUF001
    left = max(value, 0)
    for unit in ("B", "kB", "MB", "GB"):
        if left < 999.5:
            return f"{left:.0f} {unit}" if left >= 9.95 or unit == "B" else f"{left:.1f} {unit}"
        left /= 1000
    return f"{left:.1f} TB"


def speed(value: float | None) -> str:
    """Bytes a second."""
    return "–" if value is None else _("%s/s") % size(value)  # noqa: RUF001


def share(part: object, whole: object) -> float | None:
    """How many percent of the whole the part is."""
    some, all_of_it = finite(part), finite(whole)
    return some / all_of_it * 100 if some is not None and all_of_it else None


def seconds(value: float | None) -> str:
    """A time that something took."""
    if value is None:
        return "–"  # noqa: RUF001
    places = 1 if 0 <= value < 9.95 else 0
    return _("%s s") % f"{max(value, 0):.{places}f}"
