"""The queries on hot paths, and what people ask them, by chance, of a bulk shop of any size.

What is asked follows from an opening taken by chance among all: whose it was, what it gave. So who
has opened more is asked about more, as in a real shop.
"""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, Final
from uuid import UUID

import msgspec

from packhouse.bench.bulk_rows import PACKS, TIERS, pack_id, token_hash
from packhouse.bench.bulk_shop import (
    CARDS_PER_OPENING,
    CATALOGUE,
    PENDING_PARCELS,
    BulkShop,
    card_of,
)
from packhouse.catalog import FIRST_COPY
from packhouse.foundation.limits import PAGE_LIMIT_DEFAULT, RELAY_BATCH_EVENTS
from packhouse.plumbing.queries import load_queries

ROOMS: Final = ("accounts", "catalog", "draws", "feed", "plumbing", "shipping", "vault", "wallet")
QUERIES: Final[Mapping[str, str]] = {
    f"{room}.{name}": statement
    for room in ROOMS
    for name, statement in load_queries(f"packhouse.{room}").items()
}
PAGE: Final = PAGE_LIMIT_DEFAULT + 1
"""A page and one row more, which tells whether there is another."""

Ask = Callable[[BulkShop, Random], Sequence[Any]]


class HotQuery(msgspec.Struct, frozen=True):
    """One named query, and its arguments for one execution; ``plot`` is where it is drawn.

    ``locks`` is true when it leaves row locks, to be let go by rolling back.
    """

    name: str
    plot: str
    query: str
    ask: Ask
    locks: bool = False

    @property
    def statement(self) -> str:
        """The words that the application sends."""
        return QUERIES[self.query]


def _opening(shop: BulkShop, chance: Random) -> int:
    return chance.randrange(shop.openings)


def _someone(shop: BulkShop, chance: Random) -> int:
    return shop.owner_of(_opening(shop, chance))


def _vault_first(shop: BulkShop, chance: Random) -> Sequence[Any]:
    return shop.user_id(_someone(shop, chance)), None, None, PAGE


def _vault_deep(shop: BulkShop, chance: Random) -> Sequence[Any]:
    opening = _opening(shop, chance)
    after = shop.user_card_id(opening * CARDS_PER_OPENING)
    return shop.user_id(shop.owner_of(opening)), None, after, PAGE


def _vault_of_tier(shop: BulkShop, chance: Random) -> Sequence[Any]:
    opening = _opening(shop, chance)
    tier, _ = TIERS[card_of(opening * CARDS_PER_OPENING)]
    return shop.user_id(shop.owner_of(opening)), None, None, PAGE, tier


def _vault_by_value(shop: BulkShop, chance: Random) -> Sequence[Any]:
    return shop.user_id(_someone(shop, chance)), None, None, PAGE, None, None


def _vault_by_value_deep(shop: BulkShop, chance: Random) -> Sequence[Any]:
    opening = _opening(shop, chance)
    card = opening * CARDS_PER_OPENING
    _, value = TIERS[card_of(card)]
    owner = shop.user_id(shop.owner_of(opening))
    return owner, None, shop.user_card_id(card), PAGE, None, value


def _feed_first(_: BulkShop, __: Random) -> Sequence[Any]:
    return None, PAGE


def _feed_deep(shop: BulkShop, chance: Random) -> Sequence[Any]:
    return chance.randrange(PAGE, shop.user_cards), PAGE


def _feed_of_tier(_: BulkShop, chance: Random) -> Sequence[Any]:
    return None, PAGE, chance.choice(("D", "C", "B", "A", "S", "SS", "SSS"))


def _feed_of_tier_deep(shop: BulkShop, chance: Random) -> Sequence[Any]:
    # From the later half on, so that a page of any tier but the two rarest is full at every size.
    before = chance.randrange(shop.user_cards // 2, shop.user_cards)
    return before, PAGE, chance.choice(("D", "C", "B", "A", "S"))


def _session(shop: BulkShop, chance: Random) -> Sequence[Any]:
    return [token_hash(_someone(shop, chance))], shop.now


def _standing(shop: BulkShop, chance: Random) -> Sequence[Any]:
    user = _someone(shop, chance)
    pack = UUID(int=pack_id(chance.randrange(PACKS)))
    key = f"new-{chance.randrange(10**9)}"
    return [shop.user_id(user)], [pack], ["openings"], [key], [token_hash(user)], shop.now


def _claim(shop: BulkShop, chance: Random) -> Sequence[Any]:
    cards = chance.sample(range(CATALOGUE), CARDS_PER_OPENING)
    first = [FIRST_COPY] * CARDS_PER_OPENING
    return [shop.card_id(card) for card in sorted(cards)], [1] * CARDS_PER_OPENING, first


def _entries(shop: BulkShop, chance: Random) -> Sequence[Any]:
    return shop.user_id(_someone(shop, chance)), None, PAGE


def _entries_deep(shop: BulkShop, chance: Random) -> Sequence[Any]:
    opening = _opening(shop, chance)
    return shop.user_id(shop.owner_of(opening)), 2 * opening + 1, PAGE


def _openings_deep(shop: BulkShop, chance: Random) -> Sequence[Any]:
    opening = _opening(shop, chance)
    return shop.user_id(shop.owner_of(opening)), shop.opening_id(opening), PAGE


def _receipt_owner(shop: BulkShop, chance: Random) -> Sequence[Any]:
    return (shop.opening_id(_opening(shop, chance)),)


def _receipt(shop: BulkShop, chance: Random) -> Sequence[Any]:
    opening = _opening(shop, chance)
    return [shop.user_id(shop.owner_of(opening))], [shop.opening_id(opening)]


def _queue(_: BulkShop, __: Random) -> Sequence[Any]:
    return "pending", None, PAGE


def _queue_deep(shop: BulkShop, chance: Random) -> Sequence[Any]:
    waiting = min(PENDING_PARCELS, shop.parcels)
    after = shop.parcels - waiting + chance.randrange(max(1, waiting - PAGE))
    return "pending", shop.parcel_id(after), PAGE


def _batch(_: BulkShop, __: Random) -> Sequence[Any]:
    return (RELAY_BATCH_EVENTS,)


VAULT: Final = "Vault"
FEED: Final = "Feed"
OPENING: Final = "What an opening asks, and the queues"
BOOKS: Final = "Wallet, own openings, receipts"

HOT_QUERIES: Final = (
    HotQuery("vault", VAULT, "vault.list_user_cards_by_newest", _vault_first),
    HotQuery("vault, deep", VAULT, "vault.list_user_cards_by_newest", _vault_deep),
    HotQuery("vault of a tier", VAULT, "vault.list_user_cards_of_tier_by_newest", _vault_of_tier),
    HotQuery("vault by value", VAULT, "vault.list_user_cards_by_value", _vault_by_value),
    HotQuery("vault by value, deep", VAULT, "vault.list_user_cards_by_value", _vault_by_value_deep),
    HotQuery("feed", FEED, "feed.list_newest_pulls", _feed_first),
    HotQuery("feed, deep", FEED, "feed.list_newest_pulls", _feed_deep),
    HotQuery("feed of a tier", FEED, "feed.list_newest_pulls_of_tier", _feed_of_tier),
    HotQuery("feed of a tier, deep", FEED, "feed.list_newest_pulls_of_tier", _feed_of_tier_deep),
    HotQuery("session", OPENING, "accounts.list_sessions", _session),
    HotQuery("standing", OPENING, "draws.list_opening_standings", _standing),
    HotQuery("claim of stock", OPENING, "catalog.claim_stock_items", _claim, locks=True),
    HotQuery("shipping queue", OPENING, "shipping.list_shipping_queue", _queue),
    HotQuery("shipping queue, deep", OPENING, "shipping.list_shipping_queue", _queue_deep),
    HotQuery("relay's batch", OPENING, "plumbing.list_waiting_events", _batch),
    HotQuery("wallet's entries", BOOKS, "wallet.list_ledger_entries", _entries),
    HotQuery("wallet's entries, deep", BOOKS, "wallet.list_ledger_entries", _entries_deep),
    HotQuery("own openings", BOOKS, "draws.list_openings", _entries),
    HotQuery("own openings, deep", BOOKS, "draws.list_openings", _openings_deep),
    HotQuery("receipt's owner", BOOKS, "draws.find_receipt_owner", _receipt_owner),
    HotQuery("receipt", BOOKS, "draws.list_opening_receipts", _receipt),
)
