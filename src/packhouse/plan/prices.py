"""Prices of machines and services a month, from a file that an owner may edit. Pure."""

import tomllib
from typing import Annotated

import msgspec
from msgspec import Meta

from packhouse.foundation.errors import Refusal

Amount = Annotated[float, Meta(ge=0)]
Range = tuple[Amount, Amount]
"""The least and the most of a month."""


class InvalidPrices(Refusal):
    """The price file is wrong; the message tells where."""

    code = "plan_prices_invalid"


class Prices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every price of ``prices.toml``, which says what each is for."""

    currency: Annotated[str, Meta(min_length=1, max_length=10)]
    server_cores: Annotated[int, Meta(ge=1)]
    server: Range
    database_cores: Annotated[int, Meta(ge=1)]
    database: Range
    cache: Range
    cdn: Range
    load_balancer: Range
    monitoring: Range
    advanced_monitoring: Range
    orchestration: Range
    storage_gib: Range


def read_prices(text: str) -> Prices:
    """Parse a price file. Raises ``InvalidPrices`` for a missing, unknown or impossible price."""
    try:
        prices = msgspec.convert(tomllib.loads(text), Prices)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise InvalidPrices(f"The price file is wrong: {error}.") from error
    for name in Prices.__struct_fields__:
        value = getattr(prices, name)
        if isinstance(value, tuple) and value[0] > value[1]:
            raise InvalidPrices(
                f"The price file is wrong: `{name}` is at least {value[0]:g} and at most"
                f" {value[1]:g}; write the smaller one first."
            )
    return prices
