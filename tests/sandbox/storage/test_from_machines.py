"""Servers that are real hosts reach the storage at the address by which they reach the control plane."""

import ipaddress
import json
import pathlib
import subprocess
import sys

import pytest

from clients.object_storage import Storage
from sandbox.hosts.debian import possible
from sandbox.hosts.debian.lan import Lan
from tests.sandbox.storage.place import ACCESS, REGION, SECRET, Place, get, write

pytestmark = pytest.mark.root

ROOT = pathlib.Path(__file__).parents[3]
NETWORK = ipaddress.IPv4Network("10.77.253.0/24")
WRITE_AND_READ = """
import json, sys, urllib.request
writing, headers, reading = json.loads(sys.argv[1])
urllib.request.urlopen(urllib.request.Request(writing, b"from a host", headers, method="PUT"), timeout=20)
print(urllib.request.urlopen(reading, timeout=20).read().decode())
"""


def test_a_machine_writes_and_reads_by_urls_that_are_signed_for_its_way(
    place: Place, storage: Storage, tmp_path: pathlib.Path
):
    if obstacle := possible.why_not(tmp_path):
        pytest.skip(obstacle)
    (tmp_path / "debian").mkdir()
    port = place.server.server_port
    lan = Lan(NETWORK, 1, tmp_path / "debian", (port,))
    try:
        told = Storage(
            place.server.url, REGION, storage.bucket, ACCESS, SECRET, sign_url=f"http://{NETWORK[1]}:{port}"
        )
        writing, reading = write(told, "alice/config", b"from a host"), told.presign_read("alice/config")
        outside = [
            sys.executable,
            "-m",
            "sandbox.internet.outside",
            "--home",
            str(tmp_path),
            "--address",
            ".6",
            "--",
        ]
        wish = json.dumps([writing.url, writing.headers, reading.url])
        done = subprocess.run(
            [*outside, sys.executable, "-c", WRITE_AND_READ, wish],
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=120,
        )
        assert (done.returncode, done.stdout) == (0, "from a host\n"), done.stderr
    finally:
        lan.close()
    assert get(storage.presign_read("alice/config")).content == b"from a host"
