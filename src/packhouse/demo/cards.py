"""The demo shop's own cards: two invented sets, kept in ``cards.csv`` beside this file.

The Lantern Tides (``LNT``) is a drowned archipelago where every island keeps a lamp; The Hollow
Orrery (``ORY``) is a sky of brass and glass. All names, lines and pictures were made for Packhouse.
"""

import csv
from functools import cache
from importlib import resources
from typing import Literal

import msgspec

from packhouse.foundation.tiers import Tier


class DemoCard(msgspec.Struct, frozen=True):
    """One row of ``cards.csv``.

    ``number`` is three digits, unique in its set. ``value_minor`` is in minor units of the shop's
    currency. A ``digital`` card weighs nothing and is never out of stock. ``element`` chooses the
    colours and ``motif`` the scene of its picture.
    """

    set_code: str
    set_name: str
    number: str
    name: str
    tier: Tier
    value_minor: int
    kind: Literal["physical", "digital"]
    weight_grams: int
    element: str
    motif: str
    flavour: str


@cache
def list_demo_cards() -> tuple[DemoCard, ...]:
    """Every card of both sets, in the order of set and number."""
    text = resources.files("packhouse.demo").joinpath("cards.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    return tuple(msgspec.convert(rows, list[DemoCard], strict=False))
