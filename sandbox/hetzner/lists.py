"""Pages and order of lists. Source: docs.hetzner.cloud/reference/cloud, "Pagination" and "Sorting"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import flask
from werkzeug.datastructures import MultiDict

from sandbox.hetzner.errors import invalid

PER_PAGE, MOST_PER_PAGE = 25, 50

Item = dict[str, Any]


def page_of(name: str, items: list[Any], show: Callable[[Any], Item] = lambda item: item) -> flask.Response:
    """One page of the items under `name`, with meta and the Link header; only what is on the page is shown."""
    arguments = flask.request.args
    page, per_page = (
        _number(arguments, "page", 1, None),
        _number(arguments, "per_page", PER_PAGE, MOST_PER_PAGE),
    )
    last = max(1, -(-len(items) // per_page))
    pagination = {
        "page": page,
        "per_page": per_page,
        "previous_page": page - 1 if page > 1 else None,
        "next_page": page + 1 if page < last else None,
        "last_page": last,
        "total_entries": len(items),
    }
    shown = [show(item) for item in items[(page - 1) * per_page : page * per_page]]
    answer = flask.jsonify({name: shown, "meta": {"pagination": pagination}})
    answer.headers["Link"] = _link(pagination)
    return answer


def _number(arguments: MultiDict[str, str], name: str, default: int, most: int | None) -> int:
    text = arguments.get(name, str(default))
    if not text.isdecimal() or int(text) < 1:
        raise invalid(name, "must be a positive number")
    if most and int(text) > most:
        raise invalid(name, f"must not be greater than {most}")
    return int(text)


def _link(pagination: dict[str, int | None]) -> str:
    pages = {
        "prev": pagination["previous_page"],
        "next": pagination["next_page"],
        "last": pagination["last_page"],
    }
    return ", ".join(f'<{_address(page)}>; rel="{name}"' for name, page in pages.items() if page)


def _address(page: int) -> str:
    arguments = {**flask.request.args.to_dict(flat=False), "page": [str(page)]}
    return f"{flask.request.base_url}?{urlencode(arguments, doseq=True)}"


def in_order(items: list[Item], fields: tuple[str, ...]) -> list[Item]:
    """The items as the request wants them sorted; the first field named counts most."""
    for wish in reversed(flask.request.args.getlist("sort")):
        field, _, direction = wish.partition(":")
        if field not in fields or direction not in ("", "asc", "desc"):
            raise invalid("sort", f"'{wish}' is not possible here")
        items = sorted(items, key=lambda item: item[field] or "", reverse=direction == "desc")
    return items
