"""The client's address is what proxies of ours wrote; nothing that a client writes changes it."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailat.client_address import CLOUDFLARE, UNKNOWN, client_address, trust

ALICE, CADDY, EDGE, FORGED = "203.0.113.7", "10.0.0.2", "104.16.3.4", "198.51.100.66"
BARE, BEHIND_CADDY, BEHIND_BOTH = trust(0, ()), trust(1, ()), trust(1, CLOUDFLARE)
addresses = st.ip_addresses().map(str)
junk = st.one_of(st.text(max_size=40), addresses, addresses.map(lambda one: f"[{one}]:443"))


def seen(trusted: object, peer: str = CADDY, **headers: str) -> str:
    meta = {"REMOTE_ADDR": peer, **{f"HTTP_{name.upper()}": value for name, value in headers.items()}}
    return client_address(meta, trusted)  # type: ignore[arg-type]


def test_without_a_proxy_no_header_is_believed() -> None:
    assert seen(BARE, ALICE, x_forwarded_for=FORGED, cf_connecting_ip=FORGED) == ALICE


def test_caddy_says_who_called_it() -> None:
    assert seen(BEHIND_CADDY, x_forwarded_for=ALICE) == ALICE


def test_what_stands_left_of_our_proxies_entry_was_written_by_the_client() -> None:
    assert seen(BEHIND_CADDY, x_forwarded_for=f"{FORGED}, {ALICE}") == ALICE
    assert seen(trust(2, ()), x_forwarded_for=f"{FORGED}, {ALICE}, {CADDY}") == ALICE


def test_fewer_entries_than_proxies_are_all_our_proxies() -> None:
    assert seen(trust(2, ()), x_forwarded_for=ALICE) == ALICE


@pytest.mark.parametrize("told", ["", "unknown", "alice", "999.1.1.1", "_hidden", "fe80::1%eth0", ","])
def test_without_a_usable_header_it_is_who_called_us(told: str) -> None:
    assert seen(BEHIND_CADDY, x_forwarded_for=told) == CADDY


def test_a_health_check_that_passes_no_proxy_is_who_it_is() -> None:
    assert seen(BEHIND_BOTH, "127.0.0.1") == "127.0.0.1"


@pytest.mark.parametrize("peer", ["", "unix:"])
def test_where_nobody_tells_us_we_say_so(peer: str) -> None:
    assert seen(BEHIND_CADDY, peer) == UNKNOWN


@pytest.mark.parametrize(
    ("told", "read"),
    [
        (f"{ALICE}:51234", ALICE),
        ("[2001:db8::7]:51234", "2001:db8::7"),
        ("2001:db8::7", "2001:db8::7"),
        (f"::ffff:{ALICE}", ALICE),
        (f"  {ALICE} ", ALICE),
    ],
)
def test_an_address_is_read_in_each_of_its_spellings(told: str, read: str) -> None:
    assert seen(BEHIND_CADDY, x_forwarded_for=told) == read


def test_cloudflare_says_who_called_it_where_caddy_was_called_by_cloudflare() -> None:
    assert seen(BEHIND_BOTH, x_forwarded_for=EDGE, cf_connecting_ip=ALICE) == ALICE
    assert seen(BEHIND_BOTH, x_forwarded_for="2606:4700::9", cf_connecting_ip="2001:db8::7") == "2001:db8::7"


def test_who_goes_past_cloudflare_cannot_speak_for_it() -> None:
    assert seen(BEHIND_BOTH, x_forwarded_for=ALICE, cf_connecting_ip=FORGED) == ALICE
    assert seen(BEHIND_BOTH, x_forwarded_for=f"{EDGE}, {ALICE}", cf_connecting_ip=FORGED) == ALICE


def test_where_the_site_is_not_behind_cloudflare_its_header_means_nothing() -> None:
    assert seen(BEHIND_CADDY, x_forwarded_for=EDGE, cf_connecting_ip=FORGED) == EDGE


@pytest.mark.parametrize("told", ["", "nobody", f"{ALICE}, {FORGED}"])
def test_cloudflare_without_a_usable_word_is_cloudflare(told: str) -> None:
    assert seen(BEHIND_BOTH, x_forwarded_for=EDGE, cf_connecting_ip=told) == EDGE


@given(left=st.lists(junk, max_size=4), header=junk, real=addresses)
@example(left=[], header=ALICE, real=f"::ffff:{EDGE}")
def test_nothing_that_a_client_writes_is_taken_for_its_address(
    left: list[str], header: str, real: str
) -> None:
    """Caddy appended the real one to whatever came; the client is not in Cloudflare's networks."""
    told = ", ".join([*left, real])
    expected = seen(BARE, real)
    if any(ip_address(expected) in ip_network(one) for one in CLOUDFLARE):
        return  # also an IPv4 one in IPv6's clothes
    for trusted in (BEHIND_CADDY, BEHIND_BOTH):
        assert seen(trusted, x_forwarded_for=told, cf_connecting_ip=header, forwarded=header) == expected


@given(peer=junk, told=junk, header=junk, proxies=st.integers(0, 3))
def test_it_is_an_address_whatever_comes(peer: str, told: str, header: str, proxies: int) -> None:
    ip_address(
        seen(trust(proxies, CLOUDFLARE), peer, x_forwarded_for=told, cf_connecting_ip=header, x_real_ip=told)
    )


def test_a_range_that_is_none_stops_the_start() -> None:
    with pytest.raises(ValueError, match="appear to be an IPv4 or IPv6 network"):
        trust(1, ("cloudflare",))
