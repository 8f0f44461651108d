"""What the people of a shop do, and how often: the mix of ``users``, and the bytes of each act.

Six of ten requests look at the feed and at packs, a quarter at one's own cards, a tenth opens
packs, a twentieth is about parcels. A card that is sold or sent is gone, so a parcel is called off
now and then, and whoever has no card left calls one off before asking for another.
"""

import random
from bisect import bisect
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Final

import msgspec

from packhouse.bench.requests import WireRequest, get, post
from packhouse.bench.stage import PACK

TOKEN_SLOT: Final = b"{session}"
CARD_SLOT: Final = b"{user-card-that-has-36-characters--}"
PARCEL_SLOT: Final = b"{parcel-that-has-36-characters-----}"
"""Stand for what is known only when the request is sent; ids have as many characters."""

SINGLE: Final = "first-light"
"""The demo shop's pack of one card; ``PACK`` has eight."""

ADDRESS: Final = {
    "name": "Bench Collector",
    "line1": "1 Quay Street",
    "city": "Portland",
    "region": "OR",
    "postal_code": "97201",
    "country": "US",
}


class Activity(msgspec.Struct, frozen=True):
    """One thing that people do: how many of a thousand requests it is, and its request.

    ``takes`` is what it needs: a ``card`` or a ``parcel`` of one's own, or nothing.
    """

    name: str
    per_mille: int
    request: WireRequest
    takes: str = ""


def list_activities() -> tuple[Activity, ...]:
    """The mix; its shares add up to a thousand."""
    return (
        _read("GET /api/v1/feed", 250, "/api/v1/feed"),
        _read("GET /api/v1/packs", 70, "/api/v1/packs"),
        _read("GET /api/v1/packs/{slug}", 70, f"/api/v1/packs/{PACK}"),
        _read("GET /", 60, "/"),
        _read("GET /packs/{slug}", 90, f"/packs/{SINGLE}"),
        _read("GET /feed", 60, "/feed"),
        _read("GET /api/v1/vault", 160, "/api/v1/vault"),
        _read("GET /vault", 80, "/vault"),
        _write(
            "POST /api/v1/vault/sales",
            10,
            "/api/v1/vault/sales",
            {"user_card_ids": [CARD_SLOT.decode()]},
            takes="card",
        ),
        _write("POST openings, one card", 50, f"/api/v1/packs/{SINGLE}/openings", {"quantity": 1}),
        _write("POST openings, eight cards", 50, f"/api/v1/packs/{PACK}/openings", {"quantity": 1}),
        _read(
            "GET /api/v1/shipping-quotes",
            30,
            f"/api/v1/shipping-quotes?country=US&user_card_ids={CARD_SLOT.decode()}",
            takes="card",
        ),
        _write(
            "POST /api/v1/shipping-requests",
            15,
            "/api/v1/shipping-requests",
            {"user_card_ids": [CARD_SLOT.decode()], "address": ADDRESS},
            takes="card",
        ),
        _write(
            "POST shipping cancellation",
            5,
            f"/api/v1/shipping-requests/{PARCEL_SLOT.decode()}/cancellation",
            {},
            takes="parcel",
        ),
    )


SHIPPING: Final = "POST /api/v1/shipping-requests"
CANCELLATION: Final = "POST shipping cancellation"
SALE: Final = "POST /api/v1/vault/sales"
QUOTE: Final = "GET /api/v1/shipping-quotes"
VAULT: Final = "GET /api/v1/vault"

GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "feed and pages": (
        "GET /api/v1/feed",
        "GET /api/v1/packs",
        "GET /api/v1/packs/{slug}",
        "GET /",
        "GET /packs/{slug}",
        "GET /feed",
    ),
    "vault": (VAULT, "GET /vault", SALE),
    "openings": ("POST openings, one card", "POST openings, eight cards"),
    "shipping": (QUOTE, SHIPPING, CANCELLATION),
}
"""The four parts of the mix that the plan names."""


class Mix:
    """Chooses activities by chance, each as often as its share says."""

    def __init__(self, activities: Sequence[Activity], chance: random.Random) -> None:
        self._activities = activities
        self._ends = list(accumulate(each.per_mille for each in activities))
        self._chance = chance

    def choose(self) -> Activity:
        """The next one."""
        at = self._chance.random() * self._ends[-1]
        return self._activities[bisect(self._ends, at)]


def bytes_of(activity: Activity, *, key: bytes, token: bytes, thing: bytes = b"") -> bytes:
    """What goes over the wire: for whom, under which key, about which card or parcel."""
    request = activity.request
    whole = request.before + key + request.after if request.after else request.before
    whole = whole.replace(TOKEN_SLOT, token, 1)
    if activity.takes:
        whole = whole.replace(CARD_SLOT, thing, 1).replace(PARCEL_SLOT, thing, 1)
    return whole


def _read(name: str, per_mille: int, path: str, *, takes: str = "") -> Activity:
    return Activity(name, per_mille, get(path, token=TOKEN_SLOT.decode(), route=name), takes)


def _write(name: str, per_mille: int, path: str, body: object, *, takes: str = "") -> Activity:
    return Activity(name, per_mille, post(path, body, token=TOKEN_SLOT.decode(), route=name), takes)
