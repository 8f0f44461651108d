"""The law that a stranger can count what is on sale: it sees every copy that nobody was told of."""

from typing import Final

import pytest

from packhouse import drawlog
from packhouse.catalog import Card
from packhouse.foundation.checks import Finding
from packhouse.house import House
from worlds.ember_counter import (
    Person,
    lot_of,
    odds_of,
    open_one,
    publish,
    relay_all,
    stock_card,
)

LAW = "stock_is_logged"

CHEATS: Final = {
    "a copy taken away": "UPDATE stock_items SET place = 'house' WHERE id = (SELECT id"
    " FROM stock_items WHERE place = 'on_sale' AND lot_id IS NULL ORDER BY id LIMIT 1)",
    "copies put back": "UPDATE stock_items SET place = 'on_sale' WHERE place = 'vaulted'",
    "a lot's copies sold singly": "UPDATE stock_items SET lot_id = NULL WHERE lot_id IS NOT NULL",
    "an arrival left out": "DELETE FROM log_leaves WHERE leaf LIKE '%stock.added%'",
    "an opening left out": "DELETE FROM log_leaves"
    " WHERE leaf LIKE '%pack.opened%' AND leaf LIKE '%\"paid_out\":[]%'",
    "an opening that never waits": "DELETE FROM outbox WHERE kind = 'pack.opened'"
    " AND subject_id IN (SELECT id FROM openings WHERE nonce IS NOT NULL)",
    "a payout called a copy": "UPDATE log_leaves"
    " SET leaf = replace(leaf, '\"paid_out\":[0]', '\"paid_out\":[]')"
    " WHERE leaf LIKE '%\"paid_out\":[0]%'",
    "copies that never came": "UPDATE log_leaves"
    " SET leaf = replace(leaf, '\"copies\":40', '\"copies\":41') WHERE leaf LIKE '%:40%'",
}
"""What no flow does, as a statement."""


@pytest.fixture
async def sold(house: House, olga: Person, ada: Person, ember: Card) -> Card:
    """Copies are drawn, before and after the relay looked; more are in a lot, and paid for."""
    await stock_card(house, olga, "021", copies=4)
    await publish(house, olga, "crate", lot_of({"021": 3}, packs=3))
    await stock_card(house, olga, "031", copies=1)
    await publish(house, olga, "scarce", odds_of("031"))
    await open_one(house, ada, "ember", quantity=2)
    await open_one(house, ada, "crate")
    await open_one(house, ada, "scarce", quantity=3)
    await relay_all(house)
    await open_one(house, ada, "ember")
    await open_one(house, ada, "crate")
    return ember


async def look_after(house: House, statement: str) -> Finding:
    """What the law finds once something was done that no flow does, and that is undone again."""
    async with house.database.connection() as connection:
        change = connection.transaction()
        await change.start()
        done = await connection.execute(statement)
        assert not done.endswith(" 0"), f"nothing was changed: {statement}"
        finding = await drawlog.check_stock_is_logged(connection)
        await change.rollback()
    return finding


async def test_the_law_holds_with_leaves_and_with_what_still_waits(
    house: House, sold: Card
) -> None:
    async with house.database.connection() as connection:
        finding = await drawlog.check_stock_is_logged(connection)
    # 40 of Ember without 3, 4 of the lot's card without the lot's 3, none of the scarce one.
    assert (finding.law, finding.holds) == (LAW, True), finding.evidence
    assert finding.evidence == "38 copies of 3 cards on sale"


@pytest.mark.parametrize("cheat", CHEATS)
async def test_the_law_sees(house: House, sold: Card, cheat: str) -> None:
    finding = await look_after(house, CHEATS[cheat])
    assert (finding.law, finding.holds) == (LAW, False), finding.evidence
    assert " by the log" in finding.evidence


async def test_draws_of_a_lot_are_no_matter_of_the_odds_packs_stock(
    house: House, sold: Card
) -> None:
    finding = await look_after(house, "DELETE FROM log_leaves WHERE leaf LIKE '%lot.opened%'")
    assert finding.holds
