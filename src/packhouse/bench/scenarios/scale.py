"""``scale``: the hot queries over ten thousand, a million and ten million user cards and pulls.

Each size is a database of its own on the bench's server, filled by COPY with all indexes in place,
and all are there at the same time: the sizes take turns query by query, so that a slow minute of
the machine is everybody's. Times are the server's own, planning and execution of a prepared
statement, without network and client; arguments are by chance.

*Warm* is the ratio's measure: arguments out of a set of which each was asked before, as many at
every size, so that what they need is in ``shared_buffers``. *Anywhere* asks what nobody has asked:
of the largest size most of that is in the operating system's cache, or on the disk, which says how
much memory such a shop wants and not how the query grows; it is told beside.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from statistics import median
from typing import Any, Final

import msgspec

from packhouse.bench.bulk import load_bulk, settle_bulk
from packhouse.bench.bulk_shop import BulkShop
from packhouse.bench.explain import Explained, explain_prepared, prepare_named
from packhouse.bench.hot_queries import HOT_QUERIES, HotQuery
from packhouse.bench.latencies import Latencies
from packhouse.bench.model import Line, Measurement, Options, Outcome, Plot, Ratio, RouteTimes
from packhouse.bench.plots import short_number
from packhouse.bench.scenario import Scenario
from packhouse.bench.servers import further_database
from packhouse.bench.statements import (
    is_superuser,
    list_top_statements,
    prepare_statements,
)
from packhouse.bench.workbench import Workbench
from packhouse.foundation.limits import RELAY_BATCH_EVENTS
from packhouse.plumbing.postgres import Connection, open_database
from packhouse.plumbing.schema_state import migrate_database

SIZES: Final = (10_000, 1_000_000, 10_000_000)
QUICK_SIZES: Final = (2_000, 20_000)
ARGUMENTS: Final = 60
"""Different arguments of each query at each size; about 300 pages for one of each, so that those of
three sizes are some 400 MB at the most."""
EXECUTIONS: Final = 200
"""Of each query at each size in one round."""
QUICK_EXECUTIONS: Final = 20
COUNTED: Final = 20
"""Executions at the end whose pages are counted; of the timed ones they are not: it takes time."""
MUST: Final = 1.5
AIM: Final = 1.2
SEED: Final = 10_000_000


class Size(msgspec.Struct, frozen=True):
    """One filled database and our connection to it."""

    shop: BulkShop
    connection: Connection

    @property
    def name(self) -> str:
        """Such as ``10M``."""
        return short_number(self.shop.user_cards)


class Series(msgspec.Struct):
    """What one query took at one size: medians by round, all times, and times anywhere.

    ``pages`` are those of one execution, ``missed`` the share that was not in ``shared_buffers``.
    """

    warm: Latencies
    medians_ms: list[float] = []
    total_ms: list[float] = []
    anywhere_ms: list[float] = []
    pages: int = 0
    missed: float = 0.0

    @property
    def median_ms(self) -> float:
        """The median of the rounds' medians."""
        return median(self.medians_ms)


Found = dict[tuple[str, int], Series]


async def run(workbench: Workbench, outcome: Outcome) -> None:
    """Fill, warm up, measure in turns, and hold the largest size against the smallest."""
    options = workbench.options
    wanted = options.sizes or (QUICK_SIZES if options.is_quick else SIZES)
    async with AsyncExitStack() as stack:
        sizes = [
            await stack.enter_async_context(_open_size(workbench, outcome, user_cards=user_cards))
            for user_cards in sorted(wanted)
        ]
        outcome.notes.append(await _conditions(sizes))
        found: Found = {}
        chance = Random(SEED)  # noqa: S311 - chance to repeat
        asked = await _warm_up(workbench, sizes, found, chance)
        for number in range(options.rounds):
            for query in HOT_QUERIES:
                workbench.show(f"{query.name}, round {number + 1} of {options.rounds}")
                # Each round begins with another size, so that none always follows the same one.
                for step in range(len(sizes)):
                    size = sizes[(number + step) % len(sizes)]
                    series = found[query.name, size.shop.user_cards]
                    await _one_turn(size, query, asked, series, options, chance)
        for query in HOT_QUERIES:
            for size in sizes:
                key = query.name, size.shop.user_cards
                await _count_pages(size, query, asked[key], found[key])
        _tell(outcome, sizes, found)
        if await prepare_statements(sizes[-1].connection):
            outcome.statements += await list_top_statements(sizes[-1].connection)


@asynccontextmanager
async def _open_size(
    workbench: Workbench, outcome: Outcome, *, user_cards: int
) -> AsyncIterator[Size]:
    """A database with that many cards; it is gone at the end."""
    shop = BulkShop(user_cards=user_cards, waiting=RELAY_BATCH_EVENTS)
    name = short_number(user_cards)

    def tell(rows: int) -> None:
        workbench.show(f"{name}: {rows:,} rows")

    workbench.say(f"Filling a shop with {user_cards:,} user cards and pulls …")
    async with (
        further_database(workbench.stage.servers) as url,
        _connected(url) as connection,
    ):
        await migrate_database(url)
        async with _connected(url) as another:
            loaded = await load_bulk((connection, another), shop, tell=tell)
        outcome.figures[f"bulk_rows_{name}"] = loaded.rows
        outcome.figures[f"bulk_rows_per_second_{name}"] = loaded.rows_per_second
        workbench.say(f"Wrote {loaded.rows:,} rows, {loaded.rows_per_second:,.0f} a second.")
        await settle_bulk(connection)
        if await is_superuser(connection):
            await connection.execute("CHECKPOINT")
        for query in HOT_QUERIES:
            await prepare_named(connection, query.name, query.statement)
        yield Size(shop, connection)


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Connection]:
    async with (
        open_database(
            url, pool_size=1, statement_timeout_ms=0, connect_timeout_seconds=10
        ) as database,
        database.connection() as connection,
    ):
        yield connection


async def _conditions(sizes: Sequence[Size]) -> str:
    connection = sizes[0].connection
    buffers = await connection.fetchval("SHOW shared_buffers")
    plans = await connection.fetchval("SHOW plan_cache_mode")
    bytes_of = [f"{size.name} {await size.connection.fetchval(_DATABASE_SIZE)}" for size in sizes]
    return (
        f"shared_buffers {buffers}; databases {', '.join(bytes_of)}, indexes in place while they"
        f" were filled, vacuumed and analysed. Times: planning and execution of a prepared"
        f" statement on the server, plan_cache_mode {plans}. Warm: {ARGUMENTS} arguments of each"
        " query at each size, each asked before; anywhere: arguments that nobody has asked before."
    )


_DATABASE_SIZE: Final = "SELECT pg_size_pretty(pg_database_size(current_database()))"


async def _warm_up(
    workbench: Workbench, sizes: Sequence[Size], found: Found, chance: Random
) -> dict[tuple[str, int], list[Sequence[Any]]]:
    """Ask everything once, as the application does; gives what was asked."""
    asked: dict[tuple[str, int], list[Sequence[Any]]] = {}
    for query in HOT_QUERIES:
        workbench.show(f"{query.name}, warming up")
        for size in sizes:
            key = query.name, size.shop.user_cards
            asked[key] = [query.ask(size.shop, chance) for _ in range(ARGUMENTS)]
            for arguments in asked[key]:
                async with _undone(size, query):
                    await size.connection.fetch(query.statement, *arguments)
            found[key] = Series(warm=Latencies())
    return asked


async def _count_pages(
    size: Size, query: HotQuery, asked: Sequence[Sequence[Any]], series: Series
) -> None:
    counted = [
        await _explain(size, query, arguments, with_buffers=True) for arguments in asked[:COUNTED]
    ]
    series.pages = round(median(each.buffers for each in counted))
    pages = sum(each.buffers for each in counted)
    series.missed = sum(each.missed for each in counted) / pages if pages else 0.0


async def _one_turn(
    size: Size,
    query: HotQuery,
    asked: dict[tuple[str, int], list[Sequence[Any]]],
    series: Series,
    options: Options,
    chance: Random,
) -> None:
    times = []
    executions = QUICK_EXECUTIONS if options.is_quick else EXECUTIONS
    known = asked[query.name, size.shop.user_cards]
    for _ in range(executions):
        times.append((await _explain(size, query, chance.choice(known))).total_ms)
        series.warm.record(times[-1] / 1000)
    series.medians_ms.append(median(times))
    series.total_ms.append(sum(times))
    for _ in range(executions // 4):
        explained = await _explain(size, query, query.ask(size.shop, chance))
        series.anywhere_ms.append(explained.total_ms)


async def _explain(
    size: Size, query: HotQuery, arguments: Sequence[Any], *, with_buffers: bool = False
) -> Explained:
    async with _undone(size, query):
        return await explain_prepared(
            size.connection, query.name, arguments, with_buffers=with_buffers
        )


@asynccontextmanager
async def _undone(size: Size, query: HotQuery) -> AsyncIterator[None]:
    """Let go of the rows that a query locks, so that the next one finds them free."""
    if not query.locks:
        yield
        return
    await size.connection.execute("BEGIN")
    try:
        yield
    finally:
        await size.connection.execute("ROLLBACK")


def _tell(outcome: Outcome, sizes: Sequence[Size], found: Found) -> None:
    # The headline is the largest shop.
    outcome.measurements += [_measurement(size, found) for size in reversed(sizes)]
    outcome.plots += [
        Plot(
            title=f"{title}: median time of a query by rows, warm",
            x_label="user cards, and as many pulls",
            y_label="milliseconds",
            lines=tuple(_line(query, sizes, found) for query in HOT_QUERIES if query.plot == title),
            has_log_x=True,
        )
        for title in dict.fromkeys(query.plot for query in HOT_QUERIES)
    ]
    small, large = sizes[0], sizes[-1]
    for query in HOT_QUERIES:
        series = [found[query.name, size.shop.user_cards] for size in sizes]
        outcome.ratios.append(_ratio(query, small, large, found))
        outcome.figures[f"{query.name}: pages, {_names(sizes)}"] = " · ".join(
            f"{each.pages}" for each in series
        )
        outcome.figures[f"{query.name}: ms anywhere, {_names(sizes)}"] = " · ".join(
            f"{median(each.anywhere_ms):.3f}" for each in series
        )
    for size in sizes:
        shares = [found[query.name, size.shop.user_cards].missed for query in HOT_QUERIES]
        outcome.figures[f"warm_pages_not_in_shared_buffers_{size.name}"] = max(shares)
    worst = max(outcome.ratios, key=lambda ratio: ratio.value)
    outcome.figures["worst_ratio"] = round(worst.value, 3)
    outcome.figures["worst_ratio_of"] = worst.name


def _names(sizes: Sequence[Size]) -> str:
    return " · ".join(size.name for size in sizes)


def _line(query: HotQuery, sizes: Sequence[Size], found: Found) -> Line:
    users = [size.shop.user_cards for size in sizes]
    return Line(query.name, tuple((each, found[query.name, each].median_ms) for each in users))


def _ratio(query: HotQuery, small: Size, large: Size, found: Found) -> Ratio:
    ours, theirs = (found[query.name, size.shop.user_cards] for size in (large, small))
    by_round = [
        mine / other for mine, other in zip(ours.medians_ms, theirs.medians_ms, strict=True)
    ]
    return Ratio(
        name=f"scale/{query.name}, {large.name} against {small.name}",
        value=ours.median_ms / theirs.median_ms,
        low=min(by_round),
        high=max(by_round),
        generator_per_second=None,
        # The times are the server's own: there is no generator that could be too slow.
        is_counted=True,
        must=MUST,
        aim=AIM,
        is_ceiling=True,
    )


def _measurement(size: Size, found: Found) -> Measurement:
    series = {query.name: found[query.name, size.shop.user_cards] for query in HOT_QUERIES}
    everything = Latencies()
    for each in series.values():
        everything.add(each.warm)
    rounds = zip(*(each.total_ms for each in series.values()), strict=True)
    executions = len(everything) / len(next(iter(series.values())).total_ms)
    by_round = tuple(executions / (sum(times) / 1000) for times in rounds)
    return Measurement(
        name=f"{size.shop.user_cards:,} user cards",
        clients=1,
        requests=len(everything),
        requests_per_second=median(by_round),
        per_second_by_round=by_round,
        p50_ms=everything.percentile_ms(50),
        p95_ms=everything.percentile_ms(95),
        p99_ms=everything.percentile_ms(99),
        max_ms=everything.percentile_ms(100),
        errors=0,
        routes={
            name: RouteTimes(
                requests=len(each.warm),
                p50_ms=each.warm.percentile_ms(50),
                p95_ms=each.warm.percentile_ms(95),
                p99_ms=each.warm.percentile_ms(99),
                max_ms=each.warm.percentile_ms(100),
            )
            for name, each in series.items()
        },
    )


SCENARIO = Scenario(
    name="scale",
    measures="The hot queries over ten thousand, a million and ten million user cards and pulls.",
    run=run,
)
