"""Drift: whether what came out of a version agrees with the odds that it published.

Each table of odds (the tiers of a slot, and how often each layout came) is compared with its
weights. Where every cell can expect enough cards, Pearson's chi-square adds up over the tables;
where cells are few, the exact multinomial test counts every outcome that is no likelier than the
one observed. A lot is one table drawn without replacement: the same with the finite population
correction, or exactly by the multivariate hypergeometric distribution.

Odds are exact; a p-value is a measurement, and the only float here.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Final

import msgspec

from packhouse.draws.model import Layout, LotTerms, PackConfig
from packhouse.foundation.tiers import TIERS, Tier

EXPECTED_MIN: Final = 5
"""Chi-square is trusted from this many expected in each cell on (Cochran's rule)."""

OUTCOMES_MAX: Final = 2_000
"""How many outcomes the exact test looks at; more are pooled into two cells first."""

ALARM_LEVEL: Final = 0.001
"""The chance that an honest shop alarms at all, shared out among all versions looked at."""

RARE_MAX: Final = 300
"""How many more of two lines' rarer one, of which fewer than ``EXPECTED_MIN`` are expected, the
exact test looks at than came: what lies beyond has a chance below 1e-300."""

TIES: Final = 1e-7
"""Logarithms of likelihoods that differ by less are equal, but for rounding."""


class TierCell(msgspec.Struct, frozen=True, order=True):
    """One tier of one table of odds; ``layout`` and ``slot`` are empty for a lot, which has one."""

    config_hash: bytes
    layout: str
    slot: str
    tier: Tier


class TierTally(msgspec.Struct, frozen=True):
    """How many cards of a tier came, and how many the odds promise of as many cards."""

    tier: Tier
    cards: int
    expected: Fraction


class Drift(msgspec.Struct, frozen=True):
    """What came out of one version against its odds.

    ``p_value`` is how often honest draws differ from the odds at least as much; None while nothing
    was drawn. ``tiers`` add up all slots.
    """

    cards: int
    tiers: tuple[TierTally, ...]
    p_value: float | None


class Cell(msgspec.Struct, frozen=True):
    """One line of a table: how it is called, how many came, and its weight.

    The weight of a lot's line is the number of its copies.
    """

    name: str
    count: int
    weight: int


class Table(msgspec.Struct, frozen=True):
    """Lines that one draw chooses among; ``is_finite`` when it draws without replacement."""

    cells: tuple[Cell, ...]
    is_finite: bool = False

    @property
    def drawn(self) -> int:
        """How many came altogether."""
        return sum(cell.count for cell in self.cells)

    @property
    def weight(self) -> int:
        """The weights' sum; for a lot, its size."""
        return sum(cell.weight for cell in self.cells)

    def expected(self, cell: Cell) -> Fraction:
        """How many of ``cell`` the odds promise of as many as came."""
        return Fraction(self.drawn * cell.weight, self.weight)


def measure_drift(config: PackConfig, counts: Mapping[TierCell, int]) -> Drift:
    """Compare a version's counted cards with what it published.

    Cards that the odds do not have at all are impossible: the p-value is 0.
    """
    tables = _slot_tables(config, counts)
    cards = sum(counts.values())
    tallies: dict[str, tuple[int, Fraction]] = {}
    for table in tables:
        for cell in table.cells:
            came, expected = tallies.get(cell.name, (0, Fraction(0)))
            tallies[cell.name] = (came + cell.count, expected + table.expected(cell))
    is_possible = cards == sum(table.drawn for table in tables)
    # Ways of the same name cannot be told apart in the counts.
    if 1 < len(config.layouts) == len({layout.name for layout in config.layouts}):
        tables.append(_layout_table(config.layouts, counts))
    return Drift(
        cards=cards,
        tiers=tuple(TierTally(tier, *tallies[tier]) for tier in TIERS if tier in tallies),
        p_value=None if cards == 0 else p_value_of(tables) if is_possible else 0.0,
    )


def alarm_threshold(versions: int) -> float:
    """Below which p-value to worry when so many versions are looked at (Bonferroni)."""
    return ALARM_LEVEL / max(1, versions)


def p_value_of(tables: Sequence[Table]) -> float:
    """How often honest draws differ from the weights at least as much as these tables do.

    The chi-squares of large tables add up to one test; each small table is a test of its own. The
    smallest p-value of several tests is multiplied by their number (Bonferroni).
    """
    statistic, degrees = Fraction(0), 0
    p_values: list[float] = []
    for table in tables:
        if table.is_finite and any(cell.count > cell.weight for cell in table.cells):
            return 0.0
        smaller = _smaller_side(table)
        if not smaller.drawn:
            continue
        pooled = _pooled(smaller)
        is_small = len(pooled.cells) < len(smaller.cells)
        if is_small and (len(pooled.cells) == 1 or _count_outcomes(smaller) <= OUTCOMES_MAX):
            p_values.append(exact_p_value(smaller))
        else:
            statistic += chi_square_of(pooled)
            degrees += len(pooled.cells) - 1
    if degrees:
        p_values.append(chi_square_tail(float(statistic), degrees=degrees))
    return min(1.0, len(p_values) * min(p_values)) if p_values else 1.0


def chi_square_of(table: Table) -> Fraction:
    """Pearson's statistic, exactly; of a lot with the correction (N - 1) / (N - n)."""
    statistic = sum(
        ((cell.count - table.expected(cell)) ** 2 / table.expected(cell) for cell in table.cells),
        Fraction(0),
    )
    if not table.is_finite or statistic == 0:
        return statistic
    return statistic * Fraction(table.weight - 1, table.weight - table.drawn)


def chi_square_tail(statistic: float, *, degrees: int) -> float:
    """The chance that chi-square with whole ``degrees`` of freedom is at least ``statistic``.

    Closed forms: M. Abramowitz and I. A. Stegun, Handbook of Mathematical Functions (1964),
    26.4.4 for odd and 26.4.5 for even degrees.
    """
    half = statistic / 2
    if degrees % 2:
        tail, term = math.erfc(math.sqrt(half)), math.exp(-half) * 2 * math.sqrt(half / math.pi)
        divisor = 1.5
    else:
        tail, term = 0.0, math.exp(-half)
        divisor = 1.0
    for _ in range(degrees // 2):
        tail += term
        term *= half / divisor
        divisor += 1
    return min(1.0, tail)


def exact_p_value(table: Table) -> float:
    """The chance of all outcomes that are no likelier than what came.

    With too many outcomes to look at, every line but the likeliest is pooled into one.
    """
    cells = sorted(table.cells, key=_weight)
    if _count_outcomes(table) > OUTCOMES_MAX:
        cells = [_joined(cells[:-1]), cells[-1]]
    table = Table(tuple(cells), is_finite=table.is_finite)
    bound = _log_likelihood(table, [cell.count for cell in table.cells]) + TIES
    outcomes = (_log_likelihood(table, counts) for counts in _outcomes(table))
    return min(1.0, math.fsum(math.exp(each) for each in outcomes if each <= bound))


def _slot_tables(config: PackConfig, counts: Mapping[TierCell, int]) -> list[Table]:
    shares = _lot_shares(config.lot) if config.lot is not None else _slot_shares(config.layouts)
    came: dict[tuple[str, str], dict[Tier, int]] = {place: {} for place in shares}
    for cell, cards in counts.items():
        tiers = came.setdefault((cell.layout, cell.slot), {})
        tiers[cell.tier] = tiers.get(cell.tier, 0) + cards
    is_finite = config.lot is not None
    return [_tier_table(shares[place], came[place], is_finite=is_finite) for place in shares]


def _lot_shares(terms: LotTerms) -> dict[tuple[str, str], dict[Tier, Fraction]]:
    copies: dict[Tier, Fraction] = {}
    for prize in terms.prizes:
        copies[prize.tier] = copies.get(prize.tier, Fraction(0)) + prize.count
    return {("", ""): copies}


def _slot_shares(
    layouts: Sequence[Layout],
) -> dict[tuple[str, str], dict[Tier, Fraction]]:
    """Each tier's weight in each place; slots of the same name are counted as one mixed table.

    The cards of a mixed table vary less than those of one table with the same shares, so that its
    p-value is no smaller than the true one.
    """
    shares: dict[tuple[str, str], dict[Tier, Fraction]] = {}
    for layout in layouts:
        for slot in layout.slots:
            mixed = shares.setdefault((layout.name, slot.name), {})
            total = sum(tier.weight for tier in slot.odds)
            for tier in slot.odds:
                share = layout.weight * slot.count * Fraction(tier.weight, total)
                mixed[tier.tier] = mixed.get(tier.tier, Fraction(0)) + share
    return shares


def _tier_table(
    shares: Mapping[Tier, Fraction], counts: Mapping[Tier, int], *, is_finite: bool
) -> Table:
    scale = math.lcm(*(share.denominator for share in shares.values()))
    return Table(
        tuple(
            Cell(tier, counts.get(tier, 0), int(shares[tier] * scale))
            for tier in TIERS
            if tier in shares
        ),
        is_finite=is_finite,
    )


def _layout_table(layouts: Sequence[Layout], counts: Mapping[TierCell, int]) -> Table:
    """How many packs came of each layout: its cards divided by how many each pack of it has."""
    cards: dict[str, int] = {}
    for cell, count in counts.items():
        cards[cell.layout] = cards.get(cell.layout, 0) + count
    return Table(
        tuple(
            Cell(
                layout.name,
                cards.get(layout.name, 0) // sum(slot.count for slot in layout.slots),
                layout.weight,
            )
            for layout in layouts
        )
    )


def _smaller_side(table: Table) -> Table:
    """What is left of a lot says as much as what came; the smaller side is the easier to count."""
    if not table.is_finite or 2 * table.drawn <= table.weight:
        return table
    cells = tuple(Cell(cell.name, cell.weight - cell.count, cell.weight) for cell in table.cells)
    return Table(cells, is_finite=True)


def _pooled(table: Table) -> Table:
    """The lightest lines joined until each can expect enough for chi-square."""
    pooled: list[Cell] = []
    waiting: list[Cell] = []
    for cell in sorted(table.cells, key=_weight):
        waiting.append(cell)
        joined = _joined(waiting)
        if table.expected(joined) >= EXPECTED_MIN:
            pooled.append(joined)
            waiting = []
    if waiting:
        pooled = [*pooled[:-1], _joined([*pooled[-1:], *waiting])]
    return Table(tuple(pooled), is_finite=table.is_finite)


def _joined(cells: Sequence[Cell]) -> Cell:
    return Cell(
        name=" ".join(cell.name for cell in cells),
        count=sum(cell.count for cell in cells),
        weight=sum(cell.weight for cell in cells),
    )


def _weight(cell: Cell) -> int:
    return cell.weight


def _count_outcomes(table: Table) -> int:
    """In how many ways as many cards can fall into the lines."""
    lines = len(table.cells)
    return math.comb(table.drawn + lines - 1, lines - 1)


def _outcomes(table: Table) -> Iterator[tuple[int, ...]]:
    """Every way in which as many cards can fall into the lines, the lightest line first.

    Of two lines the lighter one, which is rare, is counted up to ``RARE_MAX`` beyond what came.
    """
    limits = [
        min(cell.weight, table.drawn) if table.is_finite else table.drawn for cell in table.cells
    ]
    if len(limits) == 2:
        limits[0] = min(limits[0], table.cells[0].count + RARE_MAX)
    return _ways(limits, table.drawn)


def _ways(limits: Sequence[int], total: int) -> Iterator[tuple[int, ...]]:
    first, *others = limits
    if not others:
        if total <= first:
            yield (total,)
        return
    for count in range(min(first, total) + 1):
        for rest in _ways(others, total - count):
            yield (count, *rest)


def _log_likelihood(table: Table, counts: Sequence[int]) -> float:
    """Multinomial; of a lot, multivariate hypergeometric."""
    pairs = list(zip(counts, table.cells, strict=True))
    if table.is_finite:
        ways = math.fsum(_log_choose(cell.weight, count) for count, cell in pairs)
        return ways - _log_choose(table.weight, table.drawn)
    return math.lgamma(table.drawn + 1) + math.fsum(
        count * math.log(cell.weight / table.weight) - math.lgamma(count + 1)
        for count, cell in pairs
    )


def _log_choose(of: int, count: int) -> float:
    return math.lgamma(of + 1) - math.lgamma(count + 1) - math.lgamma(of - count + 1)
