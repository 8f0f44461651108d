"""An operator writes a pack, looks at what it promises, and publishes a version of it.

A published version never changes. Lock order: the pack · stock items by card id (lots only).
"""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction

import msgspec

from packhouse import catalog, draws
from packhouse.catalog import Card
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
    Prospect,
)
from packhouse.foundation.errors import FieldError, InvalidInput
from packhouse.foundation.identifiers import (
    CardId,
    LotId,
    PackId,
    PackVersionId,
    StockItemId,
    UserId,
    new_id,
)
from packhouse.house import House
from packhouse.plumbing.audit import Actor, insert_audit_entry
from packhouse.plumbing.postgres import Connection

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
SLUG_LENGTH_MAX = 60
LOT_SEED_BYTES = 32
PLACES_FOR_LOTS: tuple[catalog.Place, ...] = ("house", "on_sale")


class SavePackDraft(msgspec.Struct, frozen=True):
    """A draft to keep; the pack is made when there is none of this slug."""

    slug: str
    draft: PackDraft
    actor: Actor
    position: int | None = None


class PublishPack(msgspec.Struct, frozen=True):
    """The draft of this slug goes on sale; ``reason`` where it pays back its price or more."""

    slug: str
    actor: Actor
    reason: str | None = None


class WithdrawPack(msgspec.Struct, frozen=True):
    """The pack goes off sale."""

    slug: str
    reason: str
    actor: Actor


class PublishedPack(msgspec.Struct, frozen=True):
    """What went on sale."""

    slug: str
    number: int
    config_hash: str
    prospect: Prospect


async def save_pack_draft(house: House, command: SavePackDraft) -> PackRow:
    """Keep a draft that can be composed. Raises ``InvalidInput`` with every problem of it."""
    if len(command.slug) > SLUG_LENGTH_MAX or not _SLUG.fullmatch(command.slug):
        raise InvalidInput(
            "The slug does not have the right form.",
            [FieldError("slug", "Small letters, digits and single hyphens, 60 at most.")],
        )
    now = house.clock()
    async with house.database.transaction() as connection:
        facts = await list_card_facts(connection, command.draft)
        _compose_preview(command.draft, slug=command.slug, facts=facts)
        pack = await draws.find_pack(connection, command.slug)
        pack_id = PackId(new_id()) if pack is None else pack.id
        if pack is None:
            position = command.position or 0
            made = await draws.insert_pack(
                connection, pack_id=pack_id, slug=command.slug, position=position, now=now
            )
            if not made:
                raise draws.SlugTaken(f"Somebody just made a pack {command.slug!r}. Reload.")
        elif command.position is not None:
            await draws.update_pack_position(connection, pack_id=pack_id, position=command.position)
        await draws.upsert_pack_draft(
            connection, pack_id=pack_id, draft=msgspec.to_builtins(command.draft), now=now
        )
        await insert_audit_entry(
            connection,
            actor=command.actor,
            action="save_pack_draft",
            subject=f"pack:{command.slug}",
            reason=None,
            details={"draft": msgspec.to_builtins(command.draft)},
            now=now,
        )
        return await get_pack(connection, command.slug)


async def preview_pack(house: House, slug: str, draft: PackDraft) -> PackConfig:
    """The configuration that a draft would publish, without seeds. Raises ``InvalidInput``."""
    async with house.database.connection() as connection:
        facts = await list_card_facts(connection, draft)
    return _compose_preview(draft, slug=slug, facts=facts)


async def publish_pack(house: House, command: PublishPack) -> PublishedPack:
    """Publish the draft. Raises ``ReasonRequired``, ``StockMissing``, ``InvalidInput``."""
    now = house.clock()
    async with house.database.transaction() as connection:
        pack = await get_pack(connection, command.slug)
        await draws.lock_pack(connection, pack.id)
        if pack.draft is None:
            raise InvalidInput("This pack has no draft to publish. Save one first.")
        draft = msgspec.convert(pack.draft, PackDraft)
        facts = await list_card_facts(connection, draft)
        versions = await draws.list_pack_versions(connection, pack.id)
        number = 1 + max((version.number for version in versions), default=0)
        version_id = PackVersionId(new_id())
        if draft.kind == "odds":
            config = draws.compose_odds(draft, slug=pack.slug, number=number, facts=facts)
            _require_reason(draws.prospect_of(config), command.reason)
            await _require_stock(connection, config)
            lot = None
        else:
            config, lot, items = await _make_lot(
                house, connection, draft, slug=pack.slug, number=number, facts=facts, now=now
            )
            _require_reason(draws.prospect_of(config), command.reason)
        canonical = draws.canonical_config(config)
        version = PackVersionRow(
            id=version_id,
            number=number,
            config=canonical.decode(),
            config_hash=draws.hash_of(canonical),
            lot_id=None if lot is None else lot.id,
            reason=command.reason,
            published_by=UserId(command.actor.user_id),
            published_at=now,
        )
        await draws.insert_pack_version(connection, version, pack_id=pack.id)
        if lot is not None:
            await draws.insert_lot(connection, lot, items, pack_version_id=version_id)
        await draws.put_pack_on_sale(connection, pack_id=pack.id, version_id=version_id)
        prospect = draws.prospect_of(config)
        await insert_audit_entry(
            connection,
            actor=command.actor,
            action="publish_pack",
            subject=f"pack:{pack.slug}",
            reason=command.reason,
            details={
                "version": number,
                "config_hash": version.config_hash.hex(),
                "expected_value": _fraction(prospect.expected_value),
                "margin": _fraction(prospect.margin),
            },
            now=now,
        )
    house.packs.forget()
    return PublishedPack(
        slug=pack.slug, number=number, config_hash=version.config_hash.hex(), prospect=prospect
    )


async def withdraw_pack(house: House, command: WithdrawPack) -> None:
    """Take a pack off sale. Raises ``NotFound`` of a pack, ``InvalidInput`` without a reason."""
    now = house.clock()
    if not command.reason.strip():
        raise InvalidInput("Say why.", [FieldError("reason", "Say why the pack is withdrawn.")])
    async with house.database.transaction() as connection:
        pack = await get_pack(connection, command.slug)
        await draws.withdraw_pack(connection, pack_id=pack.id, now=now)
        await insert_audit_entry(
            connection,
            actor=command.actor,
            action="withdraw_pack",
            subject=f"pack:{pack.slug}",
            reason=command.reason,
            details={},
            now=now,
        )
    house.packs.forget()


async def get_pack(connection: Connection, slug: str) -> PackRow:
    """A pack as operators see it. Raises ``PackNotFound``."""
    pack = await draws.find_pack(connection, slug)
    if pack is None:
        raise draws.PackNotFound(f"There is no pack {slug!r}.")
    return pack


async def list_card_facts(connection: Connection, draft: PackDraft) -> list[CardFact]:
    """What the draft's sets and named cards are, in the catalogue's order."""
    cards = await catalog.list_cards_of_sets(connection, sorted(set_codes_of(draft)))
    return [_fact(card) for card in cards]


def set_codes_of(draft: PackDraft) -> set[str]:
    """Every set that a draft draws from or names a card of."""
    codes = [
        listed.card
        for layout in draft.layouts
        for slot in layout.slots
        for tier in slot.odds
        for listed in tier.cards or ()
    ]
    if draft.lot is not None:
        codes += [prize.card for prize in draft.lot.prizes]
        codes += [draft.lot.last_one] if draft.lot.last_one is not None else []
    return {*draft.sets, *(code.partition("-")[0] for code in codes)}


def _fact(card: Card) -> CardFact:
    return CardFact(
        id=card.id,
        set_code=card.set_code,
        number=card.number,
        tier=card.tier,
        value=card.value,
        physical=card.kind == "physical",
    )


def _compose_preview(draft: PackDraft, *, slug: str, facts: Sequence[CardFact]) -> PackConfig:
    if draft.kind == "odds":
        return draws.compose_odds(draft, slug=slug, number=0, facts=facts)
    prizes, last_one = draws.compose_lot_prizes(draft, facts=facts)
    terms = _terms(draft, prizes, last_one, manifest_root=b"", commitment=b"")
    return draws.compose_lot(draft, slug=slug, number=0, terms=terms)


def _terms(
    draft: PackDraft,
    prizes: tuple[LotPrize, ...],
    last_one: LotPrize | None,
    *,
    manifest_root: bytes,
    commitment: bytes,
) -> LotTerms:
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


async def _make_lot(
    house: House,
    connection: Connection,
    draft: PackDraft,
    *,
    slug: str,
    number: int,
    facts: Sequence[CardFact],
    now: datetime,
) -> tuple[PackConfig, LockedLot, list[LotItem]]:
    prizes, last_one = draws.compose_lot_prizes(draft, facts=facts)
    lot_id = LotId(new_id())
    stock = await _claim_for_lot(connection, prizes, last_one, lot_id=lot_id, now=now)
    items = _manifest(prizes, last_one, stock)
    root = draws.merkle_root([draws.manifest_leaf(item) for item in items])
    seed = house.entropy(LOT_SEED_BYTES)
    commitment = draws.commitment_to(seed)
    terms = _terms(draft, prizes, last_one, manifest_root=root, commitment=commitment)
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
    missing: list[str] = []
    known = {card.id: card for card in await catalog.list_cards(connection, wanted)}
    for card_id in sorted(wanted):
        claimed = await catalog.claim_movable_items(
            connection, card_id=card_id, places=PLACES_FOR_LOTS, limit=wanted[card_id]
        )
        if len(claimed) < wanted[card_id]:
            card = known[card_id]
            missing.append(f"{card.set_code}-{card.number} ({len(claimed)} of {wanted[card_id]})")
        stock[card_id] = claimed
    if missing:
        raise draws.StockMissing(
            "A lot can only promise what is there. Copies are missing of " + ", ".join(missing),
            cards=missing,
        )
    bound = [(card_id, item) for card_id, items in stock.items() for item in items]
    await catalog.bind_stock_items(connection, bound, lot_id=lot_id, now=now)
    return stock


def _manifest(
    prizes: Sequence[LotPrize],
    last_one: LotPrize | None,
    stock: dict[CardId, list[StockItemId]],
) -> list[LotItem]:
    listed = [(prize, False) for prize in prizes for _ in range(prize.count)]
    listed += [(last_one, True)] if last_one is not None else []
    return [
        LotItem(
            position=position,
            card=prize.card,
            stock_item_id=stock[prize.card].pop(0) if prize.physical else None,
            tier=prize.tier,
            value=prize.value,
            is_last_one=is_last_one,
        )
        for position, (prize, is_last_one) in enumerate(listed)
    ]


async def _require_stock(connection: Connection, config: PackConfig) -> None:
    chances = [chance for chance in draws.list_card_chances(config) if chance.physical]
    copies = await catalog.count_stock_by_card(connection, [chance.card for chance in chances])
    bare = [card_id for card_id, count in copies.items() if count == 0]
    if bare:
        cards = await catalog.list_cards(connection, bare)
        names = sorted(f"{card.set_code}-{card.number}" for card in cards)
        raise draws.StockMissing(
            f"No copy on sale of {len(names)} cards this pack promises: {', '.join(names[:20])}."
            " Put copies on sale, or take the cards out of the pack.",
            cards=names,
        )


def _require_reason(prospect: Prospect, reason: str | None) -> None:
    if prospect.pays_back_more_than_it_costs and not (reason or "").strip():
        raise draws.ReasonRequired(
            f"On average this pack pays back {_fraction(prospect.expected_sell_back)} of its price"
            f" of {prospect.price} (minor units). Publish it with a reason, or change its odds.",
        )


def _fraction(value: Fraction) -> str:
    return f"{value.numerator}/{value.denominator}" if value.denominator > 1 else str(value)
