"""Which host names lead to this host, asked of the system's resolver without /etc/hosts, where a host calls itself anything."""

import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv6Address, ip_address

AT_ONCE = 8
PATIENCE = 20.0  # seconds


def here(names: Iterable[str], addresses: Iterable[str]) -> frozenset[str]:
    """Those names of which every address is one of ours: an authority may ask any of them."""
    asked, ours = list(names), {str(ip_address(address)) for address in addresses}
    with ThreadPoolExecutor(AT_ONCE) as workers:
        answers = list(workers.map(resolve, asked))
    return frozenset(name for name, found in zip(asked, answers, strict=True) if found and found <= ours)


def resolve(name: str) -> frozenset[str]:
    """Addresses of a name, of both families (getent(1)); none where it has none or no resolver answers."""
    command = ("getent", "--no-addrconfig", "-s", "hosts:dns", "ahosts", name)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return frozenset()
    return frozenset(_plain(line.split()[0]) for line in done.stdout.splitlines() if line.strip())


def _plain(text: str) -> str:
    address = ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
