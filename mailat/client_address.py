"""Who is at the other end: what trusted proxies wrote, and never what the client wrote.

Each proxy appends the address that called it to X-Forwarded-For, so the entries from the right are the proxies' own, as many
as there are proxies; what stands further left came from outside. Caddy throws away what it was sent and writes its one entry
(https://caddyserver.com/docs/caddyfile/directives/reverse_proxy#defaults). Cloudflare sets CF-Connecting-IP over whatever the
visitor sent (https://developers.cloudflare.com/fundamentals/reference/http-headers/), which says something only where
Cloudflare itself is who called our first proxy.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
UNKNOWN = "0.0.0.0"  # noqa: S104 - nobody told us, as where the server listens on a socket file

# https://www.cloudflare.com/ips/, which says that the lists change seldom; CLOUDFLARE_RANGES replaces them.
CLOUDFLARE = (
    "173.245.48.0/20", "103.21.244.0/22", "103.22.200.0/22", "103.31.4.0/22", "141.101.64.0/18",
    "108.162.192.0/18", "190.93.240.0/20", "188.114.96.0/20", "197.234.240.0/22", "198.41.128.0/17",
    "162.158.0.0/15", "104.16.0.0/13", "104.24.0.0/14", "172.64.0.0/13", "131.0.72.0/22",
    "2400:cb00::/32", "2606:4700::/32", "2803:f800::/32", "2405:b500::/32", "2405:8100::/32",
    "2a06:98c0::/29", "2c0f:f248::/32",
)  # fmt: skip


@dataclass(frozen=True)
class Trust:
    """How many proxies of ours a request passes, and the networks whose CF-Connecting-IP is believed."""

    proxies: int = 0
    cloudflare: tuple[Network, ...] = ()


@cache
def trust(proxies: int, ranges: tuple[str, ...]) -> Trust:
    """Raises ValueError if a range is none."""
    return Trust(proxies, tuple(ip_network(one) for one in ranges))


def client_address(meta: Mapping[str, str], trusted: Trust) -> str:
    """The client's address out of a WSGI environment; where a header is missing or odd, the nearest that is sure."""
    nearest = _nearest(meta, trusted.proxies)
    if nearest is None:
        return UNKNOWN
    if _is_in(nearest, trusted.cloudflare):
        return str(_read(meta.get("HTTP_CF_CONNECTING_IP", "")) or nearest)
    return str(nearest)


def came_past_cloudflare(meta: Mapping[str, str], trusted: Trust) -> bool:
    """Whether the site is behind Cloudflare and this request is not, so that nothing in it is Cloudflare's word."""
    nearest = _nearest(meta, trusted.proxies)
    return bool(trusted.cloudflare) and (nearest is None or not _is_in(nearest, trusted.cloudflare))


def _nearest(meta: Mapping[str, str], proxies: int) -> Address | None:
    """The farthest address that a proxy of ours wrote, or else the one at the other end of the connection."""
    told = meta.get("HTTP_X_FORWARDED_FOR", "").split(",") if proxies > 0 else []
    ours = told[-proxies:] if told else []
    return (_read(ours[0]) if ours else None) or _read(meta.get("REMOTE_ADDR", ""))


def _read(text: str) -> Address | None:
    """An address with or without a port; an IPv4 one in IPv6's clothes is taken for what it is."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or (None if address.scope_id else address)
    return address


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)
