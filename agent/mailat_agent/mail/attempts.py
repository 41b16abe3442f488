"""What failed at an ACME server and when it may be tried again, kept on disk, so that its limits are never met.

Let's Encrypt allows five failures of a name in an hour (letsencrypt.org/docs/rate-limits); these waits allow four.
"""

import contextlib
import json
from pathlib import Path
from typing import Any

from ..files import write_whole

WAITS = (20, 120, 600, 3000)  # seconds after the first failure, the second, …
LATER, AT_LAST = 3600, 43200  # seconds after each further one, and when a day of them was in vain
A_DAY_OF_THEM = 24


def wait(failures: int) -> int:
    """Seconds to stay away after so many failures in a row."""
    if failures <= len(WAITS):
        return WAITS[max(failures, 1) - 1]
    return LATER if failures <= A_DAY_OF_THEM else AT_LAST


class Attempts:
    """Failures by subject (a name, or a whole order); a success forgets those of its subject."""

    def __init__(self, home: Path) -> None:
        self.path = home / "certbot" / "attempts.json"
        self._failed: dict[str, dict[str, Any]] = {}
        with contextlib.suppress(OSError, ValueError, AttributeError):
            read = json.loads(self.path.read_text(encoding="utf-8"))
            self._failed = {key: each for key, each in read.items() if _is_entry(each)}

    def failed(self, subject: str, why: str, now: float, after: float = 0.0) -> None:
        """Note a failure; `after` is the earliest time that the server itself named, 0 for none."""
        count = self._failed.get(subject, {}).get("count", 0) + 1
        pause = max(wait(count), min(after - now, 7 * 86400))
        self._failed[subject] = {"count": count, "at": now, "pause": pause, "why": why}
        self._keep()

    def succeeded(self, *subjects: str) -> None:
        """Forget the failures of these."""
        if [self._failed.pop(subject) for subject in subjects if subject in self._failed]:
            self._keep()

    def pause(self, subject: str, now: float) -> float:
        """Seconds until the subject may be tried again; 0 when it may now. A clock set back does not lengthen it."""
        entry = self._failed.get(subject)
        if entry is None:
            return 0.0
        since = now - entry["at"]
        return float(max(0.0, min(entry["pause"] - since, entry["pause"])))

    def why(self, subject: str) -> str:
        """What was wrong at the last failure, or nothing."""
        return str(self._failed.get(subject, {}).get("why", ""))

    def _keep(self) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(self.path, json.dumps(self._failed, indent=1, sort_keys=True))


def _is_entry(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    return all(isinstance(value.get(key), int | float) for key in ("count", "at", "pause"))
