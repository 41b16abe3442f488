"""A mail store backed up, backed up again when a hundredth of it has changed, and restored: our way beside plain restic and tar.

Ours is the agent's own code, from links to every message and the manifest to tidying, through its door on loopback, the gate and
presigned addresses. Plain restic goes straight to the same storage with the storage's key, and tar goes through zstd and sends
everything each time. The three take turns on the same store, in each round in another order, with fresh repositories. Then the
store grows tenfold, and the most memory that the agent and the gate ever had is looked at again.
"""

import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

from bench import backup_place, backup_ways
from bench.backup_place import Place
from bench.backup_store import Store, sync
from bench.backup_ways import Ours, Way
from bench.common import report, say

MESSAGES = int(os.environ.get("BENCH_MESSAGES", 20_000))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 3))
TENFOLD = os.environ.get("BENCH_TENFOLD", "yes") == "yes"
STEPS = ("first", "second", "restore")

Seconds = dict[str, dict[str, list[float]]]  # by step and way


def main() -> None:
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(dir=os.environ["MAILAT_HOME"]) as folder:
        home = Path(folder)
        with backup_place.place(home) as place:
            store = Store(home / "mail", MESSAGES)
            store.grow()
            size = store.bytes()
            say(f"{MESSAGES} messages, {size:,} bytes")
            seconds, sent, peaks = rounds(place, store, home)
            memory = {"once": peaks, "tenfold": tenfold(place, store, home) if TENFOLD else None}
    show(seconds, sent, size, memory, load)


def rounds(
    place: Place, store: Store, home: Path
) -> tuple[Seconds, dict[str, dict[str, int]], dict[str, int]]:
    seconds: Seconds = {step: {way: [] for way in backup_ways.WAYS} for step in STEPS}
    sent: dict[str, dict[str, int]] = {step: {} for step in STEPS}
    peaks: dict[str, int] = {}
    for number in range(ROUNDS):
        ways = backup_ways.made(place, home / "ways")
        for step in STEPS:
            if step == "second":
                store.change()
            store.read()
            for name in order(list(ways), number):
                before = place.moved()
                seconds[step][name].append(did(ways[name], step, store))
                sent[step][name] = place.moved() - before
            say(f"{number + 1}: {step}: " + ", ".join(f"{n} {s[-1]:.2f} s" for n, s in seconds[step].items()))
        peaks = memory(place, ways["ours"])
    return seconds, sent, peaks


def order(names: list[str], number: int) -> list[str]:
    """In each round another way is the first."""
    first = number % len(names)
    return names[first:] + names[:first]


def did(way: Way, step: str, store: Store) -> float:
    """Seconds."""
    sync()
    return way.restore(store) if step == "restore" else way.backup(store)


def memory(place: Place, way: Way) -> dict[str, int]:
    """KiB at most so far."""
    assert isinstance(way, Ours)
    return {"agent": way.peak_kib, "gate": place.gate_peak(), "restic": way.restic_kib}


def tenfold(place: Place, store: Store, home: Path) -> dict[str, int]:
    """Nine mailboxes more, as large as the first one."""
    for _ in range(9):
        store.grow()
    ours = Ours(place, home / "ways/tenfold")
    steps = {step: round(did(ours, step, store), 2) for step in STEPS}
    say(f"tenfold, {store.bytes():,} bytes: {steps}")
    return memory(place, ours)


def show(seconds: Seconds, sent: dict[str, Any], size: int, memory: dict[str, Any], load: float) -> None:
    middle = {
        step: {way: statistics.median(each) for way, each in ways.items()} for step, ways in seconds.items()
    }
    ours, plain = (sum(middle[step][way] for step in STEPS) for way in ("ours", "restic"))
    report(
        name="backup",
        figure=ours,
        unit=f"s for a first and a second backup (1 % changed) of {MESSAGES} messages and a restore to new hardware",
        yardstick=plain,
        yardstick_is="s of plain restic straight to the same storage",
        store_bytes=size,
        seconds={step: {way: round(one, 2) for way, one in ways.items()} for step, ways in middle.items()},
        ratios={step: round(middle[step]["ours"] / middle[step]["restic"], 3) for step in STEPS},
        rounds_ratio={
            step: [round(o / p, 2) for o, p in zip(each["ours"], each["restic"], strict=True)]
            for step, each in seconds.items()
        },
        bytes_to_and_from_storage=sent,
        peak_kib=memory,
        load_before=round(load, 2),
    )


if __name__ == "__main__":
    main()
