"""An operator looks ahead before publishing: what a pack pays, how widely, how long stock lasts.

Averages are exact fractions. How far single packs stray from them is shown by opening many of them
with the very functions that real openings use, under a seed that has nothing to do with anybody's
draws. Nothing is written and nothing is locked.
"""

import asyncio
import hashlib
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Final

import msgspec

from packhouse import catalog, draws
from packhouse.draws import LotItem, LotPrize, LotTerms, PackConfig, PackDraft, Prospect
from packhouse.flows.publish_pack import get_pack, preview_pack
from packhouse.foundation.errors import FieldError, InvalidInput
from packhouse.foundation.identifiers import CardId
from packhouse.foundation.money import share_of
from packhouse.foundation.tiers import Tier
from packhouse.house import House
from packhouse.plumbing.postgres import ReadConnection

SIMULATED_OPENINGS_MAX: Final = 20_000
SIMULATED_LOT_DRAWS_MAX: Final = 20_000
"""A lot's draw looks through what is left of it, so fewer are drawn."""

SIMULATION_SEED_LENGTH_MAX: Final = 128
COVERS_SHOWN_MAX: Final = 200
PERCENTS: Final = (1, 5, 10, 25, 50, 75, 90, 95, 99)

_SEED_BYTES: Final = 16
_USER_KEY: Final = bytes(16)
_CLIENT_SEED: Final = "simulation"


class SimulatePack(msgspec.Struct, frozen=True):
    """Which draft to try, the one kept under the slug when None, and how many packs to open.

    The same draft and seed give the same openings; without a seed there is a fresh one.
    """

    slug: str
    draft: PackDraft | None
    openings: int
    seed: str | None = None


class CardCover(msgspec.Struct, frozen=True):
    """How far the free copies of one card reach: ``packs_covered`` packs on average.

    ``is_short`` when the pack cannot be published with so few: none at all for an odds pack, fewer
    than the prize list promises for a lot.
    """

    code: str
    name: str
    tier: Tier
    copies: int
    expected_per_pack: Fraction
    packs_covered: int
    is_short: bool


class StockOutlook(msgspec.Struct, frozen=True):
    """How stock sells through: the scarcest cards first, ``cards_left_out`` of them not listed.

    ``packs_covered`` is how many packs sell on average before the first card is out of stock; None
    when every card is digital.
    """

    packs_covered: int | None
    cards_short: int
    cards: tuple[CardCover, ...]
    cards_left_out: int


class Percentile(msgspec.Struct, frozen=True):
    """``percent`` of the packs were worth, and paid back, at most this much, in minor units."""

    percent: int
    value: int
    payout: int


class PayoutSpread(msgspec.Struct, frozen=True):
    """What simulated packs gave. A payout is what selling a whole pack back at once would bring.

    ``packs_at_price`` are those that would have paid their price back, or more.
    """

    seed: str
    openings: int
    mean_value: Fraction
    mean_payout: Fraction
    lowest_payout: int
    highest_payout: int
    packs_at_price: int
    percentiles: tuple[Percentile, ...]


class PackSimulation(msgspec.Struct, frozen=True):
    """All that is known of a pack before anybody opens it. Amounts in minor units."""

    prospect: Prospect
    cards_per_pack: int
    cards_by_tier: Mapping[Tier, Fraction]
    stock: StockOutlook
    spread: PayoutSpread


async def simulate_pack(house: House, command: SimulatePack) -> PackSimulation:
    """Look ahead. Raises ``InvalidInput`` for a draft that cannot be composed, ``PackNotFound``."""
    _require_valid(command)
    draft = command.draft
    if draft is None:
        async with house.database.reading() as connection:
            kept = (await get_pack(connection, command.slug)).draft
        if kept is None:
            raise InvalidInput("This pack has no draft to simulate. Save one first.")
        draft = msgspec.convert(kept, PackDraft)
    config = await preview_pack(house, command.slug, draft)
    async with house.database.reading() as connection:
        stock = await _look_at_stock(connection, config)
    seed = house.entropy(_SEED_BYTES).hex() if command.seed is None else command.seed
    spread = await asyncio.to_thread(
        spread_of_payouts, config, openings=command.openings, seed=seed
    )
    return PackSimulation(
        prospect=draws.prospect_of(config),
        cards_per_pack=draws.cards_in_a_pack(config),
        cards_by_tier=draws.expected_count_by_tier(config),
        stock=stock,
        spread=spread,
    )


def spread_of_payouts(config: PackConfig, *, openings: int, seed: str) -> PayoutSpread:
    """Open ``openings`` packs, of a lot as many as it has, and measure them. Pure and exact."""
    rate = config.sell_back.rate_basis_points
    values, payouts = [], []
    for cards in _open_packs(config, openings=openings, seed=seed):
        values.append(sum(cards))
        payouts.append(sum(share_of(value, rate_basis_points=rate) for value in cards))
    count = len(values)
    values.sort()
    payouts.sort()
    return PayoutSpread(
        seed=seed,
        openings=count,
        mean_value=Fraction(sum(values), count),
        mean_payout=Fraction(sum(payouts), count),
        lowest_payout=payouts[0],
        highest_payout=payouts[-1],
        packs_at_price=sum(payout >= config.price for payout in payouts),
        percentiles=tuple(
            Percentile(percent, _at(values, percent), _at(payouts, percent)) for percent in PERCENTS
        ),
    )


def _at(ordered: Sequence[int], percent: int) -> int:
    """The nearest rank: the smallest number that ``percent`` of all do not exceed."""
    return ordered[math.ceil(Fraction(percent * len(ordered), 100)) - 1]


def _open_packs(config: PackConfig, *, openings: int, seed: str) -> Iterator[list[int]]:
    """The values of each pack's cards."""
    server_seed = hashlib.sha256(seed.encode()).digest()
    config_hash = draws.hash_of(draws.canonical_config(config))
    if config.lot is not None:
        yield from _open_lot(config.lot, openings=openings, lot_seed=server_seed, root=config_hash)
        return
    compiled = draws.compile_config(config, config_hash)
    for nonce in range(openings):
        outcome = draws.decide(
            compiled,
            server_seed=server_seed,
            user_key=_USER_KEY,
            nonce=nonce,
            client_seed=_CLIENT_SEED,
        )
        yield [card.value for card in outcome.cards]


def _open_lot(
    terms: LotTerms, *, openings: int, lot_seed: bytes, root: bytes
) -> Iterator[list[int]]:
    size = terms.cards_per_pack
    packs = min(openings, terms.packs, SIMULATED_LOT_DRAWS_MAX // size)
    # One item for each prize stands in all its places: only its value is looked at.
    remaining = [item for prize in terms.prizes for item in [_item(prize)] * prize.count]
    drawn = draws.decide_lot(
        lot_seed=lot_seed,
        manifest_root=root,
        first_draw=0,
        draws=packs * size,
        user_key=_USER_KEY,
        client_seed=_CLIENT_SEED,
        remaining=remaining,
    )
    for pack in range(packs):
        values = [draw.item.value for draw in drawn[pack * size : (pack + 1) * size]]
        if pack == terms.packs - 1 and terms.last_one is not None:
            values.append(terms.last_one.value)
        yield values


def _item(prize: LotPrize) -> LotItem:
    return LotItem(
        position=0,
        card=prize.card,
        stock_item_id=None,
        tier=prize.tier,
        value=prize.value,
        is_last_one=False,
    )


async def _look_at_stock(connection: ReadConnection, config: PackConfig) -> StockOutlook:
    expected = _expected_copies(config)
    copies = Counter(await catalog.count_stock_by_card(connection, expected))
    if config.lot is not None:
        # A lot may also take what the house keeps back; an odds pack sells what is on sale.
        for card_id, places in (await catalog.count_stock_by_place(connection, expected)).items():
            copies[card_id] += places.get("house", 0)
    needed = 1 if config.lot is None else config.lot.packs
    covers = []
    for card in await catalog.list_cards(connection, expected):
        covered = math.floor(copies[card.id] / expected[card.id])
        is_short = copies[card.id] == 0 if config.lot is None else covered < needed
        covers.append(
            CardCover(
                code=f"{card.set_code}-{card.number}",
                name=card.name,
                tier=card.tier,
                copies=copies[card.id],
                expected_per_pack=expected[card.id],
                packs_covered=covered,
                is_short=is_short,
            )
        )
    covers.sort(key=lambda cover: (cover.packs_covered, cover.code))
    return StockOutlook(
        packs_covered=covers[0].packs_covered if covers else None,
        cards_short=sum(cover.is_short for cover in covers),
        cards=tuple(covers[:COVERS_SHOWN_MAX]),
        cards_left_out=max(0, len(covers) - COVERS_SHOWN_MAX),
    )


def _expected_copies(config: PackConfig) -> dict[CardId, Fraction]:
    """How many copies of each physical card one pack takes on average."""
    expected = {
        chance.card: chance.expected_count
        for chance in draws.list_card_chances(config)
        if chance.physical
    }
    last_one = None if config.lot is None else config.lot.last_one
    if config.lot is not None and last_one is not None and last_one.physical:
        before = expected.get(last_one.card, Fraction(0))
        expected[last_one.card] = before + Fraction(1, config.lot.packs)
    return expected


def _require_valid(command: SimulatePack) -> None:
    errors = []
    if not 1 <= command.openings <= SIMULATED_OPENINGS_MAX:
        errors.append(FieldError("openings", f"must be from 1 to {SIMULATED_OPENINGS_MAX:,}"))
    if command.seed is not None and len(command.seed) > SIMULATION_SEED_LENGTH_MAX:
        errors.append(FieldError("seed", f"at most {SIMULATION_SEED_LENGTH_MAX} characters"))
    if errors:
        raise InvalidInput("The pack was not simulated.", errors)
