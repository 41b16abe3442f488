"""What all doors of the internet have in common: JSON from programs, forms from the page, and errors as sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flask

from sandbox.hosts.debian.machines import NoLan
from sandbox.internet.records import RecordError
from sandbox.internet.ses_users import SesError

if TYPE_CHECKING:
    from sandbox.internet.office import Internet

Answer = flask.typing.ResponseReturnValue


class WishError(Exception):
    """What was asked for cannot be understood; the text says why."""


class Doors:
    """A part of the doors; each answers a program with JSON and a browser with the page."""

    def __init__(self, internet: Internet) -> None:
        self.internet = internet

    def open(self, doors: flask.Blueprint, path: str, work: Any, *methods: str) -> None:
        """`work` gets the wish and returns what to answer; a second path serves the page's forms."""

        def door(**parts: Any) -> Answer:
            try:
                return self._told(work(wish(), **parts))
            except (WishError, RecordError, SesError, ValueError) as problem:
                return self._refused(str(problem), 400)
            except NoLan as problem:
                return self._refused(str(problem), 503)

        doors.add_url_rule(path, f"{methods}{path}".replace(".", "_"), door, methods=list(methods))

    def _told(self, answer: dict[str, Any]) -> Answer:
        if not by_form():
            return flask.jsonify(answer), 200 if flask.request.method in ("GET", "DELETE") else 201
        if "shown" in answer:  # what is told once is not lost by a redirect
            return self.internet.page(told=answer["shown"])
        return flask.redirect(flask.url_for("internet.page"), 303)

    def _refused(self, text: str, status: int) -> Answer:
        if by_form():
            return self.internet.page(error=text), status
        return flask.jsonify({"error": text}), status


def by_form() -> bool:
    return flask.request.mimetype in ("application/x-www-form-urlencoded", "multipart/form-data")


def wish() -> dict[str, Any]:
    """The request's fields: of JSON, else of a form or of the address."""
    if flask.request.mimetype == "application/json":
        content = flask.request.get_json(silent=True)
        if not isinstance(content, dict):
            raise WishError("the body must be a JSON object")
        return content
    return {**flask.request.args.to_dict(), **flask.request.form.to_dict()}


def text(asked: dict[str, Any], name: str, default: str | None = None) -> str:
    """One field that must be a text; without a default it must be there and not be empty."""
    value = asked.get(name, default)
    if not isinstance(value, str) or (default is None and not value.strip()):
        raise WishError(f"{name} must be a text")
    return value


def several(asked: dict[str, Any], name: str) -> list[str]:
    """A list of texts, or one text with commas or spaces between."""
    value = asked.get(name)
    found = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(found, list) or not found or not all(isinstance(each, str) and each for each in found):
        raise WishError(f"{name} must be one or more texts")
    return found
