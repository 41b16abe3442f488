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
    reader.start()
    with connect() as connection, connection.SimpleQueue("knocks-of-a-test") as queue:
        for number in range(300):
            queue.put({"run": number, "text": "x" * 5000})
    done.set()
    reader.join(timeout=30)
    assert len(met) == 300
    assert not list((tmp_path / "knocks").iterdir())


def test_it_is_our_own_transport(tmp_path: Path):
    broker(f"filesystem://{tmp_path}")
    assert Connection("filesystem://").get_transport_cls().__module__ == "mailat.knocks"
