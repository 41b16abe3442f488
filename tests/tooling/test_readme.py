"""What README.md tells people to type is there to be typed."""

import re
import shlex
import subprocess
import sys

import pytest

from devtools.paths import ROOT

README = ROOT / "README.md"
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
# Programs of the system, with what they act on here.
SYSTEM = {"git", "cd", "cp", "docker", "curl", "openssl"}


def commands() -> list[str]:
    """Lines after a prompt, without their comments."""
    text = README.read_text() if README.exists() else ""
    lines = [line for block in BLOCK.findall(text) for line in block.splitlines()]
    return [line[2:].split("  #")[0].strip() for line in lines if line.startswith(("$ ", "# "))]


def test_the_readme_says_how_to_start_and_how_to_test() -> None:
    typed = [command.split()[0] for command in commands()]
    assert {"bin/dev", "bin/test"} <= set(typed)


@pytest.mark.parametrize("command", commands())
def test_a_command_of_the_readme_exists_with_its_options(command: str) -> None:
    words = shlex.split(command)
    if words[0] in SYSTEM:
        missing = [word for word in words[1:] if word.startswith(("deploy/", "./")) and not known(word)]
        assert missing == []
        return
    told = help_of(words)
    for option in (word.split("=")[0] for word in words if word.startswith("--")):
        assert option in told


def known(word: str) -> bool:
    """A file of the project, or one whose example is."""
    return (ROOT / word).exists() or (ROOT / f"{word}.example").exists()


def help_of(words: list[str]) -> str:
    """What the program itself says of its options; it must be able to say that."""
    if words[0].endswith(".sh"):
        assert known(words[0])
        return ""
    python = [sys.executable] if words[0] in {"python", "python3"} else []
    program = words[1 if python else 0 :]
    of_interest = program[:2] if "manage.py" in program[0] or program[0] == "-m" else program[:1]
    done = subprocess.run(
        [*python, *of_interest, "--help"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
