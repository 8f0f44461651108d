"""An opening: paid once, drawn once, recorded once, in one transaction under the wallet's lock.

Lock order: the wallet, stock items by card id. Who waits for copies in a circle is tried again.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from answers import (
    CardFace,
    Opened,
    OpenedCard,
    OpenedPacks,
    OpenPacks,
    PackOpened,
    Posting,
    Proof,
    Receipt,
    ReceiptCard,
    ReceiptPack,
    Recorded,
    Ticket,
)
from database import (
    LedgerEntry,
    Opening,
    Pack,
    PackPause,
    RecordedAnswer,
    SeedPair,
    StockItem,
    User,
    UserCard,
    WaitingEvent,
    Wallet,
)
from draw import Drawn, decide, unseal
from refusal import Refusal
from shelf import ShelvedPack, find_pack, list_faces
from sqlalchemy import ARRAY, Integer, Uuid, cast, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

Stock = dict[UUID, list[UUID]]


@dataclass(slots=True)
class Purchase:
    """Who opens what, and from where they stand."""

    user: User
    wallet: Wallet
    pair: SeedPair
    pack: ShelvedPack
    request: OpenPacks
    now: datetime = field(default_factory=lambda: datetime.now(UTC))


async def open_pack(
    session: AsyncSession, *, user: User, slug: str, request: OpenPacks, key: str
) -> OpenedPacks:
    """Everything but the commit, which is the caller's."""
    pack = await find_pack(session, slug)
    if pack is None:
        raise Refusal(404, "pack_not_found", "There is no such pack on sale.")
    route = f"POST /api/v1/packs/{slug}/openings"
    request_hash = hashlib.sha256(request.model_dump_json().encode()).digest()
    wallet = await session.get_one(Wallet, user.id, with_for_update=True)
    recorded = await session.get(RecordedAnswer, (user.id, route, key))
    if recorded is not None:
        return await repeat_answer(session, recorded, request_hash)
    pair = await session.get_one(SeedPair, (user.id, wallet.seed_pair_id))
    purchase = Purchase(user, wallet, pair, pack, request)
    await require_may_open(session, purchase)

    drawn = draw_packs(purchase)
    faces = await list_faces(session, {card.card for each in drawn for card in each.cards})
    stock = await claim_stock(session, drawn, purchase.now)
    receipts = [settle(session, purchase, each, stock, faces) for each in drawn]
    wallet.nonce += len(drawn)
    gone = {card.card.id for receipt in receipts for card in receipt.cards if card.paid_out}
    if gone:
        pauses = [
            {"pack_id": pack.id, "card_id": card_id, "created_at": purchase.now}
            for card_id in sorted(gone)
        ]
        await session.execute(insert(PackPause).values(pauses).on_conflict_do_nothing())
    if pair.first_used_at is None:
        pair.first_used_at = purchase.now
    answer = Recorded(openings=[receipt.id for receipt in receipts], balance=wallet.balance)
    session.add(
        RecordedAnswer(
            user_id=user.id,
            route=route,
            key=key,
            request_hash=request_hash,
            status=201,
            answer=answer.model_dump_json(),
            created_at=purchase.now,
        )
    )
    return OpenedPacks(openings=[opened(each) for each in receipts], balance=wallet.balance)


async def repeat_answer(
    session: AsyncSession, recorded: RecordedAnswer, request_hash: bytes
) -> OpenedPacks:
    """What the same request was answered before."""
    if recorded.request_hash != request_hash:
        raise Refusal(409, "idempotency_key_reused", "This key was used with another request.")
    answer = Recorded.model_validate_json(recorded.answer)
    receipts = await session.execute(
        select(Opening.id, Opening.receipt).where(
            Opening.user_id == recorded.user_id, Opening.id.in_(answer.openings)
        )
    )
    kept = {row.id: opened(Receipt.model_validate_json(row.receipt)) for row in receipts}
    return OpenedPacks(openings=[kept[id_] for id_ in answer.openings], balance=answer.balance)


async def require_may_open(session: AsyncSession, purchase: Purchase) -> None:
    """Refuse what must not be."""
    user, pack, request = purchase.user, purchase.pack, purchase.request
    if user.suspended_at is not None:
        raise Refusal(403, "account_suspended", "This account is suspended.")
    if user.role != "collector":
        raise Refusal(403, "staff_cannot_open_packs", "Staff cannot open packs.")
    is_paused = select(PackPause).where(PackPause.pack_id == Pack.id).exists()
    on_sale = await session.execute(
        select(Pack.current_version_id, is_paused.label("is_paused")).where(
            Pack.id == pack.id, Pack.withdrawn_at.is_(None)
        )
    )
    found = on_sale.first()
    shown = request.config_hash
    if found is None or found.current_version_id != pack.version_id:
        raise Refusal(409, "pack_changed", "This pack was published anew; try again.")
    if shown is not None and shown != pack.compiled.config_hash.hex():
        raise Refusal(409, "pack_changed", "This pack was published anew since you looked.")
    if found.is_paused:
        raise Refusal(409, "sold_out", "This pack rests until it is restocked.")
    if purchase.wallet.balance < pack.compiled.config["price"] * request.quantity:
        raise Refusal(402, "insufficient_credits", "There are not enough credits in the wallet.")


def draw_packs(purchase: Purchase) -> list[Drawn]:
    """What the packs hold."""
    wallet, pair = purchase.wallet, purchase.pair
    server_seed = unseal(pair.sealed_server_seed, pair.id)
    return [
        decide(
            purchase.pack.compiled,
            server_seed=server_seed,
            user_key=pair.user_key,
            nonce=wallet.nonce + index,
            client_seed=purchase.request.client_seed or pair.client_seed,
        )
        for index in range(purchase.request.quantity)
    ]


async def claim_stock(session: AsyncSession, drawn: Sequence[Drawn], now: datetime) -> Stock:
    """Free copies by card; fewer than are owed only when there are no more anywhere."""
    wanted = Counter(card.card for each in drawn for card in each.cards if card.physical)
    if not wanted:
        return {}
    claimed = await list_free_copies(session, wanted, skip_locked=True)
    if len(claimed) < wanted.total():
        claimed = await list_free_copies(session, wanted, skip_locked=False)
    await session.execute(
        update(StockItem)
        .where(tuple_(StockItem.card_id, StockItem.id).in_(claimed))
        .values(place="vaulted", updated_at=now)
        .execution_options(synchronize_session=False)
    )
    stock: Stock = {card_id: [] for card_id in wanted}
    for card_id, id_ in claimed:
        stock[card_id].append(id_)
    return stock


async def list_free_copies(
    session: AsyncSession, wanted: Counter[UUID], *, skip_locked: bool
) -> list[tuple[UUID, UUID]]:
    """Lock up to so many free copies of each card, the oldest first."""
    cards = sorted(wanted)
    asked = (
        func.unnest(
            cast(cards, ARRAY(Uuid)), cast([wanted[card] for card in cards], ARRAY(Integer))
        )
        .table_valued("card_id", "copies")
        .render_derived("asked")
    )
    free = (
        select(StockItem.card_id, StockItem.id)
        .where(
            StockItem.card_id == asked.c.card_id,
            StockItem.place == "on_sale",
            StockItem.lot_id.is_(None),
        )
        .order_by(StockItem.id)
        .limit(asked.c.copies)
        .with_for_update(skip_locked=skip_locked)
        .lateral("free")
    )
    rows = await session.execute(select(free.c.card_id, free.c.id).select_from(asked, free))
    return [(row.card_id, row.id) for row in rows]


def settle(
    session: AsyncSession,
    purchase: Purchase,
    drawn: Drawn,
    stock: Stock,
    faces: dict[UUID, CardFace],
) -> Receipt:
    """Everything that one opened pack leaves in the tables."""
    user, pack, now = purchase.user, purchase.pack, purchase.now
    items = [
        stock[card.card].pop(0) if card.physical and stock[card.card] else None
        for card in drawn.cards
    ]
    receipt = receipt_of(purchase, drawn, items, faces)
    postings = [enter(session, purchase, "pack_opening", "pack_sales", -receipt.price, receipt.id)]
    for card in receipt.cards:
        if card.paid_out and card.value:
            paid = (card.value, card.user_card_id)
            postings.append(enter(session, purchase, "stock_shortfall", "stock_shortfalls", *paid))
    session.add(
        Opening(
            user_id=user.id,
            id=receipt.id,
            pack_version_id=pack.version_id,
            seed_pair_id=purchase.pair.id,
            nonce=drawn.nonce,
            price=receipt.price,
            receipt=receipt.model_dump_json(),
            created_at=now,
        )
    )
    session.add_all(user_cards_of(purchase, receipt, items))
    username = "Anonymous" if user.is_anonymous else user.username
    event = PackOpened(username=username, postings=postings)
    session.add(
        WaitingEvent(
            user_id=user.id,
            id=uuid7(),
            kind="pack.opened",
            version=1,
            subject_id=receipt.id,
            sequence=purchase.wallet.sequence,
            payload=event.model_dump_json(),
            created_at=now,
        )
    )
    return receipt


def receipt_of(
    purchase: Purchase,
    drawn: Drawn,
    items: Sequence[UUID | None],
    faces: dict[UUID, CardFace],
) -> Receipt:
    """The opening's public record; a card that is owed and nowhere to be had is paid out."""
    compiled, pair = purchase.pack.compiled, purchase.pair
    seed = purchase.request.client_seed
    config_hash = compiled.config_hash.hex()
    return Receipt(
        format="packhouse.receipt/1",
        id=uuid7(),
        kind=compiled.config["kind"],
        pack=ReceiptPack(
            slug=purchase.pack.slug,
            name=compiled.config["name"],
            version=compiled.config["number"],
            config_hash=config_hash,
        ),
        price=compiled.config["price"],
        cards=[
            ReceiptCard(
                user_card_id=uuid7(),
                card=faces[card.card],
                tier=card.tier,
                value=card.value,
                slot=card.slot,
                tier_ticket=Ticket(**card.tier_ticket),
                card_ticket=Ticket(**card.card_ticket),
                paid_out=card.physical and item is None,
            )
            for card, item in zip(drawn.cards, items, strict=True)
        ],
        proof=Proof(
            config_hash=config_hash,
            commitment=pair.commitment.hex(),
            user_key=pair.user_key.hex(),
            nonce=drawn.nonce,
            client_seed=seed or pair.client_seed,
            client_seed_origin="stored" if seed is None else "request",
            layout=drawn.layout,
            layout_ticket=Ticket(**drawn.layout_ticket),
        ),
        created_at=purchase.now,
    )


def user_cards_of(
    purchase: Purchase, receipt: Receipt, items: Sequence[UUID | None]
) -> list[UserCard]:
    """A receipt's cards as they enter the vault."""
    sell_back = purchase.pack.compiled.config["sell_back"]
    rate = sell_back["rate_basis_points"]
    until = purchase.now + timedelta(seconds=sell_back["window_seconds"])
    return [
        UserCard(
            user_id=purchase.user.id,
            id=card.user_card_id,
            card_id=card.card.id,
            stock_item_id=item,
            opening_id=receipt.id,
            tier=card.tier,
            value=card.value,
            state="sold" if card.paid_out else "vaulted",
            sell_back_amount=card.value if card.paid_out else card.value * rate // 10_000,
            sell_back_until=until,
            created_at=purchase.now,
        )
        for card, item in zip(receipt.cards, items, strict=True)
    ]


def enter(
    session: AsyncSession,
    purchase: Purchase,
    kind: str,
    counterparty: str,
    amount: int,
    reference: UUID,
) -> Posting:
    """Step the wallet on by one entry; gives the house's side of it."""
    wallet = purchase.wallet
    wallet.balance += amount
    wallet.sequence += 1
    session.add(
        LedgerEntry(
            user_id=wallet.user_id,
            sequence=wallet.sequence,
            kind=kind,
            amount=amount,
            balance_after=wallet.balance,
            counterparty=counterparty,
            reference=reference,
            created_at=purchase.now,
        )
    )
    return Posting(account=counterparty, amount=-amount)


def opened(receipt: Receipt) -> Opened:
    """One opened pack as its collector is told."""
    return Opened(
        id=receipt.id,
        cards=[
            OpenedCard(
                user_card_id=card.user_card_id,
                card=card.card,
                tier=card.tier,
                value=card.value,
                paid_out=card.paid_out,
            )
            for card in receipt.cards
        ],
        proof=receipt.proof,
    )
