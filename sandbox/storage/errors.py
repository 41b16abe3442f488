"""Refusals in the words of S3, which Ceph uses too."""

from __future__ import annotations

from xml.sax.saxutils import escape


class S3Error(Exception):
    """One answer that is none; `code` as clients know it."""

    def __init__(self, code: str, says: str, status: int) -> None:
        super().__init__(says)
        self.code, self.says, self.status = code, says, status

    def xml(self, path: str, number: str) -> bytes:
        """The body of the answer; HEAD gets none."""
        fields = {"Code": self.code, "Message": self.says, "Resource": path, "RequestId": number}
        inside = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inside}</Error>'.encode()
