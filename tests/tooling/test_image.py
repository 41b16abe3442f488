"""The image and what lies in deploy/: run where that is possible without a container, read where it is not."""

import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.keys import ensure_pair
from devtools.paths import ROOT
from devtools.run import clean_environment

DEPLOY = ROOT / "deploy"
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def settings_of(file: Path) -> dict[str, str]:
    """As a shell reads it, which is how the build does."""
    script = f"set -a; . {file}; exec env -0"
    told = subprocess.run(
        ["sh", "-c", script], env={"PATH": os.environ["PATH"]}, capture_output=True, check=True
    ).stdout
    pairs = dict(pair.split("=", 1) for pair in told.decode().split("\0") if pair)
    return {
        name: value for name, value in pairs.items() if name not in {"PATH", "PWD", "_", "SHLVL", "OLDPWD"}
    }


@pytest.fixture
def production(tmp_path: Path) -> dict[str, str]:
    """The environment of an operator who filled in the two example files."""
    _, public = ensure_pair(tmp_path)
    kept = {name: value for name, value in clean_environment().items() if name in {"PATH", "HOME", "LANG"}}
    given = settings_of(DEPLOY / "mailat.env.example") | settings_of(DEPLOY / "secrets.example")
    places = {"STATIC_ROOT": str(tmp_path / "static"), "AGENT_BUILD_DIR": str(tmp_path / "agent")}
    return kept | given | places | {"SIGNING_PUBLIC_KEYS_FILE": str(public)}


def manage(env: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", *words]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


@pytest.mark.integration
def test_the_example_settings_are_all_that_production_needs(production: dict[str, str]) -> None:
    done = manage(production, "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr


@pytest.mark.integration
def test_the_build_can_collect_the_static_files(production: dict[str, str]) -> None:
    done = manage(production, "collectstatic", "--no-input")
    assert done.returncode == 0, done.stderr
    assert (Path(production["STATIC_ROOT"]) / "staticfiles.json").exists()


def test_the_image_takes_packages_by_hash_and_runs_as_nobody_in_particular() -> None:
    installs = re.findall(r"(?:pip install|uv pip sync)[^\n]*", DOCKERFILE)
    assert len(installs) == 2
    assert all("--require-hashes" in line for line in installs)
    last = DOCKERFILE.rsplit("\nFROM ", 1)[1]
    assert "\nUSER 10001:10001" in last
    assert "\nHEALTHCHECK " in last


def test_everything_the_image_copies_is_let_through_and_nothing_secret_is() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[1] == "*"
    allowed = {line[1:] for line in lines if line.startswith("!")}
    assert {
        "locks/uv.txt",
        "locks/base.txt",
        "deploy/entrypoint.sh",
        "deploy/healthcheck.py",
        "manage.py",
    } <= allowed
    assert not allowed & {"deploy", "var", ".git", "tests", "sandbox", "devtools"}
    rooms = {path.parent.name for path in ROOT.glob("*/apps.py")}
    assert rooms <= allowed


def test_the_entrypoint_turns_files_named_like_settings_into_settings(tmp_path: Path) -> None:
    script = (DEPLOY / "entrypoint.sh").read_text().replace("/run/secrets", str(tmp_path))
    (tmp_path / "SECRET_KEY").write_text("a 'quoted' $word")
    (tmp_path / "signing-key.pem").write_text("a file, not a setting")
    told = subprocess.run(
        ["sh", "-c", script, "sh", "env", "-0"],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        check=True,
    )
    assert b"SECRET_KEY=a 'quoted' $word" in told.stdout.split(b"\0")
    assert b"a file, not a setting" not in told.stdout


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_secrets_are_made_once_and_their_directory_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    command = [str(DEPLOY / "make-secrets.sh"), str(folder)]
    first = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    made = {path.name: path.read_bytes() for path in folder.iterdir()}
    subprocess.run(command, capture_output=True, check=True)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == made
    assert folder.stat().st_mode & 0o077 == 0
    assert made["postgres-mailat"] in made["DATABASE_URL"]
    assert made["SECRET_KEY"] != made["GUMROAD_WEBHOOK_SECRET"]
    assert not any(made[name].decode() in first for name in ("SECRET_KEY", "GUMROAD_WEBHOOK_SECRET"))
    assert set(made) == set(
        re.findall(r"deploy/secrets/([\w.-]+)\}", (ROOT / "docker-compose.yml").read_text())
    )


class Health(http.server.BaseHTTPRequestHandler):
    """Answers 200 to one name only, as Django does."""

    def do_GET(self) -> None:
        known = self.headers["Host"] == "mailat.example" and self.path == "/healthz"
        self.send_response(200 if known else 400)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Tests are quiet."""


@pytest.fixture
def port() -> Iterator[int]:
    server = http.server.HTTPServer(("127.0.0.1", 0), Health)
    threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("site", "code"), [("https://mailat.example", 0), ("https://other.example", 1)])
def test_the_health_check_asks_under_the_sites_own_name(port: int, site: str, code: int) -> None:
    env = clean_environment() | {"BASE_URL": site, "BIND": f"0.0.0.0:{port}"}
    assert (
        subprocess.run([sys.executable, DEPLOY / "healthcheck.py"], env=env, check=False).returncode == code
    )


def test_the_proxy_blanks_what_is_secret_in_an_address() -> None:
    pattern, replacement = re.search(
        r'request>uri regexp "(.+)" "(.+)"', (DEPLOY / "Caddyfile").read_text()
    ).groups()
    blank = re.compile(pattern)
    for secret in (
        "/sign-in/link/t0ken",
        "/sign-in/link/t0ken?next=/x",
        "/mailbox/t0ken",
        "/hooks/gumroad/t0ken",
        "/storage/exports/t0ken:1:2",
        "/account?code=t0ken",
    ):
        shown = blank.sub(lambda match: replacement.replace("$1", match.group(1) or ""), secret)
        assert "t0ken" not in shown
    assert blank.sub("-", "/servers/new") == "/servers/new"
