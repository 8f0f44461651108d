"""An operator writes a pack, looks at what it promises, and publishes a version of it.

A published version never changes. Publishing anew or withdrawing closes a lot that was on sale.
Lock order: the pack · the lot on sale · stock items by card id (lots only).
"""

import re
from collections.abc import Sequence
from fractions import Fraction

import msgspec

from packhouse import catalog, draws
from packhouse.catalog import Card
from packhouse.draws import (
    CardFact,
    PackConfig,
    PackDraft,
    PackRow,
    PackVersionRow,
    Prospect,
)
from packhouse.flows.announcements import lot_listed, pack_published, pack_withdrawn
from packhouse.flows.make_lot import close_lot, lot_terms, make_lot
from packhouse.foundation.errors import FieldError, InvalidInput
from packhouse.foundation.identifiers import (
    PackId,
    PackVersionId,
    UserId,
    new_id,
)
from packhouse.house import House
from packhouse.plumbing.audit import Actor, insert_audit_entry
from packhouse.plumbing.outbox import insert_events
from packhouse.plumbing.postgres import Connection, ReadConnection

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
SLUG_LENGTH_MAX = 60


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
        pack = await _lock_pack(connection, command.slug)
        if pack.draft is None:
            raise InvalidInput("This pack has no draft to publish. Save one first.")
        draft = msgspec.convert(pack.draft, PackDraft)
        facts = await list_card_facts(connection, draft)
        versions = await draws.list_pack_versions(connection, pack.id)
        await close_lot(house, connection, pack, versions, now=now)
        number = 1 + max((version.number for version in versions), default=0)
        version_id = PackVersionId(new_id())
        if draft.kind == "odds":
            config = draws.compose_odds(draft, slug=pack.slug, number=number, facts=facts)
            _require_reason(draws.prospect_of(config), command.reason)
            await _require_stock(connection, config)
            lot = None
        else:
            config, lot, items = await make_lot(
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
        events = [pack_published(version, slug=pack.slug, now=now)]
        if lot is not None:
            await draws.insert_lot(connection, lot, items, pack_version_id=version_id)
            events.append(lot_listed(lot, config_hash=version.config_hash, now=now))
        await draws.put_pack_on_sale(connection, pack_id=pack.id, version_id=version_id)
        await insert_events(connection, events)
        # Every card of the new version is in stock; the pack has nothing more to rest for.
        await catalog.delete_pack_pauses(connection, pack.id)
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
    """Take a pack off sale; a lot is closed for good, and what is left of it goes to the house.

    Raises ``PackNotFound``, and ``InvalidInput`` without a reason.
    """
    now = house.clock()
    if not command.reason.strip():
        raise InvalidInput("Say why.", [FieldError("reason", "Say why the pack is withdrawn.")])
    async with house.database.transaction() as connection:
        pack = await _lock_pack(connection, command.slug)
        versions = await draws.list_pack_versions(connection, pack.id)
        await close_lot(house, connection, pack, versions, now=now)
        on_sale = next((v for v in versions if v.id == pack.current_version_id), None)
        if on_sale is not None and pack.withdrawn_at is None:
            withdrawn = pack_withdrawn(on_sale, slug=pack.slug, now=now)
            await insert_events(connection, [withdrawn])
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


async def get_pack(connection: ReadConnection, slug: str) -> PackRow:
    """A pack as operators see it. Raises ``PackNotFound``."""
    pack = await draws.find_pack(connection, slug)
    if pack is None:
        raise draws.PackNotFound(f"There is no pack {slug!r}.")
    return pack


async def _lock_pack(connection: Connection, slug: str) -> PackRow:
    """The pack as it is once nobody else can publish it or save its draft meanwhile."""
    pack = await get_pack(connection, slug)
    await draws.lock_pack(connection, pack.id)
    return await get_pack(connection, slug)


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
    terms = lot_terms(draft, prizes, last_one, manifest_root=b"", commitment=b"")
    return draws.compose_lot(draft, slug=slug, number=0, terms=terms)


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
