"""A knock in a directory is whole or not there."""

import threading
from pathlib import Path
from queue import Empty

from kombu import Connection

from mailat.celery import broker


def test_a_reader_never_meets_half_a_message(tmp_path: Path):
    told = broker(f"filesystem://{tmp_path}")
    assert isinstance(told["broker_transport_options"], dict)
    met: list[object] = []
    done = threading.Event()

    def connect() -> Connection:
        return Connection("filesystem://", transport_options=told["broker_transport_options"])

    def read() -> None:
        with connect() as connection, connection.SimpleQueue("knocks-of-a-test") as queue:
            while not (done.is_set() and len(met) == 300):
                try:
                    message = queue.get(block=False)
                except Empty:
                    continue
                met.append(message.payload)
                message.ack()

    reader = threading.Thread(target=read, daemon=True)
    with connect() as connection, connection.SimpleQueue("knocks-of-a-test") as queue:
        reader.start()  # not before: kombu takes a queue for bound, in all threads, a moment before it is
        for number in range(300):
            queue.put({"run": number, "text": "x" * 5000})
    done.set()
    reader.join(timeout=300)
    assert len(met) == 300
    assert not list((tmp_path / "knocks").iterdir())


def test_nobody_meets_an_exchange_without_its_queues(tmp_path: Path):
    told = broker(f"filesystem://{tmp_path}")
    options = told["broker_transport_options"]
    failures: list[Exception] = []

    def knock(name: str, start: threading.Barrier) -> None:
        start.wait()
        try:
            with (
                Connection("filesystem://", transport_options=options) as one,
                one.SimpleQueue(name) as queue,
            ):
                queue.put({"run": 1})
        except Exception as error:
            failures.append(error)

    for turn in range(60):
        start = threading.Barrier(4)
        threads = [threading.Thread(target=knock, args=(f"queue-{turn}", start)) for _ in range(4)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    assert failures == []


def test_it_is_our_own_transport(tmp_path: Path):
    broker(f"filesystem://{tmp_path}")
    assert Connection("filesystem://").get_transport_cls().__module__ == "mailat.knocks"
