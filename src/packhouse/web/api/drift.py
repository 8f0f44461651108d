"""The drift monitor over the API: what came out of each version against what it published."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from typing import Final

import msgspec
from litestar import Response, get

from packhouse import draws
from packhouse.draws import CountedVersion, Drift, PackConfig, TierCell
from packhouse.foundation.identifiers import PackVersionId
from packhouse.foundation.tiers import Tier
from packhouse.house import House
from packhouse.web.api.public_answers import UNCHANGED, public_answer
from packhouse.web.api.requests import ApiRequest
from packhouse.web.context import context_of

VERSIONS_SHOWN: Final = 100
"""How many versions are looked at: those on sale first, then the newest past ones."""


class TierDrift(msgspec.Struct, frozen=True):
    """How many cards of a tier came, and how many the odds promise of as many cards.

    ``expected`` is a fraction in lowest terms, such as ``"81/2"``; ``expected_rounded`` is the
    nearest whole number.
    """

    tier: Tier
    cards: int
    expected: str
    expected_rounded: int


class VersionDrift(msgspec.Struct, frozen=True):
    """One published version and all cards that came out of it so far.

    ``p_value`` is the share of honest shops that would differ from these odds at least as much
    (null while nothing was drawn; a measurement, so it is the one float here); ``is_alarming`` says
    that it is below the report's ``threshold``. ``server_seed`` is that of an ended lot.
    """

    pack: str
    name: str
    version: int
    config_hash: str
    published_at: datetime
    is_on_sale: bool
    cards: int
    tiers: tuple[TierDrift, ...]
    p_value: float | None
    is_alarming: bool
    server_seed: str | None


class DriftReport(msgspec.Struct, frozen=True):
    """Every version on sale and the newest past ones that gave cards.

    Many versions are looked at, and by chance alone some differ more than others: so ``threshold``
    is one in a thousand divided by their number (Bonferroni).
    """

    threshold: float
    versions: tuple[VersionDrift, ...]


class DriftMonitor:
    """Reads the counts anew each time, and works a p-value out again only when they changed."""

    def __init__(self) -> None:
        self._configs: dict[PackVersionId, PackConfig] = {}
        self._drifts: dict[PackVersionId, tuple[Mapping[TierCell, int], Drift]] = {}

    async def report(self, house: House) -> DriftReport:
        """The public's view: cards are counted when their pulls are published."""
        known, before = self._configs, self._drifts
        async with house.database.reading() as connection:
            versions = await draws.list_counted_versions(connection, limit=VERSIONS_SHOWN)
            counts = await draws.list_tier_counts(
                connection, [version.config_hash for version in versions]
            )
            unknown = [version.id for version in versions if version.id not in known]
            texts = await draws.list_pack_configs(connection, unknown) if unknown else {}
        read = {version_id: draws.parse_config(text) for version_id, text in texts.items()}
        configs = {
            version.id: read.get(version.id) or self._configs[version.id] for version in versions
        }
        drifts = {}
        for version in versions:
            counted = counts.get(version.config_hash, {})
            kept = before.get(version.id)
            if kept is None or kept[0] != counted:
                kept = (counted, draws.measure_drift(configs[version.id], counted))
                # An exact test takes some milliseconds: whoever waits goes first.
                await asyncio.sleep(0)
            drifts[version.id] = kept
        self._configs, self._drifts = configs, drifts
        tested = sum(drift.p_value is not None for _, drift in drifts.values())
        threshold = draws.alarm_threshold(tested)
        return DriftReport(
            threshold=threshold,
            versions=tuple(
                _show(version, configs[version.id], drifts[version.id][1], threshold)
                for version in versions
            ),
        )


drift_monitor: Final = DriftMonitor()
"""What this process knows; the API, the page and the metric share it."""


@get("/api/v1/fairness/drift", tags=["fairness"], responses=UNCHANGED)
async def get_drift(request: ApiRequest) -> Response[DriftReport]:
    """What came out of every version, against the odds that it published."""
    return public_answer(request, await drift_monitor.report(context_of(request.scope).house))


def _show(
    version: CountedVersion, config: PackConfig, drift: Drift, threshold: float
) -> VersionDrift:
    return VersionDrift(
        pack=version.slug,
        name=config.name,
        version=version.number,
        config_hash=version.config_hash.hex(),
        published_at=version.published_at,
        is_on_sale=version.is_on_sale,
        cards=drift.cards,
        tiers=tuple(
            TierDrift(
                tier=tally.tier,
                cards=tally.cards,
                expected=_exact(tally.expected),
                expected_rounded=round(tally.expected),
            )
            for tally in drift.tiers
        ),
        p_value=drift.p_value,
        is_alarming=drift.p_value is not None and drift.p_value < threshold,
        server_seed=None if version.server_seed is None else version.server_seed.hex(),
    )


def _exact(number: Fraction) -> str:
    return f"{number.numerator}/{number.denominator}"


DRIFT_HANDLERS = [get_drift]
