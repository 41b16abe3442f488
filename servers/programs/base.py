"""What the programs of a server have in common."""

from typing import cast
from uuid import UUID

from audit.actions import record
from engine.program import Program
from servers import hetzner
from servers.models import Agent, Server


class ServerProgram(Program):
    """A program about one server; `self.server` is read anew for each step."""

    server: Server

    def prepare(self) -> None:
        self.server = Server.objects.select_related("account").get(
            pk=UUID(self.run.subject.removeprefix("server:"))
        )

    @classmethod
    def failed(cls, error: Exception) -> None:
        hetzner.note_failure(error)

    @property
    def agent(self) -> Agent | None:
        return Agent.objects.select_related("server").filter(server=self.server).first()

    def record(self, action: str, /, **facts: object) -> None:
        """An event of this server's account, by this program."""
        record(
            action,
            by=f"program:{type(self).__name__}",
            account=cast(UUID, self.server.account_id),
            subject=self.server.subject,
            **facts,
        )
