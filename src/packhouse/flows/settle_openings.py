"""Decided openings become true: set-wise statements in one short transaction, for one or for many.

Everything here takes a set of purchases, each of another user; one opening is a set of one. What
was decided is never decided again here: stock that is missing is paid for, not drawn anew. Who
cannot go on with the set, for want of a copy or because the wallet moved, is left out of it and
leaves nothing behind: a claim is a lock, and only what is settled is handed out.

Lock order: stock items by card id · wallets by user id · cards that ran out, by id. Everything else
is insertion.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from packhouse import catalog, draws, vault, wallet
from packhouse.draws import NewOpening, OpeningStanding, Proof, Receipt
from packhouse.flows.decide_openings import DecidedOpening, DecidedPurchase, Purchase
from packhouse.foundation.cards import CardFace
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
from packhouse.plumbing.idempotency import insert_answers
from packhouse.plumbing.outbox import insert_events
from packhouse.plumbing.postgres import Connection
from packhouse.vault import UserCard
from packhouse.wallet import Movement, Wallet, WalletChange

ANONYMOUS = "Anonymous"
"""How a collector who wants no name in the feed is shown."""

Stock = dict[CardId, list[StockItemId]]


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


class RecordedAnswer(msgspec.Struct, frozen=True):
    """An answer as it is kept: the receipts tell the rest. Older ones were kept whole."""

    openings: tuple[OpeningId | Opening, ...]
    balance: int


class ClaimShort(Exception):
    """Fewer copies were free than are owed; others may be holding some that they will give back."""


class PurchaseRaced(Exception):
    """The wallet, the pack or the repeated request moved on meanwhile; decide anew."""


class SettledPurchase(msgspec.Struct, frozen=True):
    """A purchase with its stock assigned and its wallet's step."""

    purchase: Purchase
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
) -> list[OpenedPacks | ClaimShort | PurchaseRaced]:
    """Make decided purchases of odds packs true in the caller's transaction; in the same order.

    Who is left out is told so: ``ClaimShort``, never when ``waiting``, or ``PurchaseRaced``.
    Raises ``PurchaseRaced`` when nothing of the set can be; the caller rolls back.
    """
    owed = _owed_copies(opening for decided in purchases for opening in decided.openings)
    stock = await catalog.claim_stock_items(connection, owed, waiting=waiting) if owed else {}
    # With enough for all of them together, nobody has to be looked at alone.
    takes_all = waiting or _has_all(owed, stock)
    outcomes: list[OpenedPacks | ClaimShort | PurchaseRaced] = []
    fitting: list[SettledPurchase | None] = []
    for decided in purchases:
        may_go = takes_all or _has_all(_owed_copies(decided.openings), stock)
        fitting.append(assign_stock(decided, stock, now=now) if may_go else None)
    advanced = await wallet.advance_wallets(
        connection, [each.change for each in fitting if each is not None], now=now
    )
    settled = []
    for each in fitting:
        if each is None:
            outcomes.append(ClaimShort())
        elif each.purchase.user_id not in advanced:
            outcomes.append(PurchaseRaced())
        else:
            settled.append(each)
            outcomes.append(answer_of(each))
    await _hand_out(connection, settled, now=now)
    await record_purchases(connection, settled, now=now)
    return outcomes


def pay(
    purchase: Purchase, movements: Sequence[Sequence[Movement]], *, now: datetime
) -> WalletChange:
    """The step of the purchase's wallet. Raises ``InsufficientCredits``."""
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
        # A lot numbers its own draws.
        nonces=0 if purchase.pack.config.lot is not None else purchase.quantity,
    )


def price_of(purchase: Purchase, opening_id: OpeningId) -> Movement:
    """What one of the packs costs."""
    return Movement("pack_opening", -purchase.pack.config.price, opening_id)


def assign_stock(decided: DecidedPurchase, stock: Stock, *, now: datetime) -> SettledPurchase:
    """Give each owed card its copy out of ``stock``; what has none is paid for."""
    receipts: list[Receipt] = []
    cards: list[UserCard] = []
    movements: list[tuple[Movement, ...]] = []
    for opening in decided.openings:
        moved = [price_of(decided.purchase, opening.receipt.id)]
        paid_out: set[UserCardId] = set()
        items: list[StockItemId | None] = []
        for card, is_owed in zip(opening.receipt.cards, opening.owed, strict=True):
            free = stock.get(CardId(card.card.id)) if is_owed else None
            items.append(free.pop(0) if free else None)
            if is_owed and items[-1] is None:
                paid_out.add(card.user_card_id)
                moved.append(Movement("stock_shortfall", card.value, card.user_card_id))
        receipt = _with_payouts(opening.receipt, paid_out)
        receipts.append(receipt)
        movements.append(tuple(moved))
        cards += user_cards_of(decided.purchase, receipt, items, now=now)
    return SettledPurchase(
        purchase=decided.purchase,
        receipts=tuple(receipts),
        cards=tuple(cards),
        movements=tuple(movements),
        change=pay(decided.purchase, movements, now=now),
    )


def user_cards_of(
    purchase: Purchase,
    receipt: Receipt,
    items: Sequence[StockItemId | None],
    *,
    now: datetime,
) -> list[UserCard]:
    """A receipt's cards as they enter the vault, with the stock item of each."""
    sell_back = purchase.pack.config.sell_back
    until = now + timedelta(seconds=sell_back.window_seconds)
    rate = sell_back.rate_basis_points
    return [
        UserCard(
            user_id=purchase.user_id,
            id=card.user_card_id,
            card_id=CardId(card.card.id),
            stock_item_id=item,
            opening_id=receipt.id,
            tier=card.tier,
            value=card.value,
            state="sold" if card.paid_out else "vaulted",
            sell_back_amount=card.value
            if card.paid_out
            else share_of(card.value, rate_basis_points=rate),
            sell_back_until=until,
            created_at=now,
        )
        for card, item in zip(receipt.cards, items, strict=True)
    ]


def answer_of(settled: SettledPurchase) -> OpenedPacks:
    """What the collector is told."""
    return OpenedPacks(
        openings=tuple(opening_of(receipt) for receipt in settled.receipts),
        balance=settled.change.balance,
    )


def opening_of(receipt: Receipt) -> Opening:
    """One opened pack as its collector is told, who knows what was asked."""
    return Opening(
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


async def record_purchases(
    connection: Connection,
    settled: Sequence[SettledPurchase],
    *,
    now: datetime,
) -> None:
    """Write everything about purchases whose wallets were stepped on in this transaction.

    Raises ``PurchaseRaced`` when one of the requests was answered meanwhile; the caller rolls back.
    """
    if not settled:
        return
    answers = [
        (
            each.purchase.repeat,
            RecordedAnswer(
                openings=tuple(receipt.id for receipt in each.receipts),
                balance=each.change.balance,
            ),
        )
        for each in settled
    ]
    if len(await insert_answers(connection, answers, now=now)) < len(settled):
        raise PurchaseRaced
    await draws.insert_openings(
        connection,
        [
            NewOpening(
                user_id=each.purchase.user_id,
                id=receipt.id,
                pack_version_id=each.purchase.pack.version_id,
                seed_pair_id=each.purchase.standing.seed_pair_id,
                nonce=receipt.proof.nonce,
                price=receipt.price,
                receipt=receipt,
            )
            for each in settled
            for receipt in each.receipts
        ],
        now=now,
    )
    await vault.insert_user_cards(connection, [card for each in settled for card in each.cards])
    await insert_events(connection, [event for each in settled for event in _events(each, now)])
    # A pair's clock of seven days starts with its first use, a lot's draw (its key is shown) too.
    first_uses = [
        (each.purchase.user_id, each.purchase.standing.seed_pair_id)
        for each in settled
        if each.purchase.standing.nonce == 0
    ]
    if first_uses:
        await draws.mark_first_use(connection, first_uses, now=now)
    await _pause_packs(connection, _pauses(settled), now=now)


def _owed_copies(openings: Iterable[DecidedOpening]) -> dict[CardId, int]:
    owed: dict[CardId, int] = {}
    for opening in openings:
        for card, is_owed in zip(opening.receipt.cards, opening.owed, strict=True):
            if is_owed:
                card_id = CardId(card.card.id)
                owed[card_id] = owed.get(card_id, 0) + 1
    return owed


def _has_all(owed: Mapping[CardId, int], stock: Stock) -> bool:
    return all(len(stock.get(card_id, ())) >= copies for card_id, copies in owed.items())


def _with_payouts(receipt: Receipt, paid_out: set[UserCardId]) -> Receipt:
    if not paid_out:
        return receipt
    cards = tuple(
        msgspec.structs.replace(card, paid_out=card.user_card_id in paid_out)
        for card in receipt.cards
    )
    return msgspec.structs.replace(receipt, cards=cards)


async def _hand_out(
    connection: Connection, settled: Sequence[SettledPurchase], *, now: datetime
) -> None:
    items = [
        (card.card_id, card.stock_item_id)
        for each in settled
        for card in each.cards
        if card.stock_item_id is not None
    ]
    if items:
        await catalog.hand_out_stock_items(connection, items, now=now)


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


def _events(settled: SettledPurchase, now: datetime) -> list[WaitingEvent]:
    standing: OpeningStanding = settled.purchase.standing
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


def _pauses(settled: Sequence[SettledPurchase]) -> set[tuple[PackId, CardId]]:
    return {
        (each.purchase.pack.pack_id, CardId(card.card.id))
        for each in settled
        for receipt in each.receipts
        for card in receipt.cards
        if card.paid_out
    }
