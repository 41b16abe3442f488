"""Labels and label selectors. Source: docs.hetzner.cloud/reference/cloud, "Labels" and "Label Selector"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from sandbox.hetzner.errors import invalid

Labels = dict[str, str]
Test = Callable[[Labels], bool]

NAME = r"[a-zA-Z0-9](?:[a-zA-Z0-9._-]{0,61}[a-zA-Z0-9])?"
PREFIX = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*"
KEY = re.compile(rf"(?:(?P<prefix>{PREFIX})/)?{NAME}")
VALUE = re.compile(rf"(?:{NAME})?")
COMPARISON = re.compile(r"(?P<key>[^\s=!,()]+)\s*(?P<sign>==|=|!=)\s*(?P<value>[^\s=!,()]*)")
MEMBERSHIP = re.compile(r"(?P<key>[^\s=!,()]+)\s+(?P<word>in|notin)\s*\((?P<values>[^()]*)\)")
PRESENCE = re.compile(r"(?P<absent>!?)\s*(?P<key>[^\s=!,()]+)")


def read(labels: object) -> Labels:
    """The labels of a request, checked; raises ApiError."""
    if labels is None:
        return {}
    if not isinstance(labels, dict):
        raise invalid("labels", "must be an object")
    for key, value in labels.items():
        _check(key, value)
    return labels


def _check(key: str, value: object) -> None:
    fitting = KEY.fullmatch(key)
    prefix = (fitting["prefix"] or "") if fitting else ""
    if not fitting or len(prefix) > 253 or prefix == "hetzner.cloud":
        raise invalid("labels", f"'{key}' is not a valid key")
    if not isinstance(value, str) or not VALUE.fullmatch(value):
        raise invalid("labels", f"the value of '{key}' is not valid")


def selector(text: str) -> Test:
    """A test that says whether labels fit the selector; an empty selector fits all; raises ApiError."""
    tests = [_test(part.strip()) for part in _parts(text)] if text.strip() else []
    return lambda labels: all(test(labels) for test in tests)


def _parts(text: str) -> Iterator[str]:
    """Splits at commas that are not inside brackets."""
    yield from re.split(r",(?![^(]*\))", text)


def _test(part: str) -> Test:
    if fit := COMPARISON.fullmatch(part):
        key, value = _known(fit["key"]), fit["value"]
        if fit["sign"] == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if fit := MEMBERSHIP.fullmatch(part):
        return _membership(_known(fit["key"]), fit["word"] == "in", fit["values"])
    if fit := PRESENCE.fullmatch(part):
        key, wanted = _known(fit["key"]), not fit["absent"]
        return lambda labels: (key in labels) == wanted
    raise invalid("label_selector", f"cannot be read at '{part}'")


def _membership(key: str, inside: bool, text: str) -> Test:
    values = {value.strip() for value in text.split(",")}
    return lambda labels: (labels.get(key) in values) == inside


def _known(key: str) -> str:
    if not KEY.fullmatch(key):
        raise invalid("label_selector", f"'{key}' is not a valid key")
    return key
