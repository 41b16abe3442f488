"""Knocks through a directory, for a machine without Redis.

kombu's own transport makes a file first and fills it afterwards, that of a message and that of an exchange's queues; who looks in
between ends with an error. Here they appear whole or not at all. Source: https://docs.celeryq.dev/projects/kombu/ (kombu.transport.filesystem)
"""

import contextlib
import os
import time
import uuid
from pathlib import Path
from typing import Any

from kombu.transport import filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    """Writes under a name that no reader looks for, and then renames."""

    def _put(self, queue: Any, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]  # kombu names it both ways
        folder = Path(self.data_folder_out)
        name = f"{round(time.monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        unfinished = folder / f".{name}"
        unfinished.write_text(dumps(payload))
        os.replace(unfinished, folder / name)

    def _queue_bind(self, exchange: Any, routing_key: Any, pattern: Any, queue: Any) -> None:
        """An exchange that is there already is changed under kombu's lock, which its readers wait for."""
        self._ensure_exchange(self._exchange_file(exchange))
        super()._queue_bind(exchange, routing_key, pattern, queue)

    def _ensure_exchange(self, file: Path) -> None:
        if file.exists():
            return
        unfinished = file.with_name(f".{uuid.uuid4()}")
        unfinished.write_text("[]")
        with contextlib.suppress(FileExistsError):
            os.link(unfinished, file)
        unfinished.unlink()


class Transport(filesystem.Transport):
    """kombu's, with that channel."""

    Channel = Channel
