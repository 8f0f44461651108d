"""Draws over VEIL with known seeds, and receipts of them, made by the shop's own code."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from packhouse.draws import (
    LotDraw,
    Outcome,
    PackConfig,
    PackDraft,
    Proof,
    Receipt,
    ReceiptCard,
    ReceiptLot,
    ReceiptPack,
    canonical_config,
    commitment_to,
    compile_config,
    decide,
    decide_lot,
    hash_of,
    manifest_leaf,
    merkle_root,
)
from packhouse.foundation.cards import CardFace
from packhouse.foundation.identifiers import CardId, LotId, OpeningId, UserCardId
from worlds.four_packs import (
    FINITE_LOT,
    GUARANTEED_HIT_PACK,
    RARE_LAYOUT_PACK,
    TIER_ODDS_PACK,
    VEIL,
    config_of,
    lot_config_of,
    manifest_of,
)

SERVER_SEED = bytes(range(32))
LOT_SEED = bytes(range(32, 64))
USER_KEY = bytes.fromhex("00112233445566778899aabbccddeeff")
OTHER_KEY = bytes.fromhex("ffeeddccbbaa99887766554433221100")
CLIENT_SEED = "quiet heron"
OPENED_AT = datetime(2026, 11, 22, 12, 0, 0, 250_000, tzinfo=UTC)
LOT_ID = LotId(UUID("01932f3e-7a00-7000-8000-0000000000aa"))


def committed_lot(draft: PackDraft) -> PackConfig:
    """A lot's configuration with the true commitment to ``LOT_SEED``."""
    config = lot_config_of(draft)
    assert config.lot is not None
    lot = msgspec.structs.replace(config.lot, commitment=commitment_to(LOT_SEED).hex())
    return msgspec.structs.replace(config, lot=lot)


CONFIGS: Mapping[str, PackConfig] = {
    "one card by tier odds": config_of(TIER_ODDS_PACK),
    "seven commons and a hit": config_of(GUARANTEED_HIT_PACK),
    "regular and rare layouts": config_of(RARE_LAYOUT_PACK),
    "finite lot": committed_lot(FINITE_LOT),
}
"""The four product shapes."""

assert FINITE_LOT.lot is not None
WIDE_LOT = committed_lot(
    msgspec.structs.replace(
        FINITE_LOT, lot=msgspec.structs.replace(FINITE_LOT.lot, packs=4, cards_per_pack=10)
    )
)
"""The same crate in four packs of ten: so many numbers that no other seed gives them by chance."""


def outcome_of(config: PackConfig, *, nonce: int, client_seed: str) -> Outcome:
    """What the pack with this nonce holds."""
    return decide(
        compile_config(config, hash_of(canonical_config(config))),
        server_seed=SERVER_SEED,
        user_key=USER_KEY,
        nonce=nonce,
        client_seed=client_seed,
    )


def lot_entries(config: PackConfig) -> list[tuple[bytes, str]]:
    """Who drew each draw of a lot: two collectors take its packs in turn."""
    assert config.lot is not None
    people = [(USER_KEY, CLIENT_SEED), (OTHER_KEY, "loud gull")]
    size, cards_per_pack = config.lot.packs * config.lot.cards_per_pack, config.lot.cards_per_pack
    return [people[draw // cards_per_pack % 2] for draw in range(size)]


def lot_draws(config: PackConfig) -> list[LotDraw]:
    """Every draw of a lot whose manifest is that of ``FINITE_LOT``."""
    items = manifest_of(FINITE_LOT)
    root = merkle_root([manifest_leaf(item) for item in items])
    remaining = [item for item in items if not item.is_last_one]
    draws: list[LotDraw] = []
    for draw, (user_key, client_seed) in enumerate(lot_entries(config)):
        draws += decide_lot(
            lot_seed=LOT_SEED,
            manifest_root=root,
            first_draw=draw,
            draws=1,
            user_key=user_key,
            client_seed=client_seed,
            remaining=remaining,
        )
        remaining.remove(draws[-1].item)
    return draws


def face_of(card: CardId) -> CardFace:
    """How a VEIL card is shown."""
    (fact,) = [fact for fact in VEIL if fact.id == card]
    return CardFace(
        id=fact.id, name=f"Veil “{fact.number}”", set="Veil", number=fact.number, image_url=None
    )


def odds_receipt(config: PackConfig, *, nonce: int, paid_out: int | None = None) -> Receipt:
    """A revealed receipt of an odds pack; ``paid_out`` is the place of a card without a copy."""
    outcome = outcome_of(config, nonce=nonce, client_seed=CLIENT_SEED)
    cards = tuple(
        ReceiptCard(
            user_card_id=user_card_id(index),
            card=face_of(card.card),
            tier=card.tier,
            value=card.value,
            slot=card.slot,
            tier_ticket=card.tier_ticket,
            card_ticket=card.card_ticket,
            paid_out=index == paid_out,
        )
        for index, card in enumerate(outcome.cards)
    )
    proof = Proof(
        config_hash=hash_of(canonical_config(config)).hex(),
        commitment=commitment_to(SERVER_SEED).hex(),
        user_key=USER_KEY.hex(),
        nonce=nonce,
        client_seed=CLIENT_SEED,
        client_seed_origin="request",
        layout=outcome.layout,
        layout_ticket=outcome.layout_ticket,
        lot=None,
    )
    return _receipt(config, proof, cards, server_seed=SERVER_SEED)


def lot_receipt(config: PackConfig, *, first_draw: int) -> Receipt:
    """A receipt of one pack of a lot, with the lot's seed."""
    items, terms = manifest_of(FINITE_LOT), config.lot
    assert terms is not None
    draws = lot_draws(config)[first_draw : first_draw + terms.cards_per_pack]
    user_key, client_seed = lot_entries(config)[first_draw]
    cards = [
        ReceiptCard(
            user_card_id=user_card_id(draw.draw),
            card=face_of(draw.item.card),
            tier=draw.item.tier,
            value=draw.item.value,
            draw=draw.draw,
            ticket=draw.ticket,
        )
        for draw in draws
    ]
    if first_draw + terms.cards_per_pack == terms.packs * terms.cards_per_pack:
        cards += [
            ReceiptCard(
                user_card_id=user_card_id(len(items)),
                card=face_of(item.card),
                tier=item.tier,
                value=item.value,
                last_one=True,
            )
            for item in items
            if item.is_last_one
        ]
    proof = Proof(
        config_hash=hash_of(canonical_config(config)).hex(),
        commitment=terms.commitment,
        user_key=user_key.hex(),
        nonce=None,
        client_seed=client_seed,
        client_seed_origin="stored",
        layout=None,
        layout_ticket=None,
        lot=ReceiptLot(LOT_ID, terms.manifest_root, terms.commitment),
    )
    return _receipt(config, proof, cards, server_seed=LOT_SEED)


def _receipt(
    config: PackConfig, proof: Proof, cards: Sequence[ReceiptCard], *, server_seed: bytes
) -> Receipt:
    return Receipt(
        format="packhouse.receipt/1",
        id=OpeningId(UUID("01932f3e-7a00-7000-8000-000000000001")),
        kind=config.kind,
        pack=ReceiptPack(config.slug, config.name, config.number, proof.config_hash),
        price=config.price,
        cards=tuple(cards),
        proof=proof,
        created_at=OPENED_AT,
        server_seed=server_seed.hex(),
    )


def user_card_id(number: int) -> UserCardId:
    """The id of a drawn card."""
    return UserCardId(UUID(f"01932f3e-7a00-7000-8001-{number:012x}"))
