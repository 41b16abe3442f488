"""Doors of a mail server that say, word for word, what a test wants them to."""

import contextlib
import socket
import ssl
import threading
from pathlib import Path

from agent.mailat_agent.mail import selfsigned
from agent.mailat_agent.mail.part import Host

HANG_UP, SILENCE, LISTEN, TLS = object(), object(), object(), object()
Words = tuple[object, ...]


class Door:
    """A listening socket; to each caller it says its words in turn, each but the first after a line of the caller's."""

    def __init__(
        self, words: Words, context: ssl.SSLContext, at_once: bool, address: str | Path = ""
    ) -> None:
        self.words, self.context, self.at_once = words, context, at_once
        self.heard: list[bytes] = []
        if address:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.bind(str(address))
        else:
            self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.listen()
        threading.Thread(target=self._answer, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    def close(self) -> None:
        self.socket.close()

    def _answer(self) -> None:
        while True:
            try:
                caller, _ = self.socket.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), caller:
                self._talk(caller)

    def _talk(self, caller: socket.socket) -> None:
        if self.at_once:
            caller = self.context.wrap_socket(caller, server_side=True)
        for number, word in enumerate(self.words):
            if number:
                self.heard.append(self._line(caller))
            if word is SILENCE:
                while caller.recv(4096):
                    pass
            elif word is HANG_UP:
                return
            elif word is LISTEN:
                continue
            elif word is TLS:
                caller.sendall(b"220 go ahead\r\n")
                caller = self.context.wrap_socket(caller, server_side=True)
            else:
                caller.sendall(str(word).encode() + b"\r\n")

    def _line(self, caller: socket.socket) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            line += caller.recv(1) or b"\n"
        return line


def certificate(home: Path, name: str) -> ssl.SSLContext:
    """What a door for this name shows: the certificate that the agent makes itself."""
    host = Host(name, ("192.0.2.1",), home)
    selfsigned.ensure(host)
    chain, key = host.certificate(name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    return context
