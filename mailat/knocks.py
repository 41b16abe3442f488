"""Knocks through a directory, for a machine without Redis.

kombu's own transport makes a message's file first and fills it afterwards; a worker that looks in between ends with an error.
Here a message appears whole or not at all. Source: https://docs.celeryq.dev/projects/kombu/ (kombu.transport.filesystem)
"""

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


class Transport(filesystem.Transport):
    """kombu's, with that channel."""

    Channel = Channel
