"""The package mirrors that this computer's own apt is set up with: the only places that hosts' packages come from."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from urllib.parse import urlsplit

LISTING = ["apt-get", "indextargets", "--format", "$(ORIGIN)|$(RELEASE)|$(REPO_URI)", "Identifier: Packages"]


def known() -> list[tuple[str, str]]:
    """Release and address of each Debian source with an index; none where apt is not there."""
    try:
        listed = subprocess.run(LISTING, capture_output=True, text=True, timeout=60).stdout
    except (OSError, subprocess.TimeoutExpired):
        return []
    rows = [line.split("|", 2) for line in dict.fromkeys(listed.splitlines())]
    return [
        (release, address)
        for origin, release, address in rows
        if origin == "Debian" and not release.endswith("-backports")
    ]


def prefixes() -> dict[str, str]:
    """What a host may ask of the proxy, by plain HTTP, and the address that is asked for it."""
    return {as_http(address): address for _, address in known()}


def sources(suite: str) -> Iterator[str]:
    """Lines for apt of another release, on the same mirrors; their signatures are what is trusted, not the way."""
    for release, address in known():
        _, dash, part = release.partition("-")
        yield f"deb {as_http(address)} {suite}{dash}{part} main"


def as_http(address: str) -> str:
    parts = urlsplit(address)
    return f"http://{parts.netloc}{parts.path}".rstrip("/") + "/"
