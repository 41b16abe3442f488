"""Errors as the vendor's API words them. Source: docs.hetzner.cloud/reference/cloud, "Errors"."""

from __future__ import annotations

from typing import Any

STATUS = {
    "json_error": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "resource_limit_exceeded": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "uniqueness_error": 409,
    "conflict": 409,
    "deprecated_api_endpoint": 410,
    "resource_unavailable": 412,
    "invalid_input": 422,
    "resource_in_use": 422,
    "server_not_stopped": 422,
    "invalid_server_type": 422,
    "server_has_ipv4": 422,
    "server_has_ipv6": 422,
    "primary_ip_already_assigned": 422,
    "primary_ip_assigned": 422,
    "primary_ip_datacenter_mismatch": 422,
    "primary_ip_version_mismatch": 422,
    "must_be_unassigned": 422,
    "locked": 423,
    "rate_limit_exceeded": 429,
    "server_error": 500,
    "bad_gateway": 502,
    "unavailable": 503,
    "timeout": 504,
}


class ApiError(Exception):
    """A refusal, with the code that clients act on."""

    def __init__(self, code: str, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.details = code, message, details

    @property
    def status(self) -> int:
        return STATUS[self.code]

    def body(self) -> dict[str, Any]:
        return {"error": {"code": self.code, "message": self.message, "details": self.details}}


def invalid(field: str, problem: str) -> ApiError:
    """The caller sent a value that cannot be."""
    details = {"fields": [{"name": field, "messages": [problem]}]}
    return ApiError("invalid_input", f"invalid input in field '{field}': {problem}", details)


def taken(field: str, message: str) -> ApiError:
    """The value must be unique and is not."""
    return ApiError("uniqueness_error", message, {"fields": [{"name": field}]})


def not_found(what: str, key: object) -> ApiError:
    """There is no such thing, or no longer."""
    return ApiError("not_found", f"{what} with ID '{key}' not found")
