"""Readers of the kernel's text files; text that is not as expected gives None, never an error or a guess."""

import math

LOOPBACK = "lo"


def cpu_times(stat: str) -> tuple[int, int] | None:
    """Ticks of all cores together, busy and total, since boot (proc_stat(5)); idle and iowait are not busy."""
    for line in stat.splitlines():
        if line.startswith("cpu "):
            ticks = _whole_numbers(line.split()[1:9])  # guest time, which follows, is already part of user
            if ticks is None or len(ticks) < 4:
                return None
            return sum(ticks) - sum(ticks[3:5]), sum(ticks)
    return None


def memory(meminfo: str) -> dict[str, int]:
    """Sizes in bytes by their name (proc_meminfo(5) writes kB and means KiB)."""
    sizes = {}
    for line in meminfo.splitlines():
        name, _, rest = line.partition(":")
        words = rest.split()
        size = _whole_numbers(words[:1])
        if size and words[1:] == ["kB"]:
            sizes[name] = size[0] * 1024
    return sizes


def traffic(net_dev: str) -> dict[str, tuple[int, int]] | None:
    """Bytes received and sent by interface, loopback left out (proc_pid_net(5))."""
    counters = {}
    for line in net_dev.splitlines():
        name, colon, rest = line.partition(":")
        numbers = _whole_numbers(rest.split()) if colon else None
        if numbers and len(numbers) >= 9 and name.strip() != LOOPBACK:
            counters[name.strip()] = (numbers[0], numbers[8])
    return counters if ":" in net_dev else None


def first_number(text: str) -> float | None:
    """The first word of loadavg or uptime."""
    try:
        value = float(text.split(maxsplit=1)[0])
    except (ValueError, IndexError):
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _whole_numbers(words: list[str]) -> list[int] | None:
    if all(word.isascii() and word.isdigit() and len(word) <= 20 for word in words):
        return [int(word) for word in words]
    return None
