"""Steps a second, beside bare Celery tasks a second: same broker, same workers, durable commits."""

import time

from bench.common import rate, report, say, set_up, worker

TASKS = 6_000
RUNS = 400
STEPS = 40


def main() -> None:
    set_up()
    tasks = max(tasks_a_second() for _ in range(2))
    steps = steps_a_second()
    report(name="engine", figure=steps, unit="steps/s", yardstick=tasks, yardstick_is="bare Celery tasks/s")


def tasks_a_second() -> float:
    import redis
    from django.conf import settings

    from bench.celery_app import nothing

    say(f"{TASKS} Celery tasks that do nothing")
    broker = redis.Redis.from_url(settings.BROKER_URL)
    broker.flushall()
    for number in range(TASKS):
        nothing.delay(number)
    with worker():
        return rate(lambda: int(broker.llen("mailat")) + int(broker.hlen("unacked")), TASKS)


def steps_a_second() -> float:
    from engine import tasks
    from engine.models import Run, StepTaken

    total = RUNS * STEPS
    say(f"{total} steps of {RUNS} runs")
    Run.objects.bulk_create(
        [Run(program="Hops", subject=f"bench:{n}", step="step", args={"left": STEPS}) for n in range(RUNS)]
    )
    knocked = [0.0]

    def left() -> int:
        if time.monotonic() - knocked[0] > 2:
            tasks.tick()
            knocked[0] = time.monotonic()
        return total - StepTaken.objects.count()

    with worker():
        return rate(left, total)


if __name__ == "__main__":
    main()
