"""Runs one server's agent as the unit on a real host would: fetched, checked, started, started again when it fails."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import http.client
import json
import os
import pathlib
import sys
import threading
import urllib.request

from sandbox.hosts.leashed import Leashed

FETCH_TIMEOUT = 20  # seconds
RETRY_AFTER = 1.0  # seconds until the control plane is asked again for the agent
RESTART_AFTER = 5.0  # seconds, as in the unit of a real host
PRETENDED = pathlib.Path(__file__).with_name("pretended.py")
BIGGEST_AGENT = 16 * 1024 * 1024  # bytes
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE")


class AgentProcess:
    """Keeps the agent of one server running until it says it is done, which it does when its server is gone."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder, self._root = folder, folder / "root"
        self._config = self._root / "etc/mailat/agent.json"
        self._told = threading.Event()
        self._process: Leashed | None = None
        self._thread = threading.Thread(target=self._run, name=folder.name, daemon=True)
        self._thread.start()

    def running(self) -> bool:
        return self._thread.is_alive()

    def end(self) -> None:
        self._told.set()
        if self._process:
            self._process.end()
        self._thread.join()

    def _run(self) -> None:
        if (self._root / "etc/mailat/bake").is_file():
            say(self._folder, "To become an image: a process has nothing to install, so it is off at once.")
            return
        if not self._config.is_file():
            say(
                self._folder,
                "There is no /etc/mailat/agent.json in the user data, so this server runs nothing.",
            )
            self._told.wait()
            return
        while not self._told.is_set() and not self._install():
            self._told.wait(RETRY_AFTER)
        while not self._told.is_set() and self._run_once() != 0:
            self._told.wait(RESTART_AFTER)

    def _install(self) -> bool:
        try:
            config = json.loads(self._config.read_text())
            agent = _fetch(config["agent_url"])
            _check(agent, config["agent_sha256"])
        except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException) as problem:
            say(self._folder, f"The agent could not be fetched: {problem or type(problem).__name__}")
            return False
        place = self._root / "usr/local/lib/mailat"
        place.mkdir(parents=True, exist_ok=True)
        (place / "agent.pyz").write_bytes(agent)
        say(self._folder, "The agent is fetched and its checksum is right.")
        return True

    def _run_once(self) -> int:
        state = self._root / "var/lib/mailat"
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        agent = str(self._root / "usr/local/lib/mailat/agent.pyz")
        command = [
            sys.executable,
            str(PRETENDED),
            agent,
            "--config",
            str(self._config),
            "--state",
            str(state),
        ]
        self._process = Leashed(command, self._folder / "console.log", env=_environment())
        if self._told.is_set():  # told to end while it was being started
            self._process.end()
        status = self._process.wait()
        say(self._folder, f"The agent ended with status {status}.")
        return status


def say(folder: pathlib.Path, text: str) -> None:
    """A line on the console of a machine, with its time."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    with contextlib.suppress(OSError), (folder / "console.log").open("a") as console:
        console.write(f"{now} {text}\n")


def _fetch(url: str) -> bytes:
    if not url.startswith(("http://", "https://")):
        raise ValueError("agent_url is neither http nor https")
    with urllib.request.urlopen(url, timeout=FETCH_TIMEOUT) as answer:  # noqa: S310 - checked above
        return answer.read(BIGGEST_AGENT)


def _check(agent: bytes, expected: str) -> None:
    if hashlib.sha256(agent).hexdigest() != expected:
        raise ValueError("its checksum is not the one in the user data")


def _environment() -> dict[str, str]:
    """Nothing of the sandbox's own settings is the agent's business."""
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ}
