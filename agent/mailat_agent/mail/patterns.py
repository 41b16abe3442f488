"""What names, addresses and secrets look like in an order."""

import re

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
HOST = re.compile(rf"(?=.{{1,253}}\Z)(?:{_LABEL}\.)+{_LABEL}")
_ANY = r"[a-z0-9!#$&'*+/=?^_{|}~-]"  # of an address elsewhere, as RFC 5321 has it without quotes
_OURS = r"[a-z0-9_+'-]"  # of an address here: the name of a directory, and never a comment's beginning
ADDRESS = re.compile(rf"(?=.{{3,254}}\Z)(?=.{{1,64}}@){_ANY}+(?:\.{_ANY}+)*@(?:{_LABEL}\.)+{_LABEL}")
OURS = re.compile(rf"(?=.{{3,254}}\Z)(?=.{{1,64}}@){_OURS}+(?:\.{_OURS}+)*@(?:{_LABEL}\.)+{_LABEL}")
HASH = re.compile(r"\{[A-Z0-9-]{3,20}\}[A-Za-z0-9$+/=,.-]{20,300}")
WORD = re.compile(r"[A-Za-z0-9_-]{1,64}")
ID = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)  # a UUID, in its one spelling: the name of a directory
BASE64 = re.compile(r"[A-Za-z0-9+/]{1,1000}={0,2}")


class Malformed(ValueError):
    """The field named in the text is not what the protocol says; the text repeats no value."""
