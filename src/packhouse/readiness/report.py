"""Look at everything, one check after the other, each for a bounded time."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from packhouse.foundation.errors import PackhouseError
from packhouse.readiness.checklist import CHECKLIST
from packhouse.readiness.model import Line, Report, Seen, failed
from packhouse.readiness.shop import Check, Shop

CHECK_SECONDS_MAX: Final = 1_000.0
"""Restoring a large backup takes that long; everything else has bounds of its own."""


async def report_readiness(
    shop: Shop,
    *,
    checklist: Sequence[Check] = CHECKLIST,
    tell: Callable[[Check], None] = lambda _: None,
) -> Report:
    """Every line of the checklist as it is now. ``tell`` hears of each before it is looked at.

    They go one after the other: what one sends must not count against another's limits or times.
    """
    begun_at, started = shop.house.clock(), time.monotonic()
    lines = []
    for check in checklist:
        tell(check)
        seen = await _look(check, shop)
        lines.append(
            Line(
                name=check.name,
                title=check.title,
                must=check.must,
                result=seen.result,
                evidence=seen.evidence,
                advice=check.advice,
                takes=check.takes,
            )
        )
    return Report(begun_at=begun_at, seconds=time.monotonic() - started, checks=tuple(lines))


def as_json(report: Report) -> dict[str, Any]:
    """The report for machines, and for keeping."""
    return {
        "begun_at": report.begun_at.isoformat(),
        "seconds": round(report.seconds, 1),
        "checks": [msgspec.to_builtins(line) for line in report.checks],
    }


async def _look(check: Check, shop: Shop) -> Seen:
    try:
        async with asyncio.timeout(CHECK_SECONDS_MAX):
            return await check.look(shop)
    except PackhouseError as error:
        return failed(error.message)
    except TimeoutError:
        return failed(f"There was no answer within {CHECK_SECONDS_MAX:.0f} s.")
    except (OSError, ValueError, KeyError) as error:
        # What we looked at answered something else than it should: that is evidence too.
        return failed(f"{type(error).__name__}: {error}.")
