"""The drift monitor as the public sees it: page, API and metric tell the same."""

import httpx
import msgspec
import pytest

from packhouse import draws
from packhouse.draws import TierCell
from packhouse.flows.publish_pack import WithdrawPack, withdraw_pack
from packhouse.flows.relay_events import relay_events
from packhouse.house import House
from packhouse.plumbing.audit import Actor
from packhouse.web.api.drift import DriftReport, VersionDrift
from packhouse.web.shop.drift import likeness_of
from worlds.page_forms import words_of

DRIFT = "/api/v1/fairness/drift"


async def open_packs(client: httpx.AsyncClient, slug: str, quantity: int) -> None:
    answer = await client.post(
        f"/api/v1/packs/{slug}/openings",
        json={"quantity": quantity},
        headers={"Idempotency-Key": f"{slug}-{quantity}"},
    )
    assert answer.status_code == 201


async def version_of(client: httpx.AsyncClient, slug: str) -> VersionDrift:
    """The newest version of a pack in the report."""
    report = msgspec.json.decode((await client.get(DRIFT)).content, type=DriftReport)
    return next(version for version in report.versions if version.pack == slug)


async def plant(house: House, slug: str, *, cards: int) -> None:
    """Count many cards of the worst tier, as a house that draws by other odds would get."""
    pack = await house.packs.get_pack(house.database, slug)
    (layout,) = pack.config.layouts
    (slot,) = layout.slots
    cell = TierCell(pack.compiled.config_hash, layout.name, slot.name, slot.odds[0].tier)
    async with house.database.transaction() as connection:
        await draws.add_tier_counts(connection, {cell: cards})


async def test_every_pack_on_sale_is_there_before_anything_is_drawn(
    shop: Actor, client: httpx.AsyncClient
) -> None:
    report = msgspec.json.decode((await client.get(DRIFT)).content, type=DriftReport)
    assert {version.pack for version in report.versions} == {
        "veil-one",
        "veil-eight",
        "veil-five",
        "veil-lot",
    }
    assert all(version.p_value is None and version.cards == 0 for version in report.versions)
    assert "Nothing was drawn yet." in words_of((await client.get("/fairness/drift")).text)


async def test_what_the_feed_shows_is_counted_by_tier(
    house: House, shop: Actor, ada: httpx.AsyncClient
) -> None:
    await open_packs(ada, "veil-eight", 3)
    assert (await version_of(ada, "veil-eight")).cards == 0
    await relay_events(house)
    version = await version_of(ada, "veil-eight")
    pulls = (await ada.get("/api/v1/feed?limit=100")).json()["items"]
    assert (version.cards, len(pulls)) == (24, 24)
    for tier in version.tiers:
        assert tier.cards == sum(pull["tier"] == tier.tier for pull in pulls)
    assert version.p_value is not None
    assert not version.is_alarming


async def test_a_sold_out_lot_came_out_exactly_as_promised(
    house: House, shop: Actor, ada: httpx.AsyncClient
) -> None:
    await open_packs(ada, "veil-lot", 10)
    await open_packs(ada, "veil-lot", 9)
    await open_packs(ada, "veil-lot", 1)
    await relay_events(house)
    version = await version_of(ada, "veil-lot")
    assert (version.cards, version.p_value) == (40, 1)
    assert all(tier.expected == f"{tier.cards}/1" for tier in version.tiers)
    assert version.server_seed is not None
    assert version.server_seed in (await ada.get("/fairness/drift")).text


async def test_a_shifted_pack_alarms_everywhere(
    house: House, shop: Actor, client: httpx.AsyncClient
) -> None:
    await plant(house, "veil-one", cards=500)
    version = await version_of(client, "veil-one")
    assert version.is_alarming
    assert "Beyond the line." in words_of((await client.get("/fairness/drift")).text)
    metrics = (await client.get("/metrics")).text
    value = next(
        float(line.rpartition(" ")[2])
        for line in metrics.splitlines()
        if line.startswith('packhouse_draw_drift_p_value{pack="veil-one",version="1"}')
    )
    assert value == version.p_value


async def test_the_metric_has_one_value_for_each_version_on_sale(
    house: House, shop: Actor, ada: httpx.AsyncClient
) -> None:
    await open_packs(ada, "veil-one", 2)
    await relay_events(house)
    await withdraw_pack(house, WithdrawPack(slug="veil-one", reason="Misprint.", actor=shop))
    metrics = (await ada.get("/metrics")).text
    assert metrics.count("packhouse_draw_drift_p_value{") == 3
    past = await version_of(ada, "veil-one")
    assert (past.is_on_sale, past.cards) == (False, 2)


async def test_an_empty_shop_has_nothing_to_compare(client: httpx.AsyncClient) -> None:
    assert (await client.get(DRIFT)).json() == {"threshold": 0.001, "versions": []}
    assert "Nothing to compare yet" in (await client.get("/fairness/drift")).text


@pytest.mark.parametrize(
    ("p_value", "words"),
    [
        (None, "Nothing was drawn yet."),
        (1.0, "As expected: most"),
        (0.5, "every second"),
        (0.001, "10 heads in a row with a fair coin: about 1 honest shop in 1,024"),
        (1e-300, "997 heads in a row"),
        (0.0, "Impossible"),
    ],
)
async def test_a_p_value_is_said_in_coins(
    shop: Actor, client: httpx.AsyncClient, p_value: float | None, words: str
) -> None:
    version = await version_of(client, "veil-one")
    assert words in likeness_of(msgspec.structs.replace(version, p_value=p_value))
