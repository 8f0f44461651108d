"""A lot is made and ended: its copies, its manifest, its seed.

Called within the publication's transaction, which holds the pack. Lock order: the lot on sale ·
stock items by card id.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import PurePosixPath

from packhouse import catalog, draws
from packhouse.draws import (
    CardFact,
    LockedLot,
    LotItem,
    LotPrize,
    LotTerms,
    PackConfig,
    PackDraft,
    PackRow,
    PackVersionRow,
)
from packhouse.flows.announcements import lot_closed, stock_withdrawn
from packhouse.foundation.errors import FieldError, InvalidInput
from packhouse.foundation.identifiers import CardId, LotId, StockItemId, new_id
from packhouse.house import House
from packhouse.plumbing.outbox import insert_events
from packhouse.plumbing.postgres import Connection

LOT_SEED_BYTES = 32
PLACES_FOR_LOTS: tuple[catalog.Place, ...] = ("house", "on_sale")


async def make_lot(
    house: House,
    connection: Connection,
    draft: PackDraft,
    *,
    slug: str,
    number: int,
    facts: Sequence[CardFact],
    now: datetime,
) -> tuple[PackConfig, LockedLot, list[LotItem]]:
    """Take a lot's copies, write its manifest and commit to its seed. Raises ``StockMissing``."""
    prizes, last_one = draws.compose_lot_prizes(draft, facts=facts)
    lot_id = LotId(new_id())
    stock = await _claim_for_lot(connection, prizes, last_one, lot_id=lot_id, now=now)
    photos = await _list_photos(connection, stock)
    items = _manifest(prizes, last_one, stock, photos)
    root = draws.merkle_root([draws.manifest_leaf(item) for item in items])
    seed = house.entropy(LOT_SEED_BYTES)
    commitment = draws.commitment_to(seed)
    terms = lot_terms(draft, prizes, last_one, manifest_root=root, commitment=commitment)
    lot = LockedLot(
        id=lot_id,
        size=terms.packs * terms.cards_per_pack,
        draws=0,
        commitment=commitment,
        sealed_server_seed=house.seal.close(seed, context=lot_id.bytes),
        manifest_root=root,
        is_closed=False,
    )
    return draws.compose_lot(draft, slug=slug, number=number, terms=terms), lot, items


async def close_lot(
    house: House,
    connection: Connection,
    pack: PackRow,
    versions: Sequence[PackVersionRow],
    *,
    now: datetime,
) -> None:
    """End the lot on sale, if it is one, and reveal its seed; undrawn copies go to the house."""
    on_sale = next((v for v in versions if v.id == pack.current_version_id), None)
    if on_sale is None or on_sale.lot_id is None:
        return
    lot = await draws.lock_lot(connection, on_sale.lot_id)
    if lot.is_closed:
        return
    left = await draws.list_remaining_lot_items(connection, lot.id)
    copies = [(item.card, item.stock_item_id) for item in left if item.stock_item_id is not None]
    await catalog.move_stock_items(
        connection, copies, from_places=["on_sale"], to_place="house", now=now
    )
    server_seed = house.seal.open(lot.sealed_server_seed, context=lot.id.bytes)
    await draws.close_lot(connection, lot.id, server_seed=server_seed, now=now)
    closed = lot_closed(lot, server_seed=server_seed, draws=lot.draws, now=now)
    await insert_events(connection, [closed])


def lot_terms(
    draft: PackDraft,
    prizes: tuple[LotPrize, ...],
    last_one: LotPrize | None,
    *,
    manifest_root: bytes,
    commitment: bytes,
) -> LotTerms:
    """What a lot's configuration says. Raises ``InvalidInput`` when the draft has no prize list."""
    if draft.lot is None:
        raise InvalidInput("A lot needs its prize list.", [FieldError("lot", "List the prizes.")])
    return LotTerms(
        packs=draft.lot.packs,
        cards_per_pack=draft.lot.cards_per_pack,
        prizes=prizes,
        last_one=last_one,
        manifest_root=manifest_root.hex(),
        commitment=commitment.hex(),
    )


async def _claim_for_lot(
    connection: Connection,
    prizes: Sequence[LotPrize],
    last_one: LotPrize | None,
    *,
    lot_id: LotId,
    now: datetime,
) -> dict[CardId, list[StockItemId]]:
    wanted: Counter[CardId] = Counter()
    for prize in (*prizes, *([last_one] if last_one is not None else [])):
        if prize.physical:
            wanted[prize.card] += prize.count
    stock: dict[CardId, list[StockItemId]] = {}
    from_sale: dict[CardId, int] = {}
    missing: list[str] = []
    known = {card.id: card for card in await catalog.list_cards(connection, wanted)}
    for card_id in sorted(wanted):
        claimed = await catalog.claim_movable_items(
            connection, card_id=card_id, places=PLACES_FOR_LOTS, limit=wanted[card_id]
        )
        if len(claimed) < wanted[card_id]:
            card = known[card_id]
            missing.append(f"{card.set_code}-{card.number} ({len(claimed)} of {wanted[card_id]})")
        stock[card_id] = list(claimed)
        from_sale[card_id] = list(claimed.values()).count("on_sale")
    if missing:
        raise draws.StockMissing(
            "A lot can only promise what is there. Copies are missing of " + ", ".join(missing),
            cards=missing,
        )
    bound = [(card_id, item) for card_id, items in stock.items() for item in items]
    await catalog.bind_stock_items(connection, bound, lot_id=lot_id, now=now)
    await insert_events(connection, stock_withdrawn(from_sale, now=now))
    return stock


async def _list_photos(
    connection: Connection, stock: Mapping[CardId, Sequence[StockItemId]]
) -> dict[StockItemId, str]:
    """The hash of each copy's photo, of those that have one."""
    copies = [(card_id, item) for card_id, items in stock.items() for item in items]
    known = await catalog.list_stock_items(connection, copies)
    # A picture is stored under the hash of its bytes.
    return {
        item.id: PurePosixPath(item.photo).stem for item in known.values() if item.photo is not None
    }


def _manifest(
    prizes: Sequence[LotPrize],
    last_one: LotPrize | None,
    stock: dict[CardId, list[StockItemId]],
    photos: Mapping[StockItemId, str],
) -> list[LotItem]:
    listed = [(prize, False) for prize in prizes for _ in range(prize.count)]
    listed += [(last_one, True)] if last_one is not None else []
    copies = [stock[prize.card].pop(0) if prize.physical else None for prize, _ in listed]
    return [
        LotItem(
            position=position,
            card=prize.card,
            stock_item_id=copy,
            tier=prize.tier,
            value=prize.value,
            is_last_one=is_last_one,
            photo=None if copy is None else photos.get(copy),
        )
        for position, ((prize, is_last_one), copy) in enumerate(zip(listed, copies, strict=True))
    ]
