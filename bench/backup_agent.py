"""One run of an agent's backups, in a process of its own: `python -m bench.backup_agent` reads what to do from its input.

It is the agent's own code on places of the benchmark's; what it prints is one JSON object with the seconds, what the run found
out, and the most memory that the process had.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent.mailat_agent.backup import points, run
from agent.mailat_agent.backup.places import Places
from agent.mailat_agent.backup.state import State
from agent.mailat_agent.backup.wanted import Job, read
from agent.mailat_agent.backup.whole import Whole

JOB = "00000000-0000-4000-8000-000000000001"


def main() -> None:
    wish = json.load(sys.stdin)
    root = Path(wish["root"])
    places = Places(Path(wish["mail"]), root / "lib", root / "stage", root / "cache")
    host = run.Host(places, wish["server"], wish["control"], wish["bearer"], private(wish["private"]))
    state = State.read(places.own)
    began = time.monotonic()
    with run.alone(places) as lock:
        assert lock
        with run.opened(host, read(wish["order"]), state, lock, lambda *_: None) as repository:
            found = work(repository, wish["do"], Path(wish["mail"]))
    restic = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    said = {"seconds": time.monotonic() - began, "found": found, "peak_kib": peak(), "restic_kib": restic}
    print(json.dumps(said))


def private(text: str) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(bytes.fromhex(text))


def work(repository: run.Repository, do: str, mail: Path) -> dict[str, Any]:
    """A backup with the tidying that goes with it, or all that there is brought to new hardware."""
    repository.ensure()
    if do == "backup":
        said = repository.backup()
        return said | {"points": [points.told(point.kept()) for point in repository.tidy(time.time())]}
    homes = {path.name: path for path in mail.glob("*/*/*")}
    job = Job(id=JOB, do="restore", point=repository.wanted.known[0].id)
    return Whole(repository, homes.get, lambda: None).run(job)


def peak() -> int:
    """KiB, see proc(5)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
