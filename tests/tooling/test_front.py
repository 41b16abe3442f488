"""What stands before web and gate in bin/dev sends each request where Caddy does."""

import pytest

from devtools.front import port_of

WEB, GATE = 1, 2


@pytest.mark.parametrize(
    ("line", "port"),
    [
        (b"POST /agent/v1/storage HTTP/1.1", GATE),
        (b"GET /storage/exports/a-word:of:ours HTTP/1.1", GATE),
        (b"GET /storage/exports HTTP/1.1", WEB),
        (b"GET /servers/1/exports?again=/storage/exports/ HTTP/1.1", WEB),
        (b"GET /storage HTTP/1.1", WEB),
        (b"GET / HTTP/1.1", WEB),
        (b"", WEB),
    ],
)
def test_the_gate_gets_what_needs_the_storages_key_and_the_pages_all_else(line: bytes, port: int) -> None:
    assert port_of(line + b"\r\nHost: mailat.test\r\n\r\n", WEB, GATE) == port
