"""The vendor's two ways of writing requests and answers, read from its own description of the services in botocore."""

from __future__ import annotations

import datetime
import functools
import json
import re
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote
from xml.sax.saxutils import escape

import botocore.session
from botocore.validate import ParamValidator

from sandbox.aws.errors import AwsError

LABEL = re.compile(r"\{(\w+)\}")


@functools.cache
def model(service: str) -> Any:
    return botocore.session.Session().get_service_model(service)


@functools.cache
def _paths() -> list[tuple[str, re.Pattern[str], str]]:
    """Method, path and name of every operation of SES; what is literal comes before what is a label."""
    found = []
    for name in model("sesv2").operation_names:
        http = model("sesv2").operation_model(name).http
        path = LABEL.sub(r"(?P<\1>[^/]+)", http["requestUri"])
        found.append((http["method"], re.compile(path + "/?"), name))
    return sorted(found, key=lambda each: each[1].pattern.count("(?P<"))


def find(method: str, path: str) -> tuple[str, dict[str, str]]:
    """The operation of SES at this path, and what stands in the path. Raises AwsError."""
    for wanted, pattern, name in _paths():
        found = pattern.fullmatch(path) if wanted == method else None
        if found:
            return name, {label: unquote(value) for label, value in found.groupdict().items()}
    raise AwsError("UnknownOperationException", "There is no such operation", 404)


def of_json(name: str, labels: dict[str, str], query: Mapping[str, list[str]], body: bytes) -> dict[str, Any]:
    """The parameters of an operation of SES. Raises AwsError for what the description does not allow."""
    shape = model("sesv2").operation_model(name).input_shape
    given: dict[str, Any] = {}
    for member, inner in shape.members.items():
        place, key = inner.serialization.get("location"), inner.serialization.get("name", member)
        if place == "querystring" and key in query:
            values = query[key]
            given[member] = values if inner.type_name == "list" else _scalar(inner, values[-1])
    try:
        content = json.loads(body) if body else {}
    except ValueError:
        raise AwsError("SerializationException", "The body is not JSON") from None
    return _checked(shape, {**given, **_object(content), **labels}, "BadRequestException")


def _object(content: object) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise AwsError("SerializationException", "The body is not an object")
    return content


def _checked(shape: Any, given: dict[str, Any], code: str) -> dict[str, Any]:
    report = ParamValidator().validate(given, shape)
    if report.has_errors():
        raise AwsError(code, report.generate_report())
    return given


def of_form(service: str, name: str, form: Mapping[str, str]) -> dict[str, Any]:
    """The parameters of an operation of SNS or STS. Raises AwsError."""
    if name not in model(service).operation_names:
        raise AwsError("InvalidAction", f"Could not find operation {name}")
    shape = model(service).operation_model(name).input_shape
    given: dict[str, Any] = {}
    for member, inner in shape.members.items() if shape else ():
        if member in form:
            given[member] = _scalar(inner, form[member])
        elif inner.type_name == "map" and f"{member}.entry.1.key" in form:
            given[member] = _map(member, form)
    return _checked(shape, given, "InvalidParameter") if shape else given


def _map(member: str, form: Mapping[str, str]) -> dict[str, str]:
    keys = [name for name in form if re.fullmatch(rf"{member}\.entry\.\d+\.key", name)]
    return {form[name]: form.get(name.removesuffix("key") + "value", "") for name in keys}


def _scalar(shape: Any, text: str) -> Any:
    if shape.type_name == "boolean":
        return text == "true"
    if shape.type_name in ("integer", "long") and text.isdecimal():
        return int(text)
    return text


def as_json(answer: dict[str, Any]) -> str:
    """Moments are seconds since 1970."""
    return json.dumps(answer, default=_seconds)


def _seconds(value: object) -> float:
    if isinstance(value, datetime.datetime):
        return round(value.timestamp(), 3)
    raise TypeError(type(value).__name__)


def as_xml(service: str, name: str, answer: dict[str, Any]) -> str:
    described = model(service).operation_model(name)
    space, shape = model(service).metadata["xmlNamespace"], described.output_shape
    inside = ""
    if shape is not None:
        wrapper = shape.serialization.get("resultWrapper", f"{name}Result")
        inside = f"<{wrapper}>{_members(shape, answer)}</{wrapper}>"
    number = f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
    return f'<{name}Response xmlns="{space}">{inside}{number}</{name}Response>'


def _members(shape: Any, value: dict[str, Any]) -> str:
    return "".join(
        f"<{member}>{_inside(inner, value[member])}</{member}>"
        for member, inner in shape.members.items()
        if value.get(member) is not None
    )


def _inside(shape: Any, value: Any) -> str:
    if shape.type_name == "structure":
        return _members(shape, value)
    if shape.type_name == "list":
        return "".join(f"<member>{_inside(shape.member, each)}</member>" for each in value)
    if shape.type_name == "map":
        return "".join(
            f"<entry><key>{escape(key)}</key><value>{escape(str(each))}</value></entry>"
            for key, each in value.items()
        )
    return escape("true" if value is True else "false" if value is False else str(value))


def error_xml(service: str, error: AwsError) -> str:
    space, kind = model(service).metadata["xmlNamespace"], "Receiver" if error.status >= 500 else "Sender"
    told = f"<Type>{kind}</Type><Code>{escape(error.code)}</Code><Message>{escape(error.says)}</Message>"
    return f'<ErrorResponse xmlns="{space}"><Error>{told}</Error><RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>'
