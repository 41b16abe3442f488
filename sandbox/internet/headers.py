"""A message's header fields as the bytes they are, so that what is not touched stays as it was signed."""

from __future__ import annotations

import dataclasses
import re
from email.utils import getaddresses

END_OF_LINE = re.compile(
    rb"\r?\n(?![ \t])"
)  # a line that begins with a space goes on with the field before it


@dataclasses.dataclass(frozen=True)
class Message:
    """Fields in their order, each with its line ends inside but not at its end, and the body."""

    fields: list[bytes]
    body: bytes

    def named(self, name: str) -> list[str]:
        """The values of all fields of that name, on one line each."""
        found = [field.partition(b":")[2] for field in self.fields if _name(field) == name.lower()]
        return [" ".join(value.decode("utf-8", "replace").split()) for value in found]

    def names(self) -> list[str]:
        return [_name(field) for field in self.fields]

    def addresses(self, name: str) -> list[str]:
        """All mail addresses in the fields of that name, in small letters."""
        return [address.lower() for _, address in getaddresses(self.named(name)) if address]

    def replaced(self, name: str, value: str) -> Message:
        """With one field of that name, at the top."""
        kept = [field for field in self.fields if _name(field) != name.lower()]
        return Message([f"{name}: {value}".encode(), *kept], self.body)

    def on_top(self, *fields: bytes) -> Message:
        return Message([*fields, *self.fields], self.body)

    def raw(self) -> bytes:
        return b"".join(field + b"\r\n" for field in self.fields) + b"\r\n" + self.body


def read(raw: bytes) -> Message:
    """With the line ends of the network, whatever the text was written with."""
    wire = re.sub(rb"\r\n|\r|\n", b"\r\n", raw)
    head, _, body = wire.partition(b"\r\n\r\n") if not wire.startswith(b"\r\n") else (b"", b"", wire[2:])
    return Message([field for field in END_OF_LINE.split(head) if field.strip()], body)


def _name(field: bytes) -> str:
    return field.partition(b":")[0].strip().decode("ascii", "replace").lower()


def domain(address: str) -> str:
    return address.rpartition("@")[2].strip().rstrip(".").lower()
