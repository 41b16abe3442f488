"""Backs up a host's disk once, as the agent does: `python -m tests.agent.backup.drive ROOT STORAGE DO` may be killed."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tests.agent.backup.small_host import SmallHost

VAULT = X25519PrivateKey.from_private_bytes(bytes(range(32)))


def main(root: str, url: str, do: str) -> dict[str, Any]:
    """What the host would report afterwards."""
    small = SmallHost(Path(root), cast(Any, SimpleNamespace(url=url)), VAULT, fresh=False)
    jobs = [] if do == "turn" else [{"id": str(uuid4()), "do": do}]
    chore = small.chore(jobs=jobs, keep=60)
    chore.state.next = 0.0
    chore.turn()
    return chore.report() or {}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
