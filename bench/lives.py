"""A million lives by the rules of the seven days: how many servers were deleted early, how many late.

Most of it is simulated: the rules are the product's own, but clock, rows and workers are in memory (lives_rows, lives_engine).
So some of the same lives are lived for real, too: Postgres, the engine's leases and steps, time passed by making rows older;
each must end as its simulated twin does.
"""

import os
import time
from collections import Counter
from multiprocessing import get_context

from bench.common import report, say, set_up
from bench.lives_script import verdict, write

LIVES = int(os.environ.get("BENCH_LIVES", 1_000_000))
REAL = int(os.environ.get("BENCH_REAL_LIVES", 150))
AT_ONCE = 5_000


def main() -> None:
    set_up()
    began = time.monotonic()
    words, worst = simulate()
    took = time.monotonic() - began
    say(f"{LIVES} simulated lives in {took:.0f} s: {dict(words)}")
    real = live()
    right = words["kept"] + words["in time"]
    report(
        name="lives",
        figure=right,
        unit="lives that ended as promised",
        yardstick=LIVES,
        yardstick_is="lives",
        early=words["early"],
        late=words["late"],
        kept=words["kept"],
        deleted=words["in time"],
        latest_seconds_after_it_could_be=round(worst, 3),
        **real,
    )


def simulate() -> tuple[Counter[str], float]:
    words: Counter[str] = Counter()
    worst = 0.0
    with get_context("spawn").Pool(os.cpu_count()) as pool:
        parts = [(begin, min(begin + AT_ONCE, LIVES)) for begin in range(0, LIVES, AT_ONCE)]
        for found, longest in pool.imap_unordered(simulate_some, parts):
            words += found
            worst = max(worst, longest)
    return words, worst


def simulate_some(part: tuple[int, int]) -> tuple[Counter[str], float]:
    words: Counter[str] = Counter()
    worst = 0.0
    for _number, word, over in simulated_verdicts(range(*part)):
        words[word] += 1
        worst = max(worst, over if word in ("in time", "late") else 0.0)
    return words, worst


def simulated_verdicts(numbers: range) -> list[tuple[int, str, float]]:
    import django

    django.setup()
    from bench.lives_engine import Life
    from bench.lives_rows import Clock, Rows, simulated

    clock = Clock()
    rows = Rows(clock)
    found = []
    with simulated(clock, rows) as rules:
        for number in numbers:
            script = write(number)
            fate = Life(number, script, rules, clock, rows).run()
            found.append((number, *verdict(script, fate)))
    return found


def live() -> dict[str, object]:
    from bench.lives_real import lived_verdict

    say(f"{REAL} of them for real")
    words: Counter[str] = Counter()
    other_than_simulated = 0
    for number, simulated_word, _ in simulated_verdicts(range(REAL)):
        word, _over = lived_verdict(number, write(number))
        words[word] += 1
        other_than_simulated += word != simulated_word
    return {
        "real_lives": REAL,
        "real_early": words["early"],
        "real_late": words["late"],
        "real_kept": words["kept"],
        "other_than_simulated": other_than_simulated,
    }


if __name__ == "__main__":
    main()
