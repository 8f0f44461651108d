"""Packs, for operators: drafts, simulations, publication. A published version never changes."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import get, post, put
from litestar.params import FromPath, JSONBody

from packhouse import draws
from packhouse.draws import PackConfig, PackDraft, PackRow, PackVersionRow
from packhouse.flows.publish_pack import (
    PublishPack,
    SavePackDraft,
    WithdrawPack,
    get_pack,
    publish_pack,
    save_pack_draft,
    withdraw_pack,
)
from packhouse.flows.simulate_pack import (
    SIMULATED_OPENINGS_MAX,
    SIMULATION_SEED_LENGTH_MAX,
    CardCover,
    PackSimulation,
    Percentile,
    SimulatePack,
    simulate_pack,
)
from packhouse.foundation.identifiers import LotId, PackId, PackVersionId, UserId
from packhouse.foundation.tiers import Tier
from packhouse.house import House
from packhouse.web.api.admin.figures import (
    ProspectFigures,
    Ratio,
    TierFigure,
    prospect_figures,
    ratio_of,
    tier_figures,
)
from packhouse.web.api.admin.reasons import Reason
from packhouse.web.api.pages_of_results import ResultPage
from packhouse.web.api.requests import ApiRequest
from packhouse.web.context import context_of

SIMULATED_OPENINGS_DEFAULT = 2_000

Position = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
"""Where a pack stands in the shop's list; the lowest comes first."""


class NewPack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A pack to make, with its first draft."""

    slug: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    draft: PackDraft
    position: Position | None = None


class PackEdit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to work on from here; what is on sale stays as it was published."""

    draft: PackDraft
    position: Position | None = None


class Publication(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``reason`` is needed when the pack pays back its price or more on average."""

    reason: Reason | None = None


class Withdrawal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a pack goes off sale."""

    reason: Reason


class Simulation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to try: this draft or the kept one, so many packs, the same again with the same seed."""

    draft: PackDraft | None = None
    openings: Annotated[int, msgspec.Meta(ge=1, le=SIMULATED_OPENINGS_MAX)] = (
        SIMULATED_OPENINGS_DEFAULT
    )
    seed: Annotated[str, msgspec.Meta(max_length=SIMULATION_SEED_LENGTH_MAX)] | None = None


class OperatorPack(msgspec.Struct, frozen=True):
    """A pack with its draft; ``is_paused`` while it rests for want of a card."""

    id: PackId
    slug: str
    position: int
    image_url: str | None
    draft: PackDraft | None
    version: int | None
    published_at: datetime | None
    withdrawn_at: datetime | None
    is_on_sale: bool
    is_paused: bool
    created_at: datetime


class PublishedVersion(msgspec.Struct, frozen=True):
    """One published version, as it was hashed, and what it promises."""

    id: PackVersionId
    number: int
    config_hash: str
    config: PackConfig
    prospect: ProspectFigures
    lot_id: LotId | None
    reason: str | None
    published_by: UserId
    published_at: datetime


class NewVersion(msgspec.Struct, frozen=True):
    """What went on sale just now."""

    slug: str
    number: int
    config_hash: str
    prospect: ProspectFigures


class CoverFigures(msgspec.Struct, frozen=True):
    """How far the free copies of a card reach, in packs; ``is_short`` forbids publication."""

    code: str
    name: str
    tier: Tier
    copies: int
    expected_per_pack: Ratio
    packs_covered: int
    is_short: bool


class StockFigures(msgspec.Struct, frozen=True):
    """Sell-through: after how many packs the first card is gone on average, scarcest cards first.

    ``packs_covered`` is null when every card is digital.
    """

    packs_covered: int | None
    cards_short: int
    cards: tuple[CoverFigures, ...]
    cards_left_out: int


class SpreadFigures(msgspec.Struct, frozen=True):
    """What simulated packs gave; a payout is what selling a whole pack back at once would bring."""

    seed: str
    openings: int
    mean_value: Ratio
    mean_payout: Ratio
    lowest_payout: int
    highest_payout: int
    packs_at_price: int
    percentiles: tuple[Percentile, ...]


class SimulationFigures(msgspec.Struct, frozen=True):
    """A pack before anybody opens it: exact averages, stock, and the spread of a sample."""

    prospect: ProspectFigures
    cards_per_pack: int
    tiers: tuple[TierFigure, ...]
    stock: StockFigures
    spread: SpreadFigures


@get("/packs")
async def list_operator_packs(request: ApiRequest) -> ResultPage[OperatorPack]:
    """Every pack there is, in the shop's order; shops have few, so there is one page."""
    house = context_of(request.scope).house
    async with house.database.reading() as connection:
        rows = await draws.list_all_packs(connection)
    return ResultPage(items=tuple(_pack(house, row) for row in rows), next_cursor=None)


@post("/packs", status_code=201)
async def create_pack(request: ApiRequest, data: JSONBody[NewPack]) -> OperatorPack:
    """Make a pack with a draft; nothing is on sale until a version is published."""
    context = context_of(request.scope)
    async with context.house.database.connection() as connection:
        if await draws.find_pack(connection, data.slug) is not None:
            raise draws.SlugTaken(f"There is a pack {data.slug!r} already. Change its draft.")
    command = SavePackDraft(
        slug=data.slug, draft=data.draft, actor=context.actor(), position=data.position
    )
    return _pack(context.house, await save_pack_draft(context.house, command))


@get("/packs/{slug:str}")
async def get_operator_pack(request: ApiRequest, slug: FromPath[str]) -> OperatorPack:
    """One pack with its draft."""
    house = context_of(request.scope).house
    async with house.database.reading() as connection:
        return _pack(house, await get_pack(connection, slug))


@put("/packs/{slug:str}")
async def update_pack(
    request: ApiRequest, slug: FromPath[str], data: JSONBody[PackEdit]
) -> OperatorPack:
    """Keep another draft; what is on sale does not change."""
    context = context_of(request.scope)
    async with context.house.database.connection() as connection:
        await get_pack(connection, slug)
    command = SavePackDraft(
        slug=slug, draft=data.draft, actor=context.actor(), position=data.position
    )
    return _pack(context.house, await save_pack_draft(context.house, command))


@get("/packs/{slug:str}/versions")
async def list_versions(request: ApiRequest, slug: FromPath[str]) -> ResultPage[PublishedVersion]:
    """Everything that was ever published of a pack, newest first, on one page."""
    house = context_of(request.scope).house
    async with house.database.reading() as connection:
        pack = await get_pack(connection, slug)
        rows = await draws.list_pack_versions(connection, pack.id)
    return ResultPage(items=tuple(_version(row) for row in rows), next_cursor=None)


@post("/packs/{slug:str}/versions", status_code=201)
async def create_version(
    request: ApiRequest, slug: FromPath[str], data: JSONBody[Publication]
) -> NewVersion:
    """Publish the draft: it goes on sale now and never changes again."""
    context = context_of(request.scope)
    published = await publish_pack(
        context.house, PublishPack(slug=slug, actor=context.actor(), reason=data.reason)
    )
    return NewVersion(
        slug=published.slug,
        number=published.number,
        config_hash=published.config_hash,
        prospect=prospect_figures(published.prospect),
    )


@post("/packs/{slug:str}/withdrawal", status_code=201)
async def create_withdrawal(
    request: ApiRequest, slug: FromPath[str], data: JSONBody[Withdrawal]
) -> OperatorPack:
    """Take a pack off sale; publishing it again puts it back."""
    context = context_of(request.scope)
    command = WithdrawPack(slug=slug, reason=data.reason, actor=context.actor())
    await withdraw_pack(context.house, command)
    async with context.house.database.connection() as connection:
        return _pack(context.house, await get_pack(connection, slug))


@post("/packs/{slug:str}/simulation", status_code=200)
async def simulate(
    request: ApiRequest, slug: FromPath[str], data: JSONBody[Simulation]
) -> SimulationFigures:
    """Look ahead: expected value, margin, tiers, stock, and the spread of many opened packs.

    Nothing is written. A draft in the body need not be kept, nor the pack exist.
    """
    house = context_of(request.scope).house
    command = SimulatePack(slug=slug, draft=data.draft, openings=data.openings, seed=data.seed)
    return _simulation(await simulate_pack(house, command))


def _pack(house: House, row: PackRow) -> OperatorPack:
    return OperatorPack(
        id=row.id,
        slug=row.slug,
        position=row.position,
        image_url=None if row.picture is None else house.media.url_of(row.picture),
        draft=None if row.draft is None else msgspec.convert(row.draft, PackDraft),
        version=row.version_number,
        published_at=row.published_at,
        withdrawn_at=row.withdrawn_at,
        is_on_sale=row.current_version_id is not None and row.withdrawn_at is None,
        is_paused=row.is_paused,
        created_at=row.created_at,
    )


def _version(row: PackVersionRow) -> PublishedVersion:
    config = draws.parse_config(row.config)
    return PublishedVersion(
        id=row.id,
        number=row.number,
        config_hash=row.config_hash.hex(),
        config=config,
        prospect=prospect_figures(draws.prospect_of(config)),
        lot_id=row.lot_id,
        reason=row.reason,
        published_by=row.published_by,
        published_at=row.published_at,
    )


def _simulation(found: PackSimulation) -> SimulationFigures:
    return SimulationFigures(
        prospect=prospect_figures(found.prospect),
        cards_per_pack=found.cards_per_pack,
        tiers=tier_figures(found.cards_by_tier),
        stock=StockFigures(
            packs_covered=found.stock.packs_covered,
            cards_short=found.stock.cards_short,
            cards=tuple(_cover(cover) for cover in found.stock.cards),
            cards_left_out=found.stock.cards_left_out,
        ),
        spread=SpreadFigures(
            seed=found.spread.seed,
            openings=found.spread.openings,
            mean_value=ratio_of(found.spread.mean_value),
            mean_payout=ratio_of(found.spread.mean_payout),
            lowest_payout=found.spread.lowest_payout,
            highest_payout=found.spread.highest_payout,
            packs_at_price=found.spread.packs_at_price,
            percentiles=found.spread.percentiles,
        ),
    )


def _cover(cover: CardCover) -> CoverFigures:
    return CoverFigures(
        code=cover.code,
        name=cover.name,
        tier=cover.tier,
        copies=cover.copies,
        expected_per_pack=ratio_of(cover.expected_per_pack),
        packs_covered=cover.packs_covered,
        is_short=cover.is_short,
    )


PACK_HANDLERS = [
    list_operator_packs,
    create_pack,
    get_operator_pack,
    update_pack,
    list_versions,
    create_version,
    create_withdrawal,
    simulate,
]
