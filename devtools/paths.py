"""Where things lie in a clone."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCKS = ROOT / "locks"
CACHE = (
    ROOT / "var" / "cache"
)  # what is costly to make and holds no state, such as the image of a Debian host
VENV_PYTHON = VENV / "bin" / "python"


def home() -> Path:
    """The state of bin/dev: var/dev, or MAILAT_HOME."""
    return Path(os.environ.get("MAILAT_HOME") or ROOT / "var" / "dev").absolute()
