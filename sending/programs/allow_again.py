"""Takes addresses off Amazon's suppression list, one after the other, where an owner asked for it."""

from typing import Any
from uuid import UUID

from audit.actions import record
from clients.errors import Gone, Refused
from engine.program import Next, Program, done, hop
from sending.amazon import account_of
from sending.keys import living_key
from sending.models import Credentials, Suppression
from sending.refusals import Obstacle, obstacle

BY = "program:AllowAgain"


class AllowAgain(Program):
    """All that are asked for on one server's list; which they are stands in that list and nowhere else."""

    first = "ask"

    def prepare(self) -> None:
        self.home = UUID(self.run.subject.removeprefix("suppression:"))
        self.row = Suppression.objects.select_for_update().filter(home=self.home).first()
        self.key = living_key(self.home)

    def ask(self) -> Next:
        """One address; it may have left Amazon's list by itself, and that is as good."""
        wishes = [one for one in self.row.entries if one.get("again") == "asked"] if self.row else []
        if self.row is None or not wishes:
            return done("done" if self.row else "forgotten")
        found = self._asked(self.key, wishes[0]["address"])
        self._note(self.row, wishes[0], found)
        return hop(self.ask)

    def _asked(self, key: Credentials | None, address: str) -> Obstacle | None:
        """Why not; None if it is off the list."""
        if key is None:
            return Obstacle("no_key")
        amazon = account_of(key, by=BY, why="let an address be written to again")
        try:
            amazon.ses.allow_again(address)
        except Gone:
            return None
        except Refused as error:
            return obstacle(error)
        return None

    def _note(self, row: Suppression, entry: dict[str, Any], found: Obstacle | None) -> None:
        entry["again"] = "refused" if found else "allowed"
        entry["trouble"] = found.plain() if found else None
        row.save(update_fields=["entries"])
        facts = {"code": found.code} if found else {}
        action = "suppression.not_allowed" if found else "suppression.allowed"
        record(action, by=BY, account=row.account_id, subject=f"server:{row.home}", **facts)
