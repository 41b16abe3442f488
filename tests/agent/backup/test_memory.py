"""The door on loopback holds no object: ten times as much passes through it in the same memory."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.agent.backup.storage import BEARER, Storage

pytestmark = pytest.mark.integration

PASS = """
import hashlib, http.client, os, sys
from agent.mailat_agent.backup.gate import Gate
from agent.mailat_agent.backup.passing import Passing
from agent.mailat_agent.backup.rest import Rest
from concurrent.futures import ThreadPoolExecutor
url, bearer, objects, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), 16 << 20
gate = Gate(url, bearer)
rest = Rest(gate, Passing(gate))
rest.start()
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
def there_and_back(number):
    seed = os.urandom(1 << 16)
    def pieces():
        for place in range(256):
            yield bytes([place]) + seed[1:]
    digest = hashlib.sha256()
    for piece in pieces():
        digest.update(piece)
    line = http.client.HTTPConnection("127.0.0.1", rest._door.server_port)
    path = f"/{rest.secret}/data/{digest.hexdigest()}"
    line.request("POST", path, pieces(), {"Content-Length": str(size)})
    answer = line.getresponse()
    answer.read()
    assert answer.status == 200
    line.request("GET", path)
    answer, back = line.getresponse(), hashlib.sha256()
    while piece := answer.read(1 << 16):
        back.update(piece)
    assert back.digest() == digest.digest()
    line.close()
with ThreadPoolExecutor(5) as pool:
    list(pool.map(there_and_back, range(objects)))
print("peak", peak())
"""


def peak_kib(storage: Storage, objects: int) -> int:
    """The most memory of a process through which so many objects of 16 MiB went, five at a time, and came back."""
    command = [sys.executable, "-c", PASS, storage.url, BEARER, str(objects)]
    done = subprocess.run(command, cwd=Path(__file__).parents[3], capture_output=True, text=True)
    found = re.search(r"peak (\d+)", done.stdout)
    assert found, done.stderr
    return int(found[1])


def test_three_hundred_megabytes_pass_in_the_memory_of_eighty(storage: Storage) -> None:
    few, many = peak_kib(storage, 5), peak_kib(storage, 20)

    print(f"peak of 80 MiB: {few} KiB, of 320 MiB: {many} KiB")
    assert many < few + 8 * 1024  # half of an object
    assert many < 100 * 1024
