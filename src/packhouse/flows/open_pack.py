"""A collector opens packs: paid once, drawn once, recorded once, whatever is retried or killed.

The draw is decided purely, from the published version, the seed pair, the nonce and the client
seed, before any lock is taken. One short transaction then makes it true. Lock order: the lot's row
(finite lots only) · stock items by card id · wallets by user id · cards that ran out, by id.
Everything else is insertion.

A draw is never redone for want of stock: the card drawn is owed. When no copy is left, which is
looked at again while waiting for whoever holds the last ones, the collector is paid its full locked
value, and the pack rests until it is restocked.
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

import msgspec

from packhouse import accounts, catalog, draws, wallet
from packhouse.draws import (
    ClientSeedOrigin,
    LockedLot,
    LotItem,
    OpeningStanding,
    Proof,
    Receipt,
    ReceiptCard,
    ReceiptLot,
    ReceiptPack,
    ShelvedPack,
    Ticket,
)
from packhouse.flows.settle_openings import (
    ClaimShort,
    DecidedOpening,
    DecidedPurchase,
    OpenedPacks,
    PurchaseRaced,
    settle_purchases,
)
from packhouse.foundation.cards import CardFace
from packhouse.foundation.errors import Breach, Outage
from packhouse.foundation.identifiers import (
    CardId,
    OpeningId,
    StockItemId,
    UserCardId,
    UserId,
    new_id,
)
from packhouse.foundation.limits import (
    CLIENT_SEED_LENGTH_MAX,
    OPENING_ATTEMPTS_MAX,
    PACKS_PER_OPENING_MAX,
)
from packhouse.house import House
from packhouse.plumbing.idempotency import Repeat, find_answer
from packhouse.plumbing.postgres import Connection, TransactionRaced


class OpenPacks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a client sends. ``config_hash`` (hexadecimal) is the version it was shown."""

    quantity: Annotated[int, msgspec.Meta(ge=1, le=PACKS_PER_OPENING_MAX)] = 1
    client_seed: (
        Annotated[str, msgspec.Meta(min_length=1, max_length=CLIENT_SEED_LENGTH_MAX)] | None
    ) = None
    config_hash: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")] | None = None


class OpenPack(msgspec.Struct, frozen=True):
    """Who opens which pack how often, and what makes a repetition of it recognisable."""

    user_id: UserId
    slug: str
    request: OpenPacks
    repeat: Repeat


class OpeningBusy(Outage):
    """The wallet or the stock kept changing under this opening; nothing was paid."""

    code = "opening_busy"


async def open_pack(house: House, command: OpenPack) -> OpenedPacks:
    """Open packs. Raises ``SoldOut``, ``PackChanged``, ``InsufficientCredits``, ``PackNotFound``,
    ``AccountSuspended``, ``StaffCannotOpenPacks``, ``IdempotencyKeyReused``, ``OpeningBusy``.
    """
    if command.request.client_seed is not None:
        draws.require_client_seed(command.request.client_seed)
    waiting = False
    async with house.turns.of(command.user_id):
        for _ in range(OPENING_ATTEMPTS_MAX):
            try:
                return await _attempt(house, command, waiting=waiting)
            except ClaimShort:
                waiting = True
            except (PurchaseRaced, TransactionRaced):
                # Uneven pauses let one of the racers through instead of all meeting again.
                await asyncio.sleep(random.uniform(0, 0.02))  # noqa: S311 - no secret hangs on it
    raise OpeningBusy("Too many openings at once for this wallet; nothing was paid. Try again.")


async def _attempt(house: House, command: OpenPack, *, waiting: bool) -> OpenedPacks:
    async with house.database.connection() as connection:
        answer = await find_answer(connection, command.repeat, OpenedPacks)
    if answer is not None:
        return answer
    pack = await house.packs.get_pack(house.database, command.slug)
    async with house.database.connection() as connection:
        wanted = (command.user_id, pack.pack_id)
        standing = (await draws.list_opening_standings(connection, [wanted]))[command.user_id]
        if standing.version_id != pack.version_id:
            house.packs.forget()
            raise PurchaseRaced
        _require_may_open(standing, pack, command)
        faces = await _list_faces(house, connection, pack)
    now = house.clock()
    if pack.config.lot is None:
        purchase = _decide_odds(house, command, pack, standing, faces, now)
        async with house.database.transaction() as connection:
            answers = await settle_purchases(connection, [purchase], waiting=waiting, now=now)
        return answers[0]
    async with house.database.transaction() as connection:
        purchase = await _decide_lot(house, connection, command, pack, standing, faces, now)
        answers = await settle_purchases(connection, [purchase], waiting=waiting, now=now)
    house.packs.forget()
    return answers[0]


def _require_may_open(standing: OpeningStanding, pack: ShelvedPack, command: OpenPack) -> None:
    accounts.require_collector(standing)
    asked = command.request.config_hash
    if asked is not None and asked != pack.compiled.config_hash.hex():
        raise draws.PackChanged(
            "This pack was published anew since you looked; nothing was paid. Reload the page to"
            " see the odds that are on sale now."
        )
    if standing.is_paused:
        raise draws.SoldOut(
            f"{pack.config.name} rests until it is restocked; nothing was paid.", pack=pack.slug
        )
    cost = pack.config.price * command.request.quantity
    wallet.require_credits(balance=standing.balance, cost=cost)


async def _list_faces(
    house: House, connection: Connection, pack: ShelvedPack
) -> Mapping[CardId, CardFace]:
    cards = await house.cards.list_cards(connection, pack.card_ids)
    return {
        card_id: catalog.card_face(card, media_url=house.media.url_of)
        for card_id, card in cards.items()
    }


def _decide_odds(
    house: House,
    command: OpenPack,
    pack: ShelvedPack,
    standing: OpeningStanding,
    faces: Mapping[CardId, CardFace],
    now: datetime,
) -> DecidedPurchase:
    client_seed, origin = _client_seed(command, standing)
    server_seed = house.seal.open(standing.sealed_server_seed, context=standing.seed_pair_id.bytes)
    openings = []
    for nonce in range(standing.nonce, standing.nonce + command.request.quantity):
        outcome = draws.decide(
            pack.compiled,
            server_seed=server_seed,
            user_key=standing.user_key,
            nonce=nonce,
            client_seed=client_seed,
        )
        proof = Proof(
            config_hash=pack.compiled.config_hash.hex(),
            commitment=standing.commitment.hex(),
            user_key=standing.user_key.hex(),
            nonce=nonce,
            client_seed=client_seed,
            client_seed_origin=origin,
            layout=outcome.layout,
            layout_ticket=outcome.layout_ticket,
            lot=None,
        )
        cards = [
            ReceiptCard(
                user_card_id=UserCardId(new_id()),
                card=faces[card.card],
                tier=card.tier,
                value=card.value,
                slot=card.slot,
                tier_ticket=card.tier_ticket,
                card_ticket=card.card_ticket,
            )
            for card in outcome.cards
        ]
        owed = frozenset(
            receipt_card.user_card_id
            for receipt_card, card in zip(cards, outcome.cards, strict=True)
            if card.physical
        )
        openings.append(
            DecidedOpening(
                receipt=_receipt(pack, proof, cards, now=now),
                owed=owed,
                lot_stock={},
                nonce=nonce,
            )
        )
    return DecidedPurchase(
        standing=standing, pack=pack, openings=tuple(openings), repeat=command.repeat
    )


async def _decide_lot(
    house: House,
    connection: Connection,
    command: OpenPack,
    pack: ShelvedPack,
    standing: OpeningStanding,
    faces: Mapping[CardId, CardFace],
    now: datetime,
) -> DecidedPurchase:
    if pack.lot_id is None or pack.config.lot is None:
        raise Breach(f"The lot pack {pack.slug} has no lot.")
    terms = pack.config.lot
    lot = await draws.lock_lot(connection, pack.lot_id)
    wanted = command.request.quantity * terms.cards_per_pack
    if lot.is_closed and lot.draws < lot.size:
        # Published anew or withdrawn just now; the next attempt sees what took its place.
        house.packs.forget()
        raise PurchaseRaced
    if lot.size - lot.draws < wanted:
        raise _sold_out(pack, packs_left=(lot.size - lot.draws) // terms.cards_per_pack)
    client_seed, origin = _client_seed(command, standing)
    items = await _take_from_lot(
        house, connection, lot, standing.user_key, client_seed, wanted=wanted, now=now
    )
    proof = Proof(
        config_hash=pack.compiled.config_hash.hex(),
        commitment=lot.commitment.hex(),
        user_key=standing.user_key.hex(),
        nonce=None,
        client_seed=client_seed,
        client_seed_origin=origin,
        layout=None,
        layout_ticket=None,
        lot=ReceiptLot(
            id=lot.id, manifest_root=lot.manifest_root.hex(), commitment=lot.commitment.hex()
        ),
    )
    openings = []
    for index in range(command.request.quantity):
        first = index * terms.cards_per_pack
        is_last = index == command.request.quantity - 1
        # The last pack of the lot also takes the last-one prize, which stands behind its cards.
        mine = items[first:] if is_last else items[first : first + terms.cards_per_pack]
        cards = [_lot_card(item, faces, draw=draw, ticket=ticket) for item, draw, ticket in mine]
        openings.append(
            DecidedOpening(
                receipt=_receipt(pack, proof, cards, now=now),
                owed=frozenset(),
                lot_stock=_lot_stock(cards, [item for item, _, _ in mine]),
                nonce=None,
            )
        )
    return DecidedPurchase(
        standing=standing, pack=pack, openings=tuple(openings), repeat=command.repeat
    )


async def _take_from_lot(
    house: House,
    connection: Connection,
    lot: LockedLot,
    user_key: bytes,
    client_seed: str,
    *,
    wanted: int,
    now: datetime,
) -> list[tuple[LotItem, int | None, Ticket | None]]:
    """The items drawn; after the lot's last draw its last-one prize, and its seed is revealed."""
    remaining = await draws.list_remaining_lot_items(connection, lot.id)
    lot_seed = house.seal.open(lot.sealed_server_seed, context=lot.id.bytes)
    drawn = draws.decide_lot(
        lot_seed=lot_seed,
        manifest_root=lot.manifest_root,
        first_draw=lot.draws,
        draws=wanted,
        user_key=user_key,
        client_seed=client_seed,
        remaining=[item for item in remaining if not item.is_last_one],
    )
    await draws.take_lot_items(connection, lot.id, drawn)
    await draws.advance_lot(connection, lot.id, draws=wanted)
    items: list[tuple[LotItem, int | None, Ticket | None]] = [
        (draw.item, draw.draw, draw.ticket) for draw in drawn
    ]
    if lot.draws + wanted == lot.size:
        await draws.close_lot(connection, lot.id, server_seed=lot_seed, now=now)
        items += [(item, None, None) for item in remaining if item.is_last_one]
    return items


def _sold_out(pack: ShelvedPack, *, packs_left: int) -> draws.SoldOut:
    name = pack.config.name
    if packs_left == 0:
        return draws.SoldOut(f"{name} is sold out; nothing was paid.", packs_left=0)
    return draws.SoldOut(
        f"Only {packs_left} of {name} are left; nothing was paid. Choose a smaller quantity.",
        packs_left=packs_left,
    )


def _lot_card(
    item: LotItem, faces: Mapping[CardId, CardFace], *, draw: int | None, ticket: Ticket | None
) -> ReceiptCard:
    return ReceiptCard(
        user_card_id=UserCardId(new_id()),
        card=faces[item.card],
        tier=item.tier,
        value=item.value,
        draw=draw,
        ticket=ticket,
        last_one=item.is_last_one,
    )


def _lot_stock(
    cards: Sequence[ReceiptCard], items: Sequence[LotItem]
) -> dict[UserCardId, StockItemId]:
    return {
        card.user_card_id: item.stock_item_id
        for card, item in zip(cards, items, strict=True)
        if item.stock_item_id is not None
    }


def _client_seed(command: OpenPack, standing: OpeningStanding) -> tuple[str, ClientSeedOrigin]:
    if command.request.client_seed is not None:
        return command.request.client_seed, "request"
    return standing.client_seed, "stored"


def _receipt(
    pack: ShelvedPack, proof: Proof, cards: Sequence[ReceiptCard], *, now: datetime
) -> Receipt:
    return Receipt(
        format="packhouse.receipt/1",
        id=OpeningId(new_id()),
        kind=pack.config.kind,
        pack=ReceiptPack(
            slug=pack.slug,
            name=pack.config.name,
            version=pack.config.number,
            config_hash=pack.compiled.config_hash.hex(),
        ),
        price=pack.config.price,
        cards=tuple(cards),
        proof=proof,
        created_at=now,
    )
