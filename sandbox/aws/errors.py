"""Refusals with Amazon's words for them; each protocol writes them down in its own way."""

from __future__ import annotations


class AwsError(Exception):
    """One answer that is none; `code` as the vendor's clients know it."""

    def __init__(self, code: str, says: str, status: int = 400) -> None:
        super().__init__(says)
        self.code, self.says, self.status = code, says, status


def gone(says: str) -> AwsError:
    return AwsError("NotFoundException", says, 404)


def bad(says: str) -> AwsError:
    return AwsError("BadRequestException", says)


def exists(says: str) -> AwsError:
    return AwsError("AlreadyExistsException", says)
