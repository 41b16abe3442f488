"""The launcher of Postgres: private, and steady under everything that happens to a process."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from devtools import people, postgres_binaries, postgres_place
from devtools.paths import ROOT
from devtools.postgres import Postgres
from devtools.services import scratch

pytestmark = pytest.mark.integration


@pytest.fixture
def home() -> Iterator[Path]:
    with scratch() as folder:
        yield folder


@pytest.fixture
def server(home: Path) -> Iterator[Postgres]:
    postgres = Postgres(home, durable=False)
    postgres.start()
    yield postgres
    postgres.remove()


def ask(server: Postgres, question: str) -> object:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        row = connection.execute(question).fetchone()
        return row[0] if row else None


def write(server: Postgres, word: str) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS word (word text)")
        connection.execute("INSERT INTO word VALUES (%s)", [word])


def test_it_listens_on_no_port_and_only_its_user_gets_to_the_socket(server: Postgres) -> None:
    assert ask(server, "SHOW listen_addresses") == ""
    assert stat.S_IMODE(server.place.data.stat().st_mode) == 0o700
    assert stat.S_IMODE((server.place.socket / ".s.PGSQL.5432").stat().st_mode) == 0o700


def test_the_product_is_no_superuser(server: Postgres) -> None:
    assert ask(server, "SELECT current_user") == "mailat"
    assert ask(server, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False


def test_it_does_not_run_as_root(server: Postgres) -> None:
    assert Path(f"/proc/{server.pid()}").stat().st_uid != 0


def test_what_was_written_outlives_a_kill(server: Postgres) -> None:
    write(server, "kept")
    server.kill()
    assert server.pid() is None
    server.start()
    assert ask(server, "SELECT word FROM word") == "kept"


def test_a_note_of_a_process_id_that_someone_else_has_now_does_not_stop_it(server: Postgres) -> None:
    server.kill()
    note = server.place.data / "postmaster.pid"
    lines = note.read_text().splitlines()
    note.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    server.start()
    assert server.pid() not in (None, os.getpid())


def test_a_second_launcher_goes_on_with_the_running_one(server: Postgres) -> None:
    second = Postgres(server.home)
    second.start()
    assert second.pid() == server.pid()
    assert second.process is None


def test_an_interrupted_first_start_is_begun_anew(home: Path) -> None:
    postgres = Postgres(home, durable=False)
    half = postgres.place.shelf / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("15")
    postgres.start()
    assert ask(postgres, "SELECT 1") == 1
    postgres.remove()


def test_it_ends_when_its_starter_is_killed(home: Path) -> None:
    script = (
        "import sys; from devtools.postgres import Postgres; from pathlib import Path;"
        "p = Postgres(Path(sys.argv[1]), durable=False); p.start(); print(p.pid(), flush=True); sys.stdin.read()"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", script, home], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    pid = int(starter.stdout.readline())
    os.kill(pid, signal.SIGSTOP)  # it hears of it late
    starter.kill()
    starter.communicate()
    threading.Timer(1, os.kill, (pid, signal.SIGCONT)).start()
    later = Postgres(home, durable=False)
    later.start()
    assert later.pid() != pid
    later.remove()


def test_create_database_gives_an_empty_one_each_time(server: Postgres) -> None:
    for _ in range(2):
        url = server.create_database("other")
        with psycopg.connect(url) as connection:
            assert connection.execute(
                "SELECT count(*) FROM pg_tables WHERE tableowner = 'mailat'"
            ).fetchone() == (0,)
            connection.execute("CREATE TABLE thing ()")


def test_a_name_too_long_for_a_socket_gets_a_short_private_one() -> None:
    with scratch() as folder:
        home = folder / ("long" * 25)
        server = Postgres(home, durable=False)
        server.start()
        assert ask(server, "SELECT 1") == 1
        assert server.place.socket != server.place.data
        socket = server.place.socket
        server.remove()
        assert not socket.exists()


def test_the_packages_binaries_do_as_well(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_binaries, "installed", list)
    server = Postgres(home, durable=False)
    server.start()
    assert server.binaries.packaged
    assert ask(server, "SELECT lower('ÄÖ')") == "äö"
    server.remove()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands its Postgres to another user")
def test_root_keeps_the_data_elsewhere_when_the_home_is_closed_to_the_servers_user() -> None:
    with scratch() as folder:
        folder.chmod(0o700)
        who = people.runner()
        place = postgres_place.find(folder / "home", who)
        try:
            assert not place.data.is_relative_to(folder)
            assert people.reachable(place.data, who)
            assert postgres_place.find(folder / "home", who) == place
        finally:
            postgres_place.remove(folder / "home")
        assert not place.shelf.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands its Postgres to another user")
def test_binaries_that_the_servers_user_cannot_reach_are_copied_whole(home: Path) -> None:
    closed = home / "closed"
    found = postgres_binaries.packaged()[0]
    package = found.folder.parent.parent
    for name in (package.name + f"/{found.folder.parent.name}", f"{package.name}.libs"):
        shutil.copytree(package.parent / name, closed / name, symlinks=True)
    closed.chmod(0o700)
    folder = closed / package.name / found.folder.parent.name / "bin"
    who = people.runner()
    usable = postgres_binaries.usable_by(
        who, postgres_binaries.Binaries(folder, found.major, True), home / "shelf"
    )
    told = subprocess.run(
        [usable.folder / "postgres", "--version"], capture_output=True, text=True, check=True, **who.popen()
    )
    assert str(found.major) in told.stdout
