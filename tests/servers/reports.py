"""What a host in good order says of its mail system, and what it says when something is wrong."""

import time
from typing import Any

HOST = "post.mailat.test"


def healthy(host: str = HOST, **other: Any) -> dict[str, Any]:
    """The field `mail` of a report."""
    now = time.time()
    return {
        "generation": 3,
        "taken_back": None,
        "probes": dict.fromkeys(("smtp", "submission", "submissions", "imaps", "sieve", "https", "lmtp"), ""),
        "probed_at": now - 20,
        "queue": {"active": 0, "deferred": 0, "hold": 0, "oldest": None, "why": ""},
        "bans": {"now": 0, "latest": []},
        "certificates": [certificate(host)],
        "canary": {"at": now - 60, "seconds": 1.4, "misses": 0, "way": "direct", "error": ""},
        "patches": {
            "checked_at": now - 600, "pending": [], "applied": [], "reboot_needed": False, "booted_at": now - 86400,
            "taken_back": [], "after": None,
        },
        "mailboxes": {},
        "stopped": [],
        "dkim": {},
        **other,
    }  # fmt: skip


def certificate(name: str, days: float = 60, **other: Any) -> dict[str, Any]:
    until = time.time() + days * 86400
    return {
        "name": name,
        "until": until,
        "issuer": "Pebble",
        "names": [name],
        "waiting": [],
        "error": "",
        **other,
    }


def pending(package: str = "postfix", days: float = 1.0, *, security: bool = True) -> dict[str, Any]:
    return {
        "package": package, "from": "1", "to": "2", "security": security,
        "published_at": time.time() - days * 86400,
    }  # fmt: skip
