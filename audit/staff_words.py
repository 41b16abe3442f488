"""How rows are shown to staff: links, small tables, and facts with nothing secret in them."""

import json
from collections.abc import Iterable
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from django.db.models import Model
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

NOTHING = "-"
MOST = 50  # rows of a table inside a page
TONES = {
    "good": "bg-green-100 text-green-700 dark:bg-green-500/20 dark:text-green-400",
    "warn": "bg-orange-100 text-orange-700 dark:bg-orange-500/20 dark:text-orange-400",
    "bad": "bg-red-100 text-red-700 dark:bg-red-500/20 dark:text-red-400",
    "calm": "bg-base-500/8 text-base-700 dark:bg-base-500/20 dark:text-base-200",
}


def link(row: Model | None, words: object = None) -> SafeString | str:
    """To the page of this row."""
    if row is None:
        return NOTHING
    return anchor(_page_of(row._meta.label_lower, row.pk), words or row)


def row_link(model: str, key: str, words: object) -> SafeString | str:
    """To the page of a row that is not read here and may be gone."""
    return anchor(_page_of(model, key), words)


def list_link(model: str, words: object, **query: object) -> SafeString:
    """To a list, such as list_link("engine.run", "its runs", q="server:…", state="all")."""
    url = reverse(f"admin:{model.replace('.', '_')}_changelist")
    return anchor(f"{url}?{urlencode(query)}" if query else url, words)


def subject_link(subject: str, *, brief: bool = False) -> SafeString | str:
    """To the page of what or who is named so, where that has one; `brief` is for lists, where a whole id takes two lines."""
    kind, _, key = subject.partition(":")
    words = f"{kind}:{key[:8]}…" if brief and len(key) > BRIEF else subject
    url = _page_of(SUBJECTS[kind], key) if kind in SUBJECTS and key else ""
    return anchor(url, words, title=subject if words != subject else "") if subject else NOTHING


BRIEF = 12
SUBJECTS = {
    "server": "servers.server",
    "agent": "servers.server",
    "domain": "domains.domain",
    "mailbox": "domains.mailbox",
    "ping": "billing.ping",
    "subscription": "billing.subscription",
    "letter": "accounts.letter",
    "account": "accounts.account",
    "user": "accounts.user",
    "staff": "accounts.user",
    "run": "engine.run",
    "alarm": "engine.alarm",
    "secret": "vault.secret",
    "credentials": "sending.credentials",
    "vaultkey": "vault.key",
    "repository": "backups.repository",
    "deed": "audit.deed",
}


def account_link(account: UUID | None, *, brief: bool = False) -> SafeString | str:
    return subject_link(f"account:{account}", brief=brief) if account else NOTHING


def reference_link(reference: str) -> SafeString | str:
    """A run has a page; of a request there are its events and its lines in the log."""
    if reference.isascii() and reference.isdigit():
        return anchor(_page_of("engine.run", reference), f"run {reference}")
    return list_link("audit.event", reference, q=reference) if reference else NOTHING


def page_of(model: type[Model], key: object) -> str:
    """The address of the page of a row, or nothing where its kind has none."""
    return _page_of(model._meta.label_lower, key)


def story_link(account: UUID | None, words: object) -> SafeString | str:
    """To the whole story of a customer."""
    return anchor(reverse("staff-story", args=[account]), words) if account else NOTHING


def _page_of(model: str, key: object) -> str:
    return _pages(model).replace(KEY, quote(str(key), safe=""))


KEY = "KEY"


@cache
def _pages(model: str) -> str:
    """Where the rows of a model have their pages; a list has hundreds of links, and each reversal takes its time."""
    try:
        return reverse(f"admin:{model.replace('.', '_')}_change", args=[KEY])
    except NoReverseMatch:
        return ""


def anchor(url: str, words: object, *, title: str = "") -> SafeString:
    """The words, as a link where there is somewhere to lead."""
    if not url:
        return format_html('<span title="{}">{}</span>', title, words) if title else format_html("{}", words)
    return format_html(TITLED, url, title, words) if title else format_html(ANCHOR, url, words)


ANCHOR = '<a class="text-primary-600 dark:text-primary-500 underline" href="{}">{}</a>'
TITLED = ANCHOR.replace('">{}', '" title="{}">{}')


def mark(word: object, tone: str) -> SafeString:
    """A word that is seen from afar: `tone` is good, warn, bad or calm. The word alone says it too."""
    return format_html(
        '<span class="font-medium px-2 py-1 rounded-default whitespace-nowrap {}">{}</span>',
        TONES[tone],
        word,
    )


def table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> SafeString | str:
    """A small table; the caller bounds its rows, MOST at best."""
    named, body = list(heads), [format_html("<tr>{}</tr>", _cells("td", row)) for row in rows]
    if not body:
        return NOTHING
    return format_html(
        '<div class="staff-table" tabindex="0" role="group" aria-label="{}"><table class="w-full text-left">'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>",
        ", ".join(map(str, named)),
        _cells("th", named),
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


def moment(at: Any) -> SafeString | str:
    """To the second, for lists are read beside logs; on one line."""
    if not at:
        return NOTHING
    return format_html('<time class="whitespace-nowrap" datetime="{}">{}</time>', at.isoformat(), when(at))


def when(at: Any) -> str:
    """The same inside a sentence."""
    return f"{localtime(at):%Y-%m-%d %H:%M:%S}" if at else "no time"


def sentences(parts: Iterable[object]) -> SafeString:
    return format_html_join(" ", "{}", ((part,) for part in parts if part))


def lines(parts: Iterable[object]) -> SafeString | str:
    """Each on a line of its own, inside a cell."""
    return format_html_join("", "<div>{}</div>", ((part,) for part in parts if part)) or NOTHING
