"""The rows of a bulk shop that do not grow with its sales, or hardly: what the house itself has."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from packhouse.bench.bulk_rows import (
    HASH,
    LEAVES_PER_CHECKPOINT,
    LEAVES_PER_TILE,
    LOTS,
    NULL,
    PACKS,
    PRICE,
    VERSIONS_EACH,
    config_hash,
    lot_id,
    pack_id,
    version_id,
)
from packhouse.bench.bulk_shop import CATALOGUE, BulkShop, id_number, moment_of, tier_of

ACCOUNTS: Final = ("payments", "sales", "sell_back", "shipping")
OPENINGS_PER_BATCH: Final = 100

Lines = Iterator[str]


def manifest_root(lot: int) -> bytes:
    """The root of a lot's manifest."""
    return hashlib.sha256(f"manifest {lot}".encode()).digest()


def _cards(_: BulkShop) -> Lines:
    begun = moment_of(0).isoformat()
    for card in range(CATALOGUE):
        tier, value = tier_of(card)
        yield (
            f"{id_number('card', card):032x}\tBULK{card // 200}\tBulk\t{card:04d}"
            f"\tThe card of number {card}\t{tier}\t{value}\tphysical\t2\t{begun}\t{begun}"
        )


def _packs(_: BulkShop) -> Lines:
    for pack in range(PACKS):
        yield f"{pack_id(pack):032x}\tbulk-{pack}\t{pack}\t{version_id(pack):032x}\t{moment_of(0)}"


def _pack_drafts(_: BulkShop) -> Lines:
    return (f'{pack_id(pack):032x}\t{{"name":"Bulk"}}\t{moment_of(0)}' for pack in range(PACKS))


def _pack_versions(shop: BulkShop) -> Lines:
    publisher = f"{shop.user_id(1).int:032x}"
    for pack in range(PACKS):
        for number in range(VERSIONS_EACH):
            is_lot = pack >= PACKS - LOTS and number == VERSIONS_EACH - 1
            lot = f"{lot_id(pack - PACKS + LOTS):032x}" if is_lot else NULL
            yield (
                f"{version_id(pack, number):032x}\t{pack_id(pack):032x}\t{number + 1}"
                f'\t{{"name":"Bulk"}}\t\\\\x{config_hash(pack, number).hex()}\t{lot}\t{publisher}'
                f"\t{moment_of(0)}"
            )


def _pack_pauses(_: BulkShop) -> Lines:
    yield f"{pack_id(1):032x}\t{id_number('card', CATALOGUE - 1):032x}\t{moment_of(0)}"


def _lots(shop: BulkShop) -> Lines:
    for lot in range(LOTS):
        yield (
            f"{lot_id(lot):032x}\t{version_id(PACKS - LOTS + lot):032x}\t{shop.lot_items}"
            f"\t{shop.lot_items // 2}\t\\\\x{HASH}\t\\\\x{HASH}\t\\\\x{manifest_root(lot).hex()}"
        )


def _lot_items(shop: BulkShop) -> Lines:
    for lot in range(LOTS):
        for position in range(shop.lot_items):
            card = position % CATALOGUE
            tier, value = tier_of(card)
            # Every second one is drawn.
            draw = f"{position // 2}" if position % 2 else NULL
            yield (
                f"{lot_id(lot):032x}\t{position}\t{id_number('card', card):032x}\t{tier}\t{value}"
                f"\t{draw}\t{position % 2 == 1}"
            )


def _tier_counts(_: BulkShop) -> Lines:
    for pack in range(PACKS):
        for tier in ("D", "C", "B", "A", "S", "SS", "SSS"):
            yield f"\\\\x{config_hash(pack).hex()}\tEight\tSlot\t{tier}\t1000"


def _house_accounts(_: BulkShop) -> Lines:
    return (f"{account}\t0\t1000000" for account in ACCOUNTS)


def _house_entries(shop: BulkShop) -> Lines:
    batch = f"{id_number('other', 0):032x}"
    for sequence in range(shop.openings // OPENINGS_PER_BATCH):
        for account in ACCOUNTS:
            yield f"{account}\t{sequence + 1}\t{PRICE}\t{PRICE}\t{batch}\t100\t{moment_of(0)}"


def _log_tiles(shop: BulkShop) -> Lines:
    level, tiles = 0, shop.openings // LEAVES_PER_TILE
    hashes = f"\\\\x{HASH * LEAVES_PER_TILE}"
    while tiles:
        yield from (f"{level}\t{number}\t{hashes}" for number in range(tiles))
        level, tiles = level + 1, tiles // LEAVES_PER_TILE


def _log_checkpoints(shop: BulkShop) -> Lines:
    for number in range(1, shop.openings // LEAVES_PER_CHECKPOINT):
        size = number * LEAVES_PER_CHECKPOINT
        yield f"{size}\tpackhouse {size} {HASH}\tbulk+key\t{moment_of(size)}"


def _catalog_imports(_: BulkShop) -> Lines:
    yield f"\\\\x{HASH}\tbulk.csv\t{moment_of(0)}"


def _settings(_: BulkShop) -> Lines:
    yield f"bulk\ttrue\t{moment_of(0)}"


def _outbox(shop: BulkShop) -> Lines:
    """The events of the newest openings."""
    payload = f'{{"username":"bulk","postings":[{{"account":"sales","amount":{PRICE}}}]}}'
    for opening in range(max(0, shop.openings - shop.waiting), shop.openings):
        owner = f"{shop.user_id(shop.owner_of(opening)).int:032x}"
        event = f"{id_number('other', opening, at_opening=opening):032x}"
        subject = f"{shop.opening_id(opening).int:032x}"
        yield (
            f"{owner}\t{event}\tpack.opened\t1\t{subject}\t{2 * opening + 2}\t{payload}"
            f"\t{moment_of(opening)}"
        )


ROWS_OF_THE_HOUSE: Final[Mapping[str, Callable[[BulkShop], Lines]]] = {
    "cards": _cards,
    "packs": _packs,
    "pack_drafts": _pack_drafts,
    "pack_versions": _pack_versions,
    "pack_pauses": _pack_pauses,
    "lots": _lots,
    "lot_items": _lot_items,
    "tier_counts": _tier_counts,
    "house_accounts": _house_accounts,
    "house_entries": _house_entries,
    "log_tiles": _log_tiles,
    "log_checkpoints": _log_checkpoints,
    "catalog_imports": _catalog_imports,
    "settings": _settings,
    "outbox": _outbox,
}
"""Table and its lines, in the order of foreign keys."""
