"""Programs of the host, run to their end, and what they had to say if they failed."""

import os
import re
import subprocess
from collections.abc import Sequence

PATIENCE = 60.0  # seconds for a checker or a reload
LONGEST = 180  # characters of a reason: a report's readers see a line

_TELLS = re.compile(r"\b(?:error|fatal|emerg|panic|invalid|cannot|unknown|denied|not found)\b", re.IGNORECASE)
# What looks like a password or a hash, and what stands behind the word: a checker repeats the line that it dislikes.
_SECRETS = re.compile(
    r"\{[A-Z0-9-]{3,20}\}\S+|\$\w{1,8}\$\S+|(?i:(?:passw(?:or)?d|passwd|secret|token|key)\S*\s*[=:]\s*)\S.*"
    r"|(?<![\w/.-])(?=[\w+/=]*\d)(?=[\w+=/]*[A-Za-z])[\w+=/]{24,}(?![\w/.-])"
)


class Failed(Exception):
    """A program of the host did not do its work; the text says why in a line, without secrets."""


def run(command: Sequence[str], patience: float = PATIENCE) -> str:
    """What the program wrote to its standard output; raises Failed. `patience` in seconds."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0"}
    try:
        done = subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=patience,
            check=False,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"{command[0]} did not end within {patience:.0f} s") from None
    except OSError as error:
        raise Failed(f"{command[0]} cannot be run: {error.strerror}") from None
    if done.returncode:
        raise Failed(
            reason(done.stderr + b"\n" + done.stdout) or f"{command[0]} ended with {done.returncode}"
        )
    return done.stdout.decode("utf-8", "replace")


def reason(said: bytes) -> str:
    """The line of a program's words that tells most: the first that names an error, else the last."""
    lines = [line.strip() for line in said.decode("utf-8", "replace").splitlines() if line.strip()]
    telling = [line for line in lines if _TELLS.search(line)]
    return without_secrets((telling or lines[-1:] or [""])[0])


def without_secrets(text: str) -> str:
    """A line that may be shown to an administrator, in a report and in a log."""
    return " ".join(_SECRETS.sub("…", text).split())[:LONGEST]
