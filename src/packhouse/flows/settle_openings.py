"""Decided openings become true: one short transaction of set-wise statements, for one or for many.

Everything here takes a set of purchases, each of another user; one opening is a set of one. What
was decided is never decided again here: stock that is missing is paid for, not drawn anew.

Lock order: stock items by card id · wallets by user id · cards that ran out, by id. Everything else
is insertion.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from packhouse import catalog, draws, vault, wallet
from packhouse.draws import NewOpening, OpeningStanding, Proof, Receipt, ReceiptCard, ShelvedPack
from packhouse.foundation.cards import CardFace
from packhouse.foundation.errors import Breach
from packhouse.foundation.events import PackOpened, WaitingEvent
from packhouse.foundation.identifiers import (
    CardId,
    OpeningId,
    PackId,
    StockItemId,
    UserCardId,
    new_id,
)
from packhouse.foundation.money import share_of
from packhouse.foundation.tiers import Tier
from packhouse.plumbing.idempotency import Repeat, insert_answers
from packhouse.plumbing.outbox import insert_events
from packhouse.plumbing.postgres import Connection
from packhouse.vault import UserCard
from packhouse.wallet import Movement, Wallet, WalletChange

ANONYMOUS = "Anonymous"
"""How a collector who wants no name in the feed is shown."""


class OpenedCard(msgspec.Struct, frozen=True):
    """One card that came out; ``paid_out`` when its value was credited for want of a copy."""

    user_card_id: UserCardId
    card: CardFace
    tier: Tier
    value: int
    paid_out: bool


class Opening(msgspec.Struct, frozen=True):
    """One opened pack."""

    id: OpeningId
    cards: tuple[OpenedCard, ...]
    proof: Proof


class OpenedPacks(msgspec.Struct, frozen=True):
    """The answer: the packs in the order of their draws, and the balance afterwards."""

    openings: tuple[Opening, ...]
    balance: int


class DecidedOpening(msgspec.Struct, frozen=True):
    """One pack as it was drawn; ``lot_stock`` has the stock items of a lot's cards."""

    receipt: Receipt
    owed: frozenset[UserCardId]
    lot_stock: dict[UserCardId, StockItemId]
    nonce: int | None


class DecidedPurchase(msgspec.Struct, frozen=True):
    """Everything that one request opens, decided from one standing."""

    standing: OpeningStanding
    pack: ShelvedPack
    openings: tuple[DecidedOpening, ...]
    repeat: Repeat


class ClaimShort(Exception):
    """Fewer copies were free than are owed; others may be holding some that they will give back."""


class PurchaseRaced(Exception):
    """The wallet, the pack or the repeated request moved on meanwhile; decide anew."""


class _Settled(msgspec.Struct, frozen=True):
    """A purchase with its stock assigned."""

    purchase: DecidedPurchase
    receipts: tuple[Receipt, ...]
    cards: tuple[UserCard, ...]
    movements: tuple[tuple[Movement, ...], ...]
    change: WalletChange


async def settle_purchases(
    connection: Connection,
    purchases: Sequence[DecidedPurchase],
    *,
    waiting: bool,
    now: datetime,
) -> list[OpenedPacks]:
    """Make decided purchases true in the caller's transaction; answers in the same order.

    Raises ``ClaimShort`` (never when ``waiting``) and ``PurchaseRaced``; the caller rolls back.
    """
    stock = await _claim_stock(connection, purchases, waiting=waiting, now=now)
    settled = [_assign(purchase, stock, now=now) for purchase in purchases]
    answers = [_answer(entry) for entry in settled]
    changes = [entry.change for entry in settled]
    if len(await wallet.advance_wallets(connection, changes, now=now)) < len(changes):
        raise PurchaseRaced
    recorded = await insert_answers(
        connection,
        [(entry.purchase.repeat, answer) for entry, answer in zip(settled, answers, strict=True)],
        now=now,
    )
    if len(recorded) < len(settled):
        raise PurchaseRaced
    await _insert_records(connection, settled, now=now)
    return answers


async def _claim_stock(
    connection: Connection, purchases: Sequence[DecidedPurchase], *, waiting: bool, now: datetime
) -> dict[CardId, list[StockItemId]]:
    wanted: Counter[CardId] = Counter()
    from_lots: list[tuple[CardId, StockItemId]] = []
    for purchase in purchases:
        for opening in purchase.openings:
            for card in opening.receipt.cards:
                if card.user_card_id in opening.lot_stock:
                    item = opening.lot_stock[card.user_card_id]
                    from_lots.append((CardId(card.card.id), item))
                elif card.user_card_id in opening.owed:
                    wanted[CardId(card.card.id)] += 1
    if from_lots:
        moved = await catalog.move_stock_items(
            connection, from_lots, from_places=["on_sale"], to_place="vaulted", now=now
        )
        if len(moved) < len(from_lots):
            raise Breach("A lot's undrawn stock item is no longer on sale.")
    if not wanted:
        return {}
    stock = await catalog.claim_stock_items(connection, wanted, waiting=waiting, now=now)
    if not waiting and sum(map(len, stock.values())) < wanted.total():
        raise ClaimShort
    return stock


def _assign(
    purchase: DecidedPurchase, stock: dict[CardId, list[StockItemId]], *, now: datetime
) -> _Settled:
    sell_back = purchase.pack.config.sell_back
    receipts: list[Receipt] = []
    cards: list[UserCard] = []
    movements: list[tuple[Movement, ...]] = []
    for opening in purchase.openings:
        drawn: list[ReceiptCard] = []
        moved = [Movement("pack_opening", -opening.receipt.price, opening.receipt.id)]
        for card in opening.receipt.cards:
            card_id = CardId(card.card.id)
            item = opening.lot_stock.get(card.user_card_id)
            paid_out = False
            if card.user_card_id in opening.owed and item is None:
                free = stock.get(card_id)
                item = free.pop() if free else None
                paid_out = item is None
            if paid_out:
                moved.append(Movement("stock_shortfall", card.value, card.user_card_id))
            drawn.append(msgspec.structs.replace(card, paid_out=paid_out))
            cards.append(
                UserCard(
                    user_id=purchase.standing.user_id,
                    id=card.user_card_id,
                    card_id=card_id,
                    stock_item_id=item,
                    opening_id=opening.receipt.id,
                    tier=card.tier,
                    value=card.value,
                    state="sold" if paid_out else "vaulted",
                    sell_back_amount=card.value
                    if paid_out
                    else share_of(card.value, rate_basis_points=sell_back.rate_basis_points),
                    sell_back_until=now + timedelta(seconds=sell_back.window_seconds),
                    created_at=now,
                )
            )
        receipts.append(msgspec.structs.replace(opening.receipt, cards=tuple(drawn)))
        movements.append(tuple(moved))
    return _Settled(
        purchase=purchase,
        receipts=tuple(receipts),
        cards=tuple(cards),
        movements=tuple(movements),
        change=_wallet_change(purchase, movements, now=now),
    )


def _wallet_change(
    purchase: DecidedPurchase, movements: Sequence[Sequence[Movement]], *, now: datetime
) -> WalletChange:
    standing = purchase.standing
    return wallet.settle(
        Wallet(
            user_id=standing.user_id,
            balance=standing.balance,
            sequence=standing.sequence,
            seed_pair_id=standing.seed_pair_id,
            nonce=standing.nonce,
        ),
        [movement for moved in movements for movement in moved],
        now=now,
        nonces=sum(opening.nonce is not None for opening in purchase.openings),
    )


def _answer(settled: _Settled) -> OpenedPacks:
    return OpenedPacks(
        openings=tuple(
            Opening(
                id=receipt.id,
                cards=tuple(
                    OpenedCard(
                        user_card_id=card.user_card_id,
                        card=card.card,
                        tier=card.tier,
                        value=card.value,
                        paid_out=card.paid_out,
                    )
                    for card in receipt.cards
                ),
                proof=receipt.proof,
            )
            for receipt in settled.receipts
        ),
        balance=settled.change.balance,
    )


async def _insert_records(
    connection: Connection, settled: Sequence[_Settled], *, now: datetime
) -> None:
    await draws.insert_openings(
        connection,
        [
            NewOpening(
                user_id=entry.purchase.standing.user_id,
                id=receipt.id,
                pack_version_id=entry.purchase.pack.version_id,
                seed_pair_id=entry.purchase.standing.seed_pair_id,
                nonce=receipt.proof.nonce,
                price=receipt.price,
                receipt=receipt,
            )
            for entry in settled
            for receipt in entry.receipts
        ],
        now=now,
    )
    await vault.insert_user_cards(
        connection, [card for entry in settled for card in entry.cards], now=now
    )
    await insert_events(connection, [event for entry in settled for event in _events(entry, now)])
    # A pair's clock of seven days starts with its first use, a lot's draw (its key is shown) too.
    first_uses = [
        (entry.purchase.standing.user_id, entry.purchase.standing.seed_pair_id)
        for entry in settled
        if entry.purchase.standing.nonce == 0
    ]
    if first_uses:
        await draws.mark_first_use(connection, first_uses, now=now)
    await _pause_packs(connection, _pauses(settled), now=now)


async def _pause_packs(
    connection: Connection, pauses: set[tuple[PackId, CardId]], *, now: datetime
) -> None:
    if not pauses:
        return
    # What was put on sale since the claim has ended its pauses already, and would not end ours.
    card_ids = sorted({card_id for _, card_id in pauses})
    await catalog.lock_cards(connection, card_ids)
    copies = await catalog.count_stock_by_card(connection, card_ids)
    lasting = sorted((pack_id, card_id) for pack_id, card_id in pauses if not copies[card_id])
    await catalog.insert_pack_pauses(connection, lasting, now=now)


def _events(settled: _Settled, now: datetime) -> list[WaitingEvent]:
    standing = settled.purchase.standing
    sequence = standing.sequence
    events = []
    for receipt, moved in zip(settled.receipts, settled.movements, strict=True):
        sequence += sum(movement.amount != 0 for movement in moved)
        events.append(
            WaitingEvent(
                user_id=standing.user_id,
                id=new_id(),
                subject_id=receipt.id,
                sequence=sequence,
                event=PackOpened(
                    username=ANONYMOUS if standing.is_anonymous else standing.username,
                    postings=wallet.postings_of(moved),
                ),
                created_at=now,
            )
        )
    return events


def _pauses(settled: Sequence[_Settled]) -> set[tuple[PackId, CardId]]:
    return {
        (entry.purchase.pack.pack_id, CardId(card.card.id))
        for entry in settled
        for receipt in entry.receipts
        for card in receipt.cards
        if card.paid_out
    }
