"""What stands before web and gate on this machine, as Caddy does in production: `python -m devtools.front PORT WEB GATE`.

Each connection carries one request, so its first line says to whom all of it goes; bytes are passed on as they come.
"""

import asyncio
import contextlib
import re
import sys

LOOPBACK = "127.0.0.1"
STORAGE = b"/agent/v1/storage"
FILES = b"/storage/exports/"  # a person on the way to a file
LONGEST_HEAD = 64 * 1024
PIECE = 64 * 1024
HEAD_SECONDS = 75.0  # as long as web keeps a connection that says nothing
CONNECTION = re.compile(rb"(?im)^connection:[^\r\n]*\r\n")
AWAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


async def serve(port: int, web: int, gate: int) -> None:
    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(
            OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError
        ):
            await _pass_on(reader, writer, web, gate)
        writer.close()

    server = await asyncio.start_server(pass_on, LOOPBACK, port, limit=LONGEST_HEAD)
    async with server:
        await server.serve_forever()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, web: int, gate: int) -> None:
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), HEAD_SECONDS)
    try:
        answers, asks = await asyncio.open_connection(LOOPBACK, port_of(head, web, gate))
    except OSError:
        writer.write(AWAY)
        return
    asks.write(for_one_request(head))
    asking = asyncio.create_task(_move(reader, asks))
    try:
        await _move(answers, writer)
    finally:
        asking.cancel()
        asks.close()


def port_of(head: bytes, web: int, gate: int) -> int:
    """Whose request it is, by its path."""
    words = head.split(b"\r\n", 1)[0].split(b" ")
    path = words[1].split(b"?")[0] if len(words) > 1 else b""
    return gate if path == STORAGE or path.startswith(FILES) else web


def for_one_request(head: bytes) -> bytes:
    """The same head, whose receiver closes the connection when it has answered."""
    line, _, rest = head.partition(b"\r\n")
    return line + b"\r\nConnection: close\r\n" + CONNECTION.sub(b"", rest)


async def _move(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(*map(int, sys.argv[1:4])))
