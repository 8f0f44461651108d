"""Whose address a request comes from, and what rate limits count by."""

from ipaddress import IPv4Network, IPv6Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packhouse.web.addresses import client_address, limit_key
from packhouse.web.headers import HeaderReader

PROXIES: tuple[IPv4Network | IPv6Network, ...] = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def test_without_a_proxy_the_peer_is_the_visitor_whatever_it_claims() -> None:
    assert client_address("203.0.113.9", "198.51.100.1", trusted_proxies=()) == "203.0.113.9"


def test_a_stranger_is_not_believed_even_when_proxies_are_named() -> None:
    assert client_address("203.0.113.9", "198.51.100.1", trusted_proxies=PROXIES) == "203.0.113.9"


def test_a_named_proxy_tells_the_visitor() -> None:
    assert client_address("10.0.0.1", "198.51.100.1", trusted_proxies=PROXIES) == "198.51.100.1"


def test_what_a_visitor_wrote_before_the_proxies_is_not_believed() -> None:
    chain = "192.0.2.66, 198.51.100.1, 10.0.0.2"
    assert client_address("10.0.0.1", chain, trusted_proxies=PROXIES) == "198.51.100.1"


def test_an_address_that_cannot_be_read_ends_the_belief() -> None:
    assert client_address("10.0.0.1", "not-an-address", trusted_proxies=PROXIES) == "10.0.0.1"


def test_an_ipv6_household_counts_as_one() -> None:
    assert limit_key("2001:db8:1:2::1") == limit_key("2001:db8:1:2:ffff::9")
    assert limit_key("2001:db8:1:2::1") != limit_key("2001:db8:1:3::1")


def test_an_ipv4_address_written_as_ipv6_is_the_same_visitor() -> None:
    assert limit_key("::ffff:198.51.100.1") == limit_key("198.51.100.1")


@given(st.ip_addresses(v=4))
def test_each_ipv4_address_counts_for_itself(address: object) -> None:
    assert limit_key(str(address)) == str(address)


@given(st.text(max_size=60))
def test_no_header_makes_a_stranger_somebody_else(forwarded: str) -> None:
    assert client_address("203.0.113.9", forwarded, trusted_proxies=PROXIES) == "203.0.113.9"


@pytest.mark.parametrize("forwarded", [None, "", " , "])
def test_a_proxy_that_tells_nothing_is_the_visitor(forwarded: str | None) -> None:
    assert client_address("10.0.0.1", forwarded, trusted_proxies=PROXIES) == "10.0.0.1"


@given(st.lists(st.sampled_from(["192.0.2.66", "198.51.100.1, 10.0.0.3", "10.0.0.2"]), min_size=1))
def test_a_chain_in_several_lines_is_one_chain(lines: list[str]) -> None:
    headers = [(b"x-forwarded-for", line.encode()) for line in lines]
    reader = HeaderReader({"headers": [(b"host", b"shop"), *headers]})
    found = reader.list_text("x-forwarded-for")
    assert client_address("10.0.0.1", found, trusted_proxies=PROXIES) == client_address(
        "10.0.0.1", ",".join(lines), trusted_proxies=PROXIES
    )


def test_a_line_that_a_visitor_wrote_is_not_believed_before_the_line_of_the_proxy() -> None:
    headers = [(b"x-forwarded-for", b"192.0.2.66"), (b"x-forwarded-for", b"198.51.100.1")]
    found = HeaderReader({"headers": headers}).list_text("x-forwarded-for")
    assert client_address("10.0.0.1", found, trusted_proxies=PROXIES) == "198.51.100.1"


def test_no_line_is_no_chain() -> None:
    assert HeaderReader({"headers": []}).list_text("x-forwarded-for") is None
