"""The built agent as a real process, with the two places on disk that it knows."""

import contextlib
import json
import os
import queue
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.agent.control_plane import PATIENCE, ControlPlane


class Host:
    """What a customer's server is to the agent: a configuration, a state directory, and somebody who starts it."""

    def __init__(self, home: Path, agent: Path, control: ControlPlane) -> None:
        self.agent = agent
        self.control = control
        self.home = home
        self.config = home / "etc/agent.json"
        self.state = home / "state"
        self.log = home / "stderr"
        self.python = sys.executable
        self.environment: dict[str, str] = {}
        self.canaries: set[str] = set()
        self._started: queue.Queue[subprocess.Popen[bytes]] = queue.Queue()
        self.be_born()

    def be_born(self, **changes: object) -> None:
        """Write the configuration as user data does."""
        fields = {
            "control": self.control.url,
            "server": self.control.server,
            "token": self.control.token,
            "order_keys": {self.control.signer.name: self.control.signer.public},
            "agent_url": f"{self.control.url}/agent/v1/agent.pyz",
            "agent_sha256": "0" * 64,
            **changes,
        }
        self.config.parent.mkdir(parents=True, exist_ok=True)
        self.config.write_text(json.dumps(fields))
        self.config.chmod(0o600)
        self.canaries.add(self.control.token)

    @property
    def configured(self) -> dict[str, object]:
        return json.loads(self.config.read_text())  # type: ignore[no-any-return]

    @property
    def arguments(self) -> list[str]:
        return ["--config", str(self.config), "--state", str(self.state)]

    def once(self, *more: str) -> int:
        """Let the agent report a single time; its exit status."""
        done = subprocess.run(
            self._command("--once", *more), timeout=PATIENCE, check=False, **self._streams()
        )
        return done.returncode

    @contextlib.contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        """The agent, running for as long as the block does."""
        process = subprocess.Popen(self._command(), **self._streams())
        self._started.put(process)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def end(self, _door: object = None, how: signal.Signals = signal.SIGKILL) -> None:
        """A fault: in place of an answer, the agent that was started is sent a signal, and ends."""
        process = self._started.get(timeout=PATIENCE)
        process.send_signal(how)
        process.wait(PATIENCE)

    def said(self) -> str:
        """All that the agents of this host ever wrote."""
        return self.log.read_text() if self.log.exists() else ""

    def secrets(self) -> set[str]:
        """What must stand in no log: the token, and what the agent made for itself."""
        path = self.state / "identity.json"
        made = re.findall(r"[A-Za-z0-9+/=]{40,}", path.read_text()) if path.exists() else []
        return self.canaries | set(made)

    def _command(self, *more: str) -> list[str]:
        return [self.python, str(self.agent), *self.arguments, *more]

    def _streams(self) -> dict[str, Any]:
        log = open(self.log, "ab")  # noqa: SIM115 - the process has it from here on
        environment = {"PATH": os.environ["PATH"], **self.environment}
        return {"stdout": log, "stderr": log, "env": environment, "cwd": self.home}
