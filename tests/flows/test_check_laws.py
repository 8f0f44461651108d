"""The laws are looked at in one moment, whatever goes on meanwhile."""

import pytest

from packhouse.catalog import Card
from packhouse.drawlog import checks
from packhouse.drawlog.model import Checkpoint
from packhouse.drawlog.store import find_checkpoint
from packhouse.flows.check_laws import list_broken_laws
from packhouse.flows.sequence_log import sequence_log
from packhouse.house import House
from packhouse.plumbing.postgres import Connection
from worlds.ember_counter import Person, open_one, relay_all


async def test_what_is_signed_while_the_log_is_looked_at_breaks_no_law(
    house: House, ada: Person, ember: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    await relay_all(house)
    await sequence_log(house)

    async def find_and_let_others_sign(connection: Connection) -> Checkpoint | None:
        found = await find_checkpoint(connection)
        await open_one(house, ada, "ember")
        await relay_all(house)
        await sequence_log(house)
        return found

    monkeypatch.setattr(checks, "find_checkpoint", find_and_let_others_sign)
    assert ember.number
    assert await list_broken_laws(house) == []
