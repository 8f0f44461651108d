"""Drift: what came out of every version against its odds, in words that need no statistics."""

import math

from litestar import get

from packhouse.web.api.drift import VersionDrift, drift_monitor
from packhouse.web.context import context_of
from packhouse.web.shop.frame import Page, PageRequest, shop_page


@get("/fairness/drift")
async def show_drift(request: PageRequest) -> Page:
    """Every version on sale, and past ones that gave cards."""
    report = await drift_monitor.report(context_of(request.scope).house)
    tested = sum(version.p_value is not None for version in report.versions)
    return await shop_page(
        request,
        "drift.html",
        {
            "tested": tested,
            "threshold_heads": heads_in_a_row(report.threshold),
            "versions": [(version, likeness_of(version)) for version in report.versions],
        },
    )


def likeness_of(version: VersionDrift) -> str:
    """How unusual what came is, as something that everybody has tried."""
    p_value = version.p_value
    if p_value is None:
        return "Nothing was drawn yet."
    if p_value == 0:
        return "Impossible by the published odds."
    heads = heads_in_a_row(p_value)
    if heads == 0:
        return "As expected: most honest shops differ at least as much."
    if heads == 1:
        return "As expected: about every second honest shop differs at least as much."
    return (
        f"As likely as {heads} heads in a row with a fair coin:"
        f" about 1 honest shop in {2**heads:,} differs at least as much."
        if heads <= 40
        else f"As likely as {heads} heads in a row with a fair coin."
    )


def heads_in_a_row(p_value: float) -> int:
    """How many fair coins that show heads are about as likely."""
    return round(-math.log2(p_value))


DRIFT_HANDLERS = [show_drift]
