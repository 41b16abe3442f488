"""Every address of the site and of the gate, as Django's own resolver has them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.urls import URLPattern, URLResolver, get_resolver

from dashboard.urls import urlpatterns as DASHBOARD

NOBODYS: dict[str, object] = {
    "UUIDConverter": UUID("00000000-0000-4000-8000-000000000000"),
    "IntConverter": 1,
    "SlugConverter": "nobodys-word-0123456789-0123456789-0123456789",
    "StringConverter": "nobodys-word-0123456789-0123456789-0123456789",
    "PathConverter": "1",
}


@dataclass(frozen=True)
class Door:
    """One address: its route as the log names it, and what it takes."""

    route: str
    pattern: URLPattern

    @property
    def name(self) -> str:
        return str(self.pattern.name or "")

    @property
    def takes(self) -> dict[str, str]:
        """The kind of each part of the path that differs."""
        return {name: type(one).__name__ for name, one in self.pattern.pattern.converters.items()}

    @property
    def is_the_dashboards(self) -> bool:
        return self.pattern in DASHBOARD

    @property
    def is_staffs(self) -> bool:
        return self.route.startswith("admin/")

    def path(self, **parts: object) -> str:
        """With what is nobody's in every part that is not given."""
        path = "/" + PLACEHOLDER.sub(_first_choice, self.route).replace("^", "").replace("$", "")
        for name, kind in self.takes.items():
            value = str(parts.get(name, NOBODYS[kind]))
            for mark in (f"<{KINDS[kind]}:{name}>", f"<{name}>"):
                path = path.replace(mark, value)
        return path


PLACEHOLDER = re.compile(r"\(\?P<\w+>([^)]*)\)")


def _first_choice(found: re.Match[str]) -> str:
    """Of a part that is a regular expression: the first word that it names, or any."""
    first = found[1].split("|")[0]
    return first if first.isidentifier() else "nowhere"


KINDS = {
    "UUIDConverter": "uuid",
    "IntConverter": "int",
    "SlugConverter": "slug",
    "StringConverter": "str",
    "PathConverter": "path",
}


def doors(urlconf: str = "mailat.urls") -> list[Door]:
    return list(_walk(get_resolver(urlconf).url_patterns, ""))


def _walk(patterns: Sequence[URLPattern | URLResolver], before: str) -> Iterator[Door]:
    for one in patterns:
        route = before + str(one.pattern)
        if isinstance(one, URLPattern):
            yield Door(route, one)
        else:
            yield from _walk(one.url_patterns, route)
