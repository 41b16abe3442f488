"""A name server on loopback that answers questions for mail exchangers, as RFC 1035 writes them."""

import socket
import struct
import threading

POINTER = b"\xc0\x0c"  # to the name in the question


class NameServer:
    """`exchangers` by domain; `spoil` changes an answer's bytes before they leave."""

    def __init__(self, exchangers: dict[str, list[tuple[int, str]]]) -> None:
        self.exchangers = exchangers
        self.spoil = lambda answer: answer
        self._door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._door.bind(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._door.close()

    def _serve(self) -> None:
        while (heard := self._door.recvfrom(512))[0]:
            question, asker = heard
            self._door.sendto(self.spoil(self._answer(question)), asker)

    def _answer(self, question: bytes) -> bytes:
        end = question.index(b"\0", 12) + 1
        found = self.exchangers.get(_text(question[12:end]), [])
        header = question[:2] + struct.pack("!5H", 0x8180, 1, 1 + len(found), 0, 0)
        records = [_record(5, name("alias.test")), *(_exchanger(*each) for each in found)]
        return header + question[12 : end + 4] + b"".join(records)


def _exchanger(preference: int, host: str) -> bytes:
    return _record(15, struct.pack("!H", preference) + name(host))


def _record(kind: int, data: bytes) -> bytes:
    return POINTER + struct.pack("!HHIH", kind, 1, 300, len(data)) + data


def name(text: str) -> bytes:
    """A name as it is sent."""
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"


def _text(sent: bytes) -> str:
    labels, at = [], 0
    while length := sent[at]:
        labels.append(sent[at + 1 : at + 1 + length].decode())
        at += 1 + length
    return ".".join(labels)
