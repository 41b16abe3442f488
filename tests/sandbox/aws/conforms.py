"""Whether an answer is what the vendor's own description of its services says, down to every member."""

import json
import re
import xml.etree.ElementTree as ET
from typing import Any

from sandbox.aws import protocols

# What any operation may answer. Source: docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html.
COMMON = {
    "MissingAuthenticationTokenException", "MissingAuthenticationToken", "UnrecognizedClientException", "InvalidClientTokenId",
    "InvalidSignatureException", "SignatureDoesNotMatch", "AccessDeniedException", "UnknownOperationException", "InvalidAction",
    "SerializationException", "Throttling",
}  # fmt: skip


def faults(service: str, operation: str, body: bytes) -> list[str]:
    """What is wrong with the body of a good answer."""
    described = protocols.model(service).operation_model(operation)
    if service == "sesv2":
        return list(_json(described.output_shape, json.loads(body), operation))
    return list(_xml(operation, described.output_shape, body))


def _json(shape: Any, value: Any, at: str) -> Any:
    kind = shape.type_name
    fits = {
        "structure": dict, "map": dict, "list": list, "string": str, "boolean": bool, "integer": int, "long": int,
        "double": (int, float), "timestamp": (int, float),
    }[kind]  # fmt: skip
    if not isinstance(value, fits) or (isinstance(value, bool) and kind != "boolean"):
        yield f"{at} is no {kind}"
        return
    if kind == "structure":
        yield from (f"{at} has no {name}" for name in shape.required_members if name not in value)
        yield from (f"{at}.{name} is unknown" for name in value if name not in shape.members)
        for name in value.keys() & shape.members.keys():
            yield from _json(shape.members[name], value[name], f"{at}.{name}")
    elif kind == "list":
        for each in value:
            yield from _json(shape.member, each, f"{at}[]")
    elif kind == "string":
        yield from _text(shape, value, at)


def _text(shape: Any, value: str, at: str) -> Any:
    if shape.enum and value not in shape.enum:
        yield f"{at} is none of {shape.enum}"
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, value):
        yield f"{at} is not like {pattern}"


def _xml(operation: str, shape: Any, body: bytes) -> Any:
    root = ET.fromstring(body)  # noqa: S314 - our own
    inside = {_name(each): each for each in root}
    if _name(root) != f"{operation}Response" or "ResponseMetadata" not in inside:
        yield f"{operation} is not wrapped"
    wrapper = shape.serialization["resultWrapper"] if shape else None
    yield from (f"{name} is unknown" for name in inside if name not in (wrapper, "ResponseMetadata"))
    if wrapper:
        yield from _element(shape, inside[wrapper], operation)


def _element(shape: Any, element: ET.Element, at: str) -> Any:
    if shape.type_name == "structure":
        for each in element:
            if _name(each) not in shape.members:
                yield f"{at}.{_name(each)} is unknown"
            else:
                yield from _element(shape.members[_name(each)], each, f"{at}.{_name(each)}")
        yield from (
            f"{at} has no {name}"
            for name in shape.required_members
            if name not in [_name(each) for each in element]
        )
    elif shape.type_name == "list":
        yield from (f"{at} has {_name(each)}" for each in element if _name(each) != "member")
        for each in element:
            yield from _element(shape.member, each, f"{at}[]")
    elif shape.type_name == "map":
        yield from (
            f"{at} has {_name(each)}" for each in element if [_name(one) for one in each] != ["key", "value"]
        )


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def error_codes(service: str, operation: str) -> set[str]:
    """Those that the description names for the operation, and those of all."""
    shapes = protocols.model(service).operation_model(operation).error_shapes
    return COMMON | {shape.metadata.get("error", {}).get("code") or shape.name for shape in shapes}
