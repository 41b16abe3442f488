"""What one tick of the clock costs with a million sleeping runs, beside a tick with none."""

import statistics
import time

from bench.common import report, say, set_up

SLEEPERS = 1_000_000
TICKS = 60
FILL = """
INSERT INTO engine_run (program, subject, step, args, due_at, began_at, step_since, lease, held, wakes, tries, error,
                        deadline_step, outcome)
SELECT 'Keep', 'server:' || n, 'rest', '{}', now() + random() * interval '1 hour' + interval '1 hour', now(), now(), 0,
       false, 0, 0, '', '', '' FROM generate_series(1, %s) AS n"""


def main() -> None:
    set_up()
    empty = tick_ms()
    fill()
    report(
        name="tick",
        figure=tick_ms(),
        unit="ms",
        yardstick=empty,
        yardstick_is="the same with no runs",
        sleepers=SLEEPERS,
    )


def fill() -> None:
    from django.db import connection

    say(f"{SLEEPERS} sleeping runs")
    with connection.cursor() as cursor:
        cursor.execute(FILL, [SLEEPERS])
        cursor.execute("VACUUM ANALYZE engine_run")


def tick_ms() -> float:
    """The median."""
    from engine import tasks

    times = []
    for _ in range(TICKS):
        began = time.perf_counter()
        tasks.tick()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


if __name__ == "__main__":
    main()
