"""Whether mail works, compared to a moment when it did: what failed before is not held against an update."""

import time
from collections.abc import Callable

from .. import services
from . import canary, daemons, probes
from .chore import Situation

SETTLED = 20.0  # seconds until daemons that were started again must answer
LONGEST = 250  # characters of a reason
CANARY = "canary"
Probe = Callable[[Situation], dict[str, str]]


class Verdict:
    """Asks the probes and the canary whether what worked before works now."""

    def __init__(self, situation: Situation, probe: Probe, fine: list[str]) -> None:
        self.situation, self.probe, self.fine = situation, probe, fine

    def why_not(self) -> str:
        """What worked before and does not now, in words; empty if all is well."""
        deadline = time.monotonic() + SETTLED
        while why := self._probes():
            if time.monotonic() > deadline:
                return why[:LONGEST]
            time.sleep(1)
        return self._canary()[:LONGEST]

    def _probes(self) -> str:
        probes.forget()
        said = self.probe(self.situation)
        return "; ".join(f"{name}: {said[name]}" for name in self.fine if said.get(name))

    def _canary(self) -> str:
        if CANARY not in self.fine:
            return ""
        for _ in range(2):  # one that is lost may be chance
            said = canary.run(self.situation)["canary"]["error"]
            if not said:
                return ""
        return f"the mail that checks the whole way {said}"


def probe(situation: Situation) -> dict[str, str]:
    """What is wrong with each door and each unit of the mail system; "" where nothing is."""
    said = services.states(tuple(daemons.units()))
    down = {unit: "" if state == "active" else f"it is {state}" for unit, state in said.items()}
    return {**probes.look(situation.host), **down}


def fine_now(situation: Situation, probe: Probe) -> list[str]:
    """Names of the probes that succeed, and of the canary if the latest one came back."""
    well = [CANARY] if canary_is_well(situation) else []
    return [name for name, why in probe(situation).items() if not why] + well


def canary_is_well(situation: Situation) -> bool:
    """Whether the latest canary came back."""
    return canary.Log.read(situation.host.home).well()
