"""Exports a host's mail once, as the agent does: `python -m tests.agent.backup.export_drive ROOT URL JOB FORMAT` may be killed."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from tests.agent.backup.drive import VAULT
from tests.agent.backup.small_host import SmallHost


def main(root: str, url: str, job: str, format: str) -> dict[str, Any]:
    """What the host would report afterwards."""
    small = SmallHost(Path(root), cast(Any, SimpleNamespace(url=url)), VAULT, fresh=False)
    chore = small.chore(jobs=[{"id": job, "do": "export", "format": format}])
    chore.turn()
    return chore.report() or {}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
