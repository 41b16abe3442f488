"""The same source gives the same bytes, wherever, whenever and by whomever it is built."""

import ast
import hashlib
import io
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from agent import build

SOURCE = Path(build.__file__).parent


def members() -> list[Path]:
    """What the agent is made of: its modules, and the texts of configuration that it fills in."""
    modules = SOURCE.glob("mailat_agent/**/*.py")
    texts = (path for path in SOURCE.glob("mailat_agent/mail/templates/**/*") if path.is_file())
    return [path for path in {*modules, *texts} if "__pycache__" not in path.parts]


def build_elsewhere(place: Path, umask: int = 0o022, **environment: str) -> bytes:
    """What a build of the source in this place writes, in a process of its own."""
    command = [sys.executable, "-m", "agent.build", "out"]
    variables = {"PATH": os.environ["PATH"], **environment}
    subprocess.run(command, cwd=place, env=variables, umask=umask, check=True, capture_output=True)
    return (place / "out/agent.pyz").read_bytes()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The source, copied: other times, other modes, another order on disk, and litter beside it."""
    target = tmp_path / "agent/mailat_agent"
    target.mkdir(parents=True)
    for path in sorted(members(), reverse=True):
        twin = tmp_path / "agent" / path.relative_to(SOURCE)
        twin.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, twin)
        os.utime(twin, (10**9, 10**9))
        twin.chmod(0o600)
    for name in ("__init__.py", "build.py"):
        shutil.copyfile(SOURCE / name, target.parent / name)
    (target / "__pycache__").mkdir()
    (target / "__pycache__/old.cpython-311.pyc").write_bytes(b"litter")
    (target / "notes.txt").write_text("litter")
    (target / "mail/templates/.main.cf.swp").write_text("litter")
    return tmp_path


def test_two_builds_are_equal_byte_for_byte(copy: Path) -> None:
    here = build.build()

    assert build_elsewhere(copy, umask=0o077, TZ="Pacific/Chatham", PYTHONHASHSEED="1") == here
    assert build_elsewhere(copy, umask=0o000, TZ="America/Caracas", PYTHONHASHSEED="2") == here


def test_a_changed_source_is_another_agent(copy: Path) -> None:
    (copy / "agent/mailat_agent/pace.py").open("a").write("# changed\n")

    assert build_elsewhere(copy) != build.build()


def test_it_holds_the_agent_and_nothing_else() -> None:
    with zipfile.ZipFile(io.BytesIO(build.build())) as archive:
        names = archive.namelist()

    assert names == ["__main__.py", *sorted(path.relative_to(SOURCE).as_posix() for path in members())]
    assert "mailat_agent/mail/state.py" in names
    assert "mailat_agent/mail/templates/firewall/rules.nft" in names


def test_it_needs_only_what_debian_has() -> None:
    imported = set()
    for path in SOURCE.glob("mailat_agent/**/*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {name.name.split(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(str(node.module).split(".")[0])

    # python3-cryptography, and python3-apt for what updates a mail host
    assert imported - set(sys.stdlib_module_names) <= {"cryptography", "apt", "apt_pkg"}


def test_the_checksum_is_that_of_the_bytes(tmp_path: Path) -> None:
    path, checksum = build.write(tmp_path)

    assert build.built() == (path.read_bytes(), checksum)
    assert build.sha256() == checksum == hashlib.sha256(path.read_bytes()).hexdigest()
    subprocess.run(["sha256sum", "-c", "agent.pyz.sha256"], cwd=tmp_path, check=True, capture_output=True)


def test_both_files_may_be_read_by_whoever_serves_them(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        build.write(tmp_path)
    finally:
        os.umask(before)

    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {
        "agent.pyz": 0o644,
        "agent.pyz.sha256": 0o644,
    }


def test_a_build_that_fails_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build.write(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def fail(_source: object, _target: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="no space"):
        build.write(tmp_path)

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_it_says_its_version(agent: Path) -> None:
    said = subprocess.run(
        [sys.executable, str(agent), "--version"], capture_output=True, text=True, check=True
    )

    assert said.stdout.strip() == build.version()
