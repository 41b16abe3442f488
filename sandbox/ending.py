"""How a stand-in serves until it is told to end: by a word through a pipe, since an exception in a handler can be lost."""

import contextlib
import os
import signal
import threading
import types

from werkzeug.serving import BaseWSGIServer

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Ending:
    """From its making on, a signal to end is noted and interrupts nothing; asked twice, what ends still ends whole."""

    def __init__(self) -> None:
        self._told, self._tell = os.pipe()
        os.set_blocking(self._tell, False)
        for number in SIGNALS:
            signal.signal(number, self._note)

    def _note(self, number: int, frame: types.FrameType | None) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._tell, b".")

    def serve(self, server: BaseWSGIServer) -> None:
        """Answers until somebody asks for the end."""
        threading.Thread(target=server.serve_forever, daemon=True).start()
        os.read(self._told, 1)
        server.shutdown()
