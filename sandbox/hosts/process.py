"""Servers without a host: the agent alone, as a process of this computer, for those who may not start real hosts."""

from __future__ import annotations

import pathlib
import shutil
import threading

from sandbox.hosts import userdata
from sandbox.hosts.agent import AgentProcess, say
from sandbox.hosts.base import Hosts, Log
from sandbox.hosts.leashed import tail


class ProcessHosts(Hosts):
    """Does for each server what its user data would do first: put its files in place and run the agent."""

    kind = "process"

    def __init__(
        self, home: pathlib.Path, on_log: Log, why: str, moved: dict[str, str] | None = None
    ) -> None:
        """`moved` maps hosts in the user data's URLs to those that a process here can reach."""
        self.why, self._moved = why, moved or {}
        self._place, self._log = home.resolve() / "processes", on_log
        self._running: dict[int, AgentProcess] = {}
        self._guard = threading.Lock()

    def prepare(self) -> None:
        self._place.mkdir(mode=0o700, parents=True, exist_ok=True)

    def boot(self, machine_id: int, name: str, ipv4: str, user_data: str, image: int | None = None) -> None:
        self.prepare()
        with self._guard:
            if self.alive(machine_id):
                return
            self._lay_out(machine_id, user_data)
            self._running[machine_id] = AgentProcess(self._folder(machine_id))

    def _lay_out(self, machine_id: int, user_data: str) -> None:
        root, done = self._folder(machine_id) / "root", self._folder(machine_id) / "laid-out"
        if done.exists():  # user data counts at the first start only, as with cloud-init
            return
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            userdata.write_files(user_data, root, self._moved)
        except userdata.UserDataError as problem:  # a real host would also start, and say so on its console
            say(self._folder(machine_id), f"The user data cannot be followed: {problem}.")
        done.touch()

    def stop(self, machine_id: int) -> None:
        self.halt(machine_id)
        shutil.rmtree(self._folder(machine_id), ignore_errors=True)

    def halt(self, machine_id: int) -> None:
        with self._guard:
            agent = self._running.pop(machine_id, None)
        if agent:
            agent.end()

    def alive(self, machine_id: int) -> bool:
        agent = self._running.get(machine_id)
        return agent is not None and agent.running()

    def console(self, machine_id: int) -> str:
        return tail(self._folder(machine_id) / "console.log")

    def forget_others(self, keep: set[int]) -> None:
        for folder in self._place.glob("machine-*"):
            machine_id = int(folder.name.partition("-")[2])
            if machine_id not in keep:
                self.stop(machine_id)

    def _end_all(self) -> None:
        for machine_id in list(self._running):
            self.halt(machine_id)

    def _folder(self, machine_id: int) -> pathlib.Path:
        return self._place / f"machine-{machine_id}"
