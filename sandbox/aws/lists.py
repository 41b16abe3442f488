"""Long lists, a page at a time."""

from __future__ import annotations

from typing import Any

from sandbox.aws.errors import AwsError

PAGE = 1000


def page(rows: list[dict[str, Any]], given: dict[str, Any], name: str) -> dict[str, Any]:
    """The part that was asked for, and the word that leads to the next. Raises AwsError for a word that leads nowhere."""
    token, size = str(given.get("NextToken", "0")), int(given.get("PageSize", PAGE))
    if not token.isdecimal() or int(token) > len(rows):
        raise AwsError("InvalidNextTokenException", "The token is not valid.")
    start = int(token)
    more = {"NextToken": str(start + size)} if start + size < len(rows) else {}
    return {name: rows[start : start + size], **more}
