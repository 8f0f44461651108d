"""Packs that a scenario sells out: made by the operator's own flows, with cards of their own."""

import asyncio
from typing import Final

import msgspec

from packhouse import accounts
from packhouse.bench.stage import Stage
from packhouse.demo.seed import DEMO_OWNER_EMAIL
from packhouse.draws import DraftCard, DraftLayout, DraftLot, DraftPrize, DraftSlot, DraftTier
from packhouse.draws import PackDraft as Draft
from packhouse.flows.import_catalog import ImportCatalog, import_catalog
from packhouse.flows.publish_pack import PublishPack, SavePackDraft, publish_pack, save_pack_draft
from packhouse.foundation.errors import Breach
from packhouse.plumbing.audit import Actor

PRICE_MINOR: Final = 500
VALUE_MINOR: Final = 300
SEEN_SECONDS: Final = 1.0
"""Every web worker looks at its shelf at least twice a second."""


async def publish_lot(stage: Stage, *, slug: str, packs: int) -> str:
    """Put a lot of ``packs`` single cards on sale; gives its slug."""
    actor = await _owner(stage)
    code = await _import_card(stage, actor, name=slug, copies=packs, place="house")
    draft = Draft(
        name=slug,
        kind="lot",
        price=PRICE_MINOR,
        sell_back_rate_basis_points=5_000,
        sell_back_window_days=7,
        lot=DraftLot(packs=packs, prizes=(DraftPrize(code, packs),)),
    )
    return await _publish(stage, actor, slug=slug, draft=draft)


async def publish_last_copies(stage: Stage, *, slug: str, copies: int) -> str:
    """Put a pack on sale that only ever holds one card, of which there are ``copies``."""
    actor = await _owner(stage)
    code = await _import_card(stage, actor, name=slug, copies=copies, place="on_sale")
    odds = (DraftTier("D", 1, (DraftCard(code),)),)
    draft = Draft(
        name=slug,
        kind="odds",
        price=PRICE_MINOR,
        sell_back_rate_basis_points=5_000,
        sell_back_window_days=7,
        layouts=(DraftLayout("Single", (DraftSlot("Card", odds),)),),
    )
    return await _publish(stage, actor, slug=slug, draft=draft)


async def _import_card(stage: Stage, actor: Actor, *, name: str, copies: int, place: str) -> str:
    row = {
        "set_code": "BENCH",
        "set_name": "The Workbench",
        "number": name,
        "name": f"Plane of {name}",
        "tier": "D",
        "value_minor": VALUE_MINOR,
        "kind": "physical",
        "weight_grams": 2,
        "quantity": copies,
        "place": place,
    }
    await import_catalog(
        stage.house,
        ImportCatalog(content=msgspec.json.encode([row]), file_name=f"{name}.json", actor=actor),
    )
    return f"BENCH-{name}"


async def _publish(stage: Stage, actor: Actor, *, slug: str, draft: Draft) -> str:
    await save_pack_draft(stage.house, SavePackDraft(slug, draft, actor))
    await publish_pack(stage.house, PublishPack(slug, actor))
    await asyncio.sleep(SEEN_SECONDS)
    return slug


async def _owner(stage: Stage) -> Actor:
    async with stage.house.database.connection() as connection:
        found = await accounts.find_credentials(connection, email=DEMO_OWNER_EMAIL)
    if found is None:
        raise Breach("The stage has no owner.")
    return Actor(user_id=found.user_id, username="demo-owner", request_id="bench")
