"""How rows are shown to staff: links, small tables, and facts with nothing secret in them."""

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Model
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

NOTHING = "-"
MOST = 50  # rows of a table inside a page


def link(row: Model | None, words: object = None) -> SafeString | str:
    """To the page of this row."""
    if row is None:
        return NOTHING
    return _anchor(_page_of(row._meta.label_lower, row.pk), words or row)


def list_link(model: str, words: object, **query: object) -> SafeString:
    """To a list, such as list_link("engine.run", "its runs", q="server:…", state="all")."""
    url = reverse(f"admin:{model.replace('.', '_')}_changelist")
    return _anchor(f"{url}?{urlencode(query)}" if query else url, words)


def subject_link(subject: str) -> SafeString | str:
    """To the page of what an event, a run or an alarm is about, where it has one."""
    kind, _, key = subject.partition(":")
    model = SUBJECTS.get(kind)
    return _anchor(_page_of(model, key), subject) if model and key else subject or NOTHING


SUBJECTS = {
    "server": "servers.server",
    "ping": "billing.ping",
    "subscription": "billing.subscription",
    "letter": "accounts.letter",
    "account": "accounts.account",
    "user": "accounts.user",
    "run": "engine.run",
    "alarm": "engine.alarm",
}


def account_link(account: UUID | None) -> SafeString | str:
    return _anchor(_page_of("accounts.account", account), account) if account else NOTHING


def _page_of(model: str, key: object) -> str:
    try:
        return reverse(f"admin:{model.replace('.', '_')}_change", args=[key])
    except NoReverseMatch:
        return ""


def _anchor(url: str, words: object) -> SafeString | str:
    if not url:
        return str(words)
    return format_html(
        '<a class="text-primary-600 dark:text-primary-500 underline" href="{}">{}</a>', url, words
    )


def table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> SafeString | str:
    """A small table; the caller bounds its rows, MOST at best."""
    body = [format_html("<tr>{}</tr>", _cells("td", row)) for row in rows]
    if not body:
        return NOTHING
    return format_html(
        '<table class="w-full text-left"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>',
        _cells("th", heads),
        format_html_join("", "{}", ((row,) for row in body)),
    )


def _cells(tag: str, cells: Iterable[object]) -> SafeString:
    shown = ((tag, NOTHING if cell in (None, "") else cell, tag) for cell in cells)
    return format_html_join("", '<{} class="pr-4 py-1 align-top">{}</{}>', shown)


def facts(value: Any) -> SafeString | str:
    """JSON as people read it."""
    if value in (None, "", {}, []):
        return NOTHING
    return preformatted(json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True, default=str))


def preformatted(text: str) -> SafeString:
    return format_html('<pre class="whitespace-pre-wrap break-all">{}</pre>', text)


def moment(at: Any) -> str:
    """To the second; lists are read beside logs."""
    return f"{localtime(at):%Y-%m-%d %H:%M:%S}" if at else NOTHING
