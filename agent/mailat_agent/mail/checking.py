"""A staged generation, looked at by the daemons' own checkers as if it were in force already."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import links as system
from .commands import Failed, run

RUN = Path("/run")  # a tmpfs: the upper layer of an overlay cannot lie on another overlay
_SEE = 'mount -t overlay mailat -o "lowerdir=/etc,upperdir=$1/etc,workdir=$1/work" /etc\nshift\nexec "$@"'


def in_private_etc(command: Sequence[str], links: Mapping[str, str], staged: Path, current: Path) -> None:
    """Run a checker where `current` and all links lead to `staged`; raises Failed with its words.

    Only the checker and what it starts see this /etc; what they write there is forgotten with it.
    """
    trial = Path(tempfile.mkdtemp(prefix="mailat-check-", dir=RUN))
    try:
        _lay_out(trial, links, staged, current)
        own = ["unshare", "--mount", "--propagation", "private", "sh", "-euc", _SEE, "mailat-check"]
        run([*own, str(trial), *command])
    finally:
        shutil.rmtree(trial, ignore_errors=True)


def _lay_out(trial: Path, links: Mapping[str, str], staged: Path, current: Path) -> None:
    for path in (*links, str(current)):
        if not path.startswith("/etc/"):
            raise Failed(f"{path} is not in /etc")
    trial.chmod(0o711)  # checkers that drop root go through it
    (trial / "work").mkdir()
    (trial / "etc").mkdir(mode=0o755)
    (trial / "etc").chmod(0o755)
    system.lay_out(links, current, staged, trial)
