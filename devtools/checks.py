"""What can be seen without running the product: style, types, layers, the compose file."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from devtools.environment import product_env
from devtools.paths import ROOT, VENV_PYTHON
from devtools.services import scratch

COMPOSE = ROOT / "docker-compose.yml"
# What compose would read from the operator's file; only that it fits together is checked.
YAML = [COMPOSE.name, ".yamllint"]


@dataclass(frozen=True)
class Count:
    """How many went which way; a check counts as one."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def short(self) -> str:
        return f"{self.passed} passed, {self.failed} failed"

    def line(self) -> str:
        return self.short() + (f", {self.skipped} skipped" if self.skipped else "")


Check = Callable[[], Count]


def tool(name: str, *words: str) -> Count:
    """One tool of the environment, its output shown as it comes."""
    return command([str(VENV_PYTHON.parent / name), *words])


def command(words: list[str], env: dict[str, str] | None = None) -> Count:
    done = subprocess.run(words, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, check=False)
    return Count(failed=1) if done.returncode else Count(passed=1)


def scripts() -> list[str]:
    """Python programs without the suffix by which tools find them."""
    found = [path for path in (ROOT / "bin").iterdir() if path.is_file()]
    return [str(path.relative_to(ROOT)) for path in sorted(found) if b"python" in path.read_bytes()[:40]]


def style() -> Count:
    return tool("ruff", "check", "--quiet", ".", *scripts())


def layout() -> Count:
    return tool("ruff", "format", "--check", "--quiet", ".", *scripts())


def types() -> Count:
    """Django's plug-in loads the settings, so mypy needs an environment; it opens no database."""
    with scratch() as home:
        env = product_env(home, database_url="postgresql://mailat@127.0.0.1:1/mailat")
        return command([str(VENV_PYTHON), "-m", "mypy"], env)


def layers() -> Count:
    return tool("lint-imports", "--no-cache")


def yaml() -> Count:
    return tool("yamllint", "--strict", *(name for name in YAML if (ROOT / name).exists()))


def compose() -> Count:
    """By docker itself where its compose plug-in is; tests/tooling reads the file in any case."""
    if not compose_plugin():
        print("docker compose is not installed here; tests/tooling/test_compose.py checks the file by itself")
        return Count()
    with scratch() as folder:
        return command(
            ["docker", "compose", "-f", str(COMPOSE), "config", "--quiet"], compose_environment(folder)
        )


def compose_plugin() -> bool:
    if not shutil.which("docker"):
        return False
    return subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0


def compose_environment(folder: Path) -> dict[str, str]:
    """The variables that the operator's file would give."""
    example = (ROOT / "deploy" / "mailat.env.example").read_text()
    names = [line.split("=")[0] for line in example.splitlines() if "=" in line and not line.startswith("#")]
    return os.environ | {name: json.dumps(name) for name in names} | {"MAILAT_DEPLOY": str(folder)}


ALL: list[tuple[str, Check]] = [
    ("ruff check", style),
    ("ruff format", layout),
    ("mypy", types),
    ("import-linter", layers),
    ("yamllint", yaml),
    ("docker compose config", compose),
]
