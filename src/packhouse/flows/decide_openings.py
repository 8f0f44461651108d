"""What a purchase holds and what its receipts say. Pure, but for the identifiers of new things."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from packhouse import draws
from packhouse.draws import (
    ClientSeedOrigin,
    LockedLot,
    LotItem,
    OpeningStanding,
    Outcome,
    Proof,
    Receipt,
    ReceiptCard,
    ReceiptLot,
    ReceiptPack,
    ShelvedPack,
    Ticket,
)
from packhouse.foundation.cards import CardFace
from packhouse.foundation.identifiers import (
    CardId,
    OpeningId,
    StockItemId,
    UserCardId,
    UserId,
    new_id,
)
from packhouse.plumbing.idempotency import Repeat

RECEIPT_FORMAT = "packhouse.receipt/1"


class Purchase(msgspec.Struct, frozen=True):
    """What one request opens, and from where its user stood when it was read."""

    standing: OpeningStanding
    pack: ShelvedPack
    quantity: int
    client_seed: str
    client_seed_origin: ClientSeedOrigin
    repeat: Repeat

    @property
    def user_id(self) -> UserId:
        """Who pays and gets the cards."""
        return self.standing.user_id


class DecidedOpening(msgspec.Struct, frozen=True):
    """One pack as it was drawn.

    For each card of the receipt in turn: ``owed`` says whether a copy of it has to be claimed,
    ``lot_stock`` names the copy that a lot has for it.
    """

    receipt: Receipt
    owed: tuple[bool, ...]
    lot_stock: tuple[StockItemId | None, ...]


class DecidedPurchase(msgspec.Struct, frozen=True):
    """A purchase with its packs in the order of their draws."""

    purchase: Purchase
    openings: tuple[DecidedOpening, ...]


class TakenItem(msgspec.Struct, frozen=True):
    """An item that left a lot; the last-one prize goes without a draw."""

    item: LotItem
    draw: int | None
    ticket: Ticket | None


def draw_outcomes(purchase: Purchase, *, server_seed: bytes) -> list[Outcome]:
    """What the packs of an odds purchase hold, from the standing's nonce on."""
    standing = purchase.standing
    return [
        draws.decide(
            purchase.pack.compiled,
            server_seed=server_seed,
            user_key=standing.user_key,
            nonce=nonce,
            client_seed=purchase.client_seed,
        )
        for nonce in range(standing.nonce, standing.nonce + purchase.quantity)
    ]


def decide_purchase(
    purchase: Purchase,
    outcomes: Sequence[Outcome],
    faces: Mapping[CardId, CardFace],
    *,
    now: datetime,
) -> DecidedPurchase:
    """The receipts of an odds purchase, as long as no copy is missing."""
    openings = []
    for nonce, outcome in enumerate(outcomes, start=purchase.standing.nonce):
        cards = tuple(
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
        )
        proof = _proof(
            purchase,
            commitment=purchase.standing.commitment,
            nonce=nonce,
            layout=outcome.layout,
            layout_ticket=outcome.layout_ticket,
        )
        openings.append(
            DecidedOpening(
                receipt=_receipt(purchase, OpeningId(new_id()), proof, cards, now=now),
                owed=tuple(card.physical for card in outcome.cards),
                lot_stock=(None,) * len(cards),
            )
        )
    return DecidedPurchase(purchase, tuple(openings))


def decide_lot_purchase(
    purchase: Purchase,
    opening_ids: Sequence[OpeningId],
    lot: LockedLot,
    taken: Sequence[TakenItem],
    faces: Mapping[CardId, CardFace],
    *,
    now: datetime,
) -> DecidedPurchase:
    """The receipts of a purchase from a lot: ``taken`` are its items in the order of their draws.

    What is taken beyond its draws, the last-one prize, goes to its last pack.
    """
    terms = purchase.pack.config.lot
    cards_per_pack = terms.cards_per_pack if terms is not None else 1
    proof = _proof(
        purchase,
        commitment=lot.commitment,
        lot=ReceiptLot(
            id=lot.id, manifest_root=lot.manifest_root.hex(), commitment=lot.commitment.hex()
        ),
    )
    openings = []
    for index, opening_id in enumerate(opening_ids):
        is_last = index == len(opening_ids) - 1
        first = index * cards_per_pack
        mine = taken[first:] if is_last else taken[first : first + cards_per_pack]
        cards = tuple(_lot_card(each, faces) for each in mine)
        openings.append(
            DecidedOpening(
                receipt=_receipt(purchase, opening_id, proof, cards, now=now),
                owed=(False,) * len(cards),
                lot_stock=tuple(each.item.stock_item_id for each in mine),
            )
        )
    return DecidedPurchase(purchase, tuple(openings))


def _lot_card(taken: TakenItem, faces: Mapping[CardId, CardFace]) -> ReceiptCard:
    return ReceiptCard(
        user_card_id=UserCardId(new_id()),
        card=faces[taken.item.card],
        tier=taken.item.tier,
        value=taken.item.value,
        draw=taken.draw,
        ticket=taken.ticket,
        last_one=taken.item.is_last_one,
    )


def _proof(
    purchase: Purchase,
    *,
    commitment: bytes,
    nonce: int | None = None,
    layout: str | None = None,
    layout_ticket: Ticket | None = None,
    lot: ReceiptLot | None = None,
) -> Proof:
    return Proof(
        config_hash=purchase.pack.compiled.config_hash.hex(),
        commitment=commitment.hex(),
        user_key=purchase.standing.user_key.hex(),
        nonce=nonce,
        client_seed=purchase.client_seed,
        client_seed_origin=purchase.client_seed_origin,
        layout=layout,
        layout_ticket=layout_ticket,
        lot=lot,
    )


def _receipt(
    purchase: Purchase,
    opening_id: OpeningId,
    proof: Proof,
    cards: tuple[ReceiptCard, ...],
    *,
    now: datetime,
) -> Receipt:
    config = purchase.pack.config
    return Receipt(
        format=RECEIPT_FORMAT,
        id=opening_id,
        kind=config.kind,
        pack=ReceiptPack(
            slug=purchase.pack.slug,
            name=config.name,
            version=config.number,
            config_hash=proof.config_hash,
        ),
        price=config.price,
        cards=cards,
        proof=proof,
        created_at=now,
    )
