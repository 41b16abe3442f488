"""From the moment a server is turned on until its first mail can be read, beside `apt-get install` of the same packages.

Real Debian hosts, one after the other: from the baked image, from the plain one, and plain ones on which only the packages are
installed, through the same proxy and with all of them in its cache. Then, on one that is ready: memory at rest, and messages a
second beside Dovecot with Debian's own configuration. Needs root on Linux.
"""

import os
import re
import ssl
import statistics
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench import mail_first, mail_memory, mail_rates
from bench.common import report, say
from bench.mail_host import INSTALLER, Place, Report, place
from devtools.paths import ROOT
from sandbox.internet.trust import Trust

INSTALLS = 2  # of each plain way; the baked one is turned on once more
REST = 60.0  # seconds without anything to do before memory is looked at
APT = "apt-get -qy -o Dpkg::Use-Pty=0 --no-install-recommends"


@dataclass(frozen=True)
class Came:
    """Seconds since a server was turned on."""

    taken: float
    readable: float
    ready: float


def main() -> None:
    os.environ.setdefault("MAILAT_CACHE", str(ROOT / "var/cache"))
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(dir=os.environ["MAILAT_HOME"]) as home, place(Path(home)) as there:
        trusting = ssl.create_default_context(cafile=str(Trust(Path(home)).bundle))
        installs, plain = [], []
        baked = [come_up(there, trusting, image=there.image)]
        for _ in range(INSTALLS):
            installs.append(install(there))
            plain.append(come_up(there, trusting, image=None))
            baked.append(come_up(there, trusting, image=there.image))
        more = at_rest_and_under_load(there, trusting)
    show(installs, baked, plain, load, more)


def install(there: Place) -> float:
    """Seconds of `apt-get install` on a plain Debian host whose lists are fresh; the proxy has all packages by then."""
    with there.plain():
        there.run(
            "sh", "-euc", f"apt-get -qq update; {APT} install --download-only {packages()}; apt-get clean"
        )
        began = time.monotonic()
        there.run("env", "DEBIAN_FRONTEND=noninteractive", "sh", "-c", f"{APT} install {packages()}")
        seconds = time.monotonic() - began
    say(f"apt-get install: {seconds:.1f} s")
    return seconds


def packages() -> str:
    """Those that the installer names."""
    found = re.search(r'^packages="([^"]+)"', INSTALLER.read_text(), re.MULTILINE)
    assert found
    return " ".join(found[1].split())


def come_up(there: Place, trusting: ssl.SSLContext, *, image: int | None) -> Came:
    with there.server(image=image) as began:
        return wait_for(there, trusting, began, "plain" if image is None else "baked")


def wait_for(there: Place, trusting: ssl.SSLContext, began: float, what: str) -> Came:
    first = there.outside(lambda: mail_first.first(there.address, trusting, began))
    there.ready()
    came = Came(first.taken, first.readable, time.monotonic() - began)
    say(f"{what}: taken {came.taken:.2f} s, readable {came.readable:.2f} s, ready {came.ready:.2f} s")
    for complaint in complaints(there.control.reports):
        say(f"  on the way: {complaint}")
    return came


def complaints(reports: list[Report]) -> list[str]:
    """What was wrong for a while, each once."""
    found = [undone["why"] for each in reports for undone in each["undone"]]
    for mail in (each["mail"] for each in reports if each.get("mail")):
        found += [each["error"] for each in mail.get("certificates") or []]
        found += [(mail.get("canary") or {}).get("error", "")]
    return [why for why in dict.fromkeys(found) if why]


def at_rest_and_under_load(there: Place, trusting: ssl.SSLContext) -> dict[str, object]:
    with ExitStack() as stack:
        stack.callback(mail_memory.tidy)
        with mail_memory.counted():
            began = stack.enter_context(there.server(image=there.image))
        wait_for(there, trusting, began, "baked, counted")
        time.sleep(REST)
        memory = mail_memory.look(there)
        say(f"memory: {memory}")
        rates = mail_rates.measure(there)
    return {
        "memory_mb": round(memory.whole, 1),
        "memory_is": "processes' own, mapped files once, and tmpfs, a minute after ready",
        "memory_own_mb": round(memory.own, 1),
        "memory_files_mb": round(memory.files, 1),
        "memory_tmpfs_mb": round(memory.tmpfs, 1),
        "memory_pss_mb": round(memory.pss, 1),
        "memory_largest_mb": memory.largest,
        "memory_group_mb": memory.group,
        "messages_per_second": rates,
    }


def show(
    installs: list[float], baked: list[Came], plain: list[Came], load: float, more: dict[str, object]
) -> None:
    yardstick = statistics.median(installs)
    plain_seconds = statistics.median(each.readable for each in plain)
    report(
        name="mail",
        figure=statistics.median(each.readable for each in baked),
        unit="s from turned on to first mail readable, baked image",
        yardstick=yardstick,
        yardstick_is="s of apt-get install of the same packages on plain Debian, all in the proxy's cache",
        slowest=round(max(each.readable for each in baked), 3),
        taken_seconds=round(statistics.median(each.taken for each in baked), 3),
        ready_seconds=round(statistics.median(each.ready for each in baked), 3),
        plain_seconds=round(plain_seconds, 3),
        plain_ratio=round(plain_seconds / yardstick, 3),
        load_before=round(load, 2),
        **more,
    )


if __name__ == "__main__":
    main()
