"""The vendor's own description of its API, as a judge of the stand-in's answers."""

from __future__ import annotations

import copy
import functools
import json
import os
import pathlib
from typing import Any

import jsonschema

PLACES = ("../shared/specs/hcloud-openapi.json",)  # seen from the root of the project
ROOT = pathlib.Path(__file__).parents[3]

# The description is of February 2026. What the vendor has changed since, by its changelog:
# schema, what to do, field.
CHANGED_SINCE = [
    ("server", "drop", "datacenter"),  # removed after 1 July 2026
    ("list_primary_ips_response.primary_ips", "drop", "datacenter"),  # the same
    ("get_primary_ip_response.primary_ip", "drop", "datacenter"),  # the same
    ("replace_primary_ip_response.primary_ip", "drop", "datacenter"),  # the same
    ("list_primary_ips_response.primary_ips", "allow", "assignee_type=unassigned"),  # since August 2026
    ("get_primary_ip_response.primary_ip", "allow", "assignee_type=unassigned"),  # the same
    ("replace_primary_ip_response.primary_ip", "allow", "assignee_type=unassigned"),  # the same
    ("server_type", "drop", "deprecated"),  # removed on 2 November 2026
    ("server_type_location", "add", "available"),  # since April 2026
    ("server_type_location", "add", "recommended"),  # the same
]


def file() -> pathlib.Path | None:
    """Where the description is at hand, if it is."""
    named = os.environ.get("HCLOUD_OPENAPI")
    for place in [pathlib.Path(named)] if named else [ROOT / place for place in PLACES]:
        if place.is_file():
            return place
    return None


class Description:
    """What the vendor says of each answer, read once for all tests."""

    def __init__(self, description: dict[str, Any]) -> None:
        self._paths = description["paths"]
        self._schemas = {name: _modern(one) for name, one in description["components"]["schemas"].items()}
        for change in CHANGED_SINCE:
            self._change(*change)
        self._judges: dict[tuple[str, str, str], jsonschema.Draft202012Validator | None] = {}

    def _change(self, place: str, verb: str, field: str) -> None:
        name, _, inner = place.partition(".")
        schema = self._schemas[name]
        if inner:
            schema = schema["properties"][inner]
            schema = schema.get("items", schema)
        if verb == "drop":
            del schema["properties"][field]
            schema["required"].remove(field)
        elif verb == "allow":
            name, _, value = field.partition("=")
            schema["properties"][name]["enum"].append(value)
        else:
            schema["properties"][field] = {"type": "boolean"}
            schema["required"].append(field)

    def of(self, method: str, template: str, status: int) -> jsonschema.Draft202012Validator | None:
        """The judge of such an answer's body, or none where there is to be no body; KeyError for what is not described."""
        answers = self._paths[template][method.lower()]["responses"]
        said = str(status) if str(status) in answers else f"{status // 100}xx"
        if (method, template, said) not in self._judges:
            self._judges[method, template, said] = self._judge(answers[said])
        return self._judges[method, template, said]

    def _judge(self, answer: dict[str, Any]) -> jsonschema.Draft202012Validator | None:
        if not answer.get("content"):
            return None
        schema = answer["content"]["application/json"]["schema"]
        return jsonschema.Draft202012Validator({**_modern(schema), "components": {"schemas": self._schemas}})


class Contract:
    """Says whether an answer is one that the description allows; fields that it does not know are refused too."""

    def __init__(self, description: Description) -> None:
        self._description = description
        self.judged: set[tuple[str, str, int]] = set()

    def judge(self, method: str, template: str, status: int, body: bytes) -> None:
        """Raises jsonschema.ValidationError, or KeyError for an answer that is not described at all."""
        judge = self._description.of(method, template, status)
        self.judged.add((method, template, status))
        if judge:
            judge.validate(json.loads(body))
        else:
            assert body == b""


def _modern(schema: Any) -> Any:
    """OpenAPI 3.0 says `nullable`; JSON Schema does not know the word, and would let unknown fields pass."""
    if isinstance(schema, list):
        return [_modern(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    modern = {
        key: _modern(value) for key, value in schema.items() if key not in ("nullable", "discriminator")
    }
    if isinstance(modern.get("properties"), dict) and modern.get("type") == "object" and modern["properties"]:
        modern.setdefault("additionalProperties", False)
    return {"anyOf": [modern, {"type": "null"}]} if schema.get("nullable") is True else modern


@functools.cache
def _description() -> dict[str, Any] | None:
    place = file()
    return json.loads(place.read_text()) if place else None


@functools.cache
def _corrected() -> Description | None:
    description = _description()
    return Description(copy.deepcopy(description)) if description else None


def contract() -> Contract | None:
    """A judge with nothing judged yet, or none where the description is not at hand."""
    description = _corrected()
    return Contract(description) if description else None
