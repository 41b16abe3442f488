"""What a policy says to one action on one resource.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html: a Deny is stronger than every
Allow, and what nobody allows is denied. What is not understood here is refused when the policy is set, and never passed over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

ALLOWED, DENIED, NOT_ALLOWED = "allowed", "denied", "not allowed"
PARTS = {"Sid", "Effect", "Action", "Resource", "Condition", "Principal"}
OPERATORS = ("StringEquals", "StringLike", "ArnEquals", "ArnLike")
MOST_LETTERS = 6144  # of a managed policy, without white space


class PolicyError(ValueError):
    """This policy cannot be set; the text says why."""


def check(policy: object) -> None:
    """Raises PolicyError for what is no policy, or for one that this stand-in could only half obey."""
    if not isinstance(policy, dict) or policy.get("Version") != "2012-10-17":
        raise PolicyError("a policy is an object with the Version 2012-10-17")
    statements = policy.get("Statement")
    if not isinstance(statements, list) or not statements:
        raise PolicyError("a policy has a list of statements")
    for statement in statements:
        _check(statement)
    if len(re.sub(r"\s", "", str(policy))) > MOST_LETTERS:
        raise PolicyError(f"a policy has at most {MOST_LETTERS} letters")


def _check(statement: object) -> None:
    if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
        raise PolicyError("a statement has an Effect, Allow or Deny")
    if unknown := set(statement) - PARTS:
        raise PolicyError(f"this stand-in does not know {', '.join(sorted(unknown))}")
    for name in ("Action", "Resource"):
        if not all(isinstance(each, str) and each for each in _several(statement.get(name)) or [None]):
            raise PolicyError(f"a statement has an {name}")
    for operator, wanted in statement.get("Condition", {}).items():
        if operator not in OPERATORS or not isinstance(wanted, dict):
            raise PolicyError(f"this stand-in does not know the condition {operator}")


def verdict(policy: Mapping[str, Any], action: str, resource: str, context: Mapping[str, str]) -> str:
    """ALLOWED, DENIED or NOT_ALLOWED; a resource of * is that of an action that has none."""
    applying = [
        statement["Effect"]
        for statement in policy.get("Statement", [])
        if any(_like(each, action, fold=True) for each in _several(statement["Action"]))
        and any(_like(each, resource) for each in _several(statement["Resource"]))
        and _holds(statement.get("Condition", {}), context)
        and _speaks_of(statement.get("Principal"), context)
    ]
    return DENIED if "Deny" in applying else ALLOWED if "Allow" in applying else NOT_ALLOWED


def _speaks_of(principal: object, context: Mapping[str, str]) -> bool:
    """A user's own policy names nobody; one of a resource names the service that comes."""
    if principal is None or principal == "*":
        return True
    return isinstance(principal, dict) and context.get("service", "") in _several(principal.get("Service"))


def _holds(condition: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool:
    known = {name.lower(): value for name, value in context.items()}
    return all(
        any(_meets(operator, each, known.get(name.lower())) for each in _several(wanted))
        for operator, names in condition.items()
        for name, wanted in names.items()
    )


def _meets(operator: str, wanted: str, value: str | None) -> bool:
    if value is None:
        return False
    return wanted == value if operator == "StringEquals" else _like(wanted, value)


def _like(pattern: str, value: str, fold: bool = False) -> bool:
    """With * for any letters and ? for one."""
    written = "".join(".*" if each == "*" else "." if each == "?" else re.escape(each) for each in pattern)
    return re.fullmatch(written, value, re.IGNORECASE | re.DOTALL if fold else re.DOTALL) is not None


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
