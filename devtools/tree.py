"""The files of the project: what a clone has, whether or not git is here to tell."""

import os
import subprocess
from pathlib import Path

from devtools.paths import ROOT

NOT_OURS = {".git", ".venv", "var", "node_modules"}


def files() -> list[Path]:
    """Relative paths of what is tracked or could be; ignored files are not among them."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return _walked()
    found = {Path(os.fsdecode(name)) for name in listed.split(b"\0") if name}
    return sorted(path for path in found if (ROOT / path).is_file())


def _walked() -> list[Path]:
    found = []
    for folder, below, names in os.walk(ROOT):
        below[:] = [
            name for name in below if name not in NOT_OURS and not name.endswith(("cache", "cache__"))
        ]
        found += [(Path(folder) / name).relative_to(ROOT) for name in names if not name.endswith(".pyc")]
    return sorted(found)
