"""Whose address a request comes from: forwarded ones are believed only from named proxies."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

ADDRESSES_KEPT: Final = 10_000

Networks = Sequence[IPv4Network | IPv6Network]


def client_address(peer: str, forwarded_for: str | None, *, trusted_proxies: Networks) -> str:
    """The visitor's address: the last in the chain that is not one of our own proxies.

    Anything a visitor writes into ``X-Forwarded-For`` stands before what our proxies append, so
    the chain is read from its end. An address that cannot be read ends the belief.
    """
    if forwarded_for is None:
        return peer
    address = peer
    chain = [part.strip() for part in forwarded_for.split(",") if part.strip()]
    while chain and _is_trusted(address, trusted_proxies):
        candidate = chain.pop()
        if not _is_address(candidate):
            break
        address = candidate
    return address


@lru_cache(ADDRESSES_KEPT)
def limit_key(address: str) -> str:
    """What rate limits count by: an IPv4 address, or an IPv6 network of /64 (one household)."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        mapped = parsed.ipv4_mapped
        if mapped is not None:
            return str(mapped)
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed)


def pages_key(address: str) -> str:
    """What pages and live streams of one address are counted under, wherever they are answered."""
    return f"pages:{limit_key(address)}"


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_trusted(address: str, trusted: Networks) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in trusted if network.version == parsed.version)
