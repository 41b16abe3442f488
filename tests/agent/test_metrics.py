"""The kernel's figures, read right where they are there and left out where they are not."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.mailat_agent import metrics, proc
from agent.mailat_agent.metrics import Sample

STAT = """\
cpu  100 20 30 800 50 3 7 10 40 5
cpu0 50 10 15 400 25 1 3 5 20 2
intr 1 2 3
"""
MEMINFO = """\
MemTotal:        4024296 kB
MemFree:          210000 kB
MemAvailable:    3000000 kB
SwapTotal:       1000000 kB
SwapFree:         400000 kB
HugePages_Total:       0
"""
NET = """\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 9999       1    0    0    0     0          0         0     9999       1    0    0    0     0       0          0
  eth0: 5000      10    0    0    0     0          0         0     7000      20    0    0    0     0       0          0
 wlan0:1000       10    0    0    0     0          0         0     2000      20    0    0    0     0       0          0
"""
NUMBERS = st.integers(0, 2**64)
LINES = st.text() | st.lists(
    st.one_of(
        st.text(max_size=20),
        st.lists(NUMBERS, max_size=18).map(lambda numbers: "cpu  " + " ".join(map(str, numbers))),
        st.lists(NUMBERS, max_size=18).map(lambda numbers: "eth0: " + " ".join(map(str, numbers))),
        NUMBERS.map(lambda number: f"MemTotal: {number} kB"),
    )
).map("\n".join)


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    """A /proc of a known host."""
    texts = {
        "stat": STAT,
        "meminfo": MEMINFO,
        "net/dev": NET,
        "loadavg": "0.52 0.40 0.30 1/234 5678\n",
        "uptime": "12345.67 23456.78\n",
        "sys/kernel/random/boot_id": "6e8a12a8-1553-409c-820d-15bac8b0e84f\n",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_cpu_time_is_that_of_all_cores_and_waiting_is_not_work() -> None:
    assert proc.cpu_times(STAT) == (100 + 20 + 30 + 3 + 7 + 10, 1020)


def test_memory_is_in_bytes() -> None:
    sizes = proc.memory(MEMINFO)

    assert sizes["MemTotal"] == 4024296 * 1024
    assert "HugePages_Total" not in sizes


def test_traffic_leaves_loopback_out() -> None:
    assert proc.traffic(NET) == {"eth0": (5000, 7000), "wlan0": (1000, 2000)}


def test_the_figures_of_a_known_host(kernel: Path) -> None:
    before = Sample(100.0, (70, 520), {"eth0": (1000, 2000), "wlan0": (0, 0)})
    now = Sample(110.0, proc.cpu_times(STAT), proc.traffic(NET))

    figures = metrics.figures(now, before, kernel)

    disk = {figures.pop("disk_used"), figures.pop("disk_total")}
    assert all(isinstance(size, int) and size > 0 for size in disk)
    assert figures == {
        "boot_id": "6e8a12a8-1553-409c-820d-15bac8b0e84f",
        "cpu": 20.0,
        "mem_used": 1024296 * 1024,
        "mem_total": 4024296 * 1024,
        "swap_used": 600000 * 1024,
        "load1": 0.52,
        "net_rx": 500.0,
        "net_tx": 700.0,
        "uptime": 12345.67,
    }


def test_a_host_that_tells_nothing_has_no_zeros_made_up(tmp_path: Path) -> None:
    nothing = metrics.sample(tmp_path)

    figures = metrics.figures(nothing, nothing, tmp_path)

    assert {name for name, figure in figures.items() if figure is not None} == {"disk_used", "disk_total"}


def test_a_disk_that_cannot_be_asked_is_unknown(monkeypatch: pytest.MonkeyPatch, kernel: Path) -> None:
    def fail(_path: str) -> None:
        raise PermissionError

    monkeypatch.setattr("os.statvfs", fail)
    sample = metrics.sample(kernel)

    figures = metrics.figures(sample, sample, kernel)

    assert (figures["disk_used"], figures["disk_total"]) == (None, None)


def test_no_rate_is_made_of_two_looks_at_almost_the_same_time() -> None:
    looks = Sample(1.0, (1, 10), {"eth0": (1, 1)}), Sample(1.1, (2, 20), {"eth0": (2, 2)})

    figures = metrics.figures(looks[1], looks[0])

    assert [figures[name] for name in ("cpu", "net_rx", "net_tx")] == [None, None, None]


def test_interfaces_that_come_go_or_start_anew_make_no_peak() -> None:
    before = Sample(0.0, None, {"eth0": (10**9, 10**9), "old": (5, 5), "wlan0": (100, 100)})
    now = Sample(10.0, None, {"eth0": (50, 50), "new": (10**9, 10**9), "wlan0": (600, 1100)})

    figures = metrics.figures(now, before)

    assert (figures["net_rx"], figures["net_tx"]) == (50.0, 100.0)


@given(LINES)
def test_whatever_the_kernel_writes_no_reader_fails(text: str) -> None:
    busy, total = proc.cpu_times(text) or (0, 0)
    assert 0 <= busy <= total
    assert all(size >= 0 and size % 1024 == 0 for size in proc.memory(text).values())
    assert all(rx >= 0 and tx >= 0 for rx, tx in (proc.traffic(text) or {}).values())
    number = proc.first_number(text)
    assert number is None or (math.isfinite(number) and number >= 0)


@given(
    st.tuples(NUMBERS, NUMBERS),
    st.tuples(NUMBERS, NUMBERS),
    st.dictionaries(st.sampled_from("abc"), st.tuples(NUMBERS, NUMBERS)),
    st.dictionaries(st.sampled_from("abc"), st.tuples(NUMBERS, NUMBERS)),
    st.floats(-1e6, 1e6),
)
def test_figures_stay_in_their_bounds_and_can_be_sent(
    cpu_before: tuple[int, int],
    cpu_now: tuple[int, int],
    net_before: dict[str, tuple[int, int]],
    net_now: dict[str, tuple[int, int]],
    clock: float,
) -> None:
    figures = metrics.figures(Sample(clock, cpu_now, net_now), Sample(0.0, cpu_before, net_before))

    json.dumps(figures, allow_nan=False)
    assert figures["cpu"] is None or 0 <= float(figures["cpu"]) <= 100
    assert all(figures[name] is None or float(figures[name] or 0) >= 0 for name in ("net_rx", "net_tx"))


@given(st.text(alphabet="0123456789.eE+-naif _\n", max_size=30))
def test_a_load_is_a_number_or_unknown(text: str) -> None:
    number = proc.first_number(text)

    assert number is None or (math.isfinite(number) and number >= 0)
