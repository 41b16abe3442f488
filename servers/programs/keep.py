"""The resting loop of a server: is it still ordered to be what it should be?"""

from engine.program import Next, done, hop, nap
from servers import desired
from servers.programs.base import ServerProgram

REST = 3600  # seconds


class Keep(ServerProgram):
    """Rests, and when what is wanted has changed, orders it and waits until it is so."""

    first = "rest"

    def rest(self) -> Next:
        agent = self.agent
        if self.server.gone_at or agent is None:
            return done("gone")
        desired.ensure_backups(self.server)
        return nap(REST) if desired.is_current(agent) else hop(self.order)

    def order(self) -> Next:
        agent = self.agent
        if agent is None:
            return done("gone")
        self.args["version"] = desired.order(agent)
        self.record("server.ordered_to_be", version=self.args["version"])
        return hop(self.wait_applied)

    def wait_applied(self) -> Next:
        agent = self.agent
        if agent is None:
            return done("gone")
        return hop(self.rest) if agent.applied_version >= self.args["version"] else nap(60)
