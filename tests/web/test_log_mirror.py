"""A mirror of a busy shop's log, taken from its files alone, passes the whole audit."""

from pathlib import Path

import httpx
import pytest

from packhouse import verify
from packhouse.flows.publish_pack import WithdrawPack, withdraw_pack
from packhouse.flows.rotate_seed import rotate_seed
from packhouse.house import House
from worlds.ember_counter import (
    PRICE_MINOR,
    lot_of,
    odds_of,
    open_one,
    publish,
    relay_all,
    restock,
    stock_card,
    welcome,
    welcome_all,
)
from worlds.kept_log import sequence_all
from worlds.served_log import mirror_log, read_checkpoint


@pytest.fixture
async def mirror(house: House, client: httpx.AsyncClient, tmp_path: Path) -> Path:
    """A shop has sold odds packs until one ran out, a whole lot and a part of another."""
    olga = await welcome(house, "olga", role="owner")
    await stock_card(house, olga, "001", copies=1)
    await stock_card(house, olga, "002")
    await stock_card(house, olga, "003", copies=6)
    await stock_card(house, olga, "004", copies=9)
    spare = await stock_card(house, olga, "005", copies=40, place="house")
    await restock(house, olga, spare, 30)
    await publish(house, olga, "scarce", odds_of("001", count=3))
    await publish(house, olga, "mixed", odds_of("002", "005", count=2))
    await publish(house, olga, "crate", lot_of({"003": 5}, packs=5, last_one="003"))
    await publish(house, olga, "half", lot_of({"004": 8}, packs=4, cards_per_pack=2))
    crowd = await welcome_all(house, 4, credits_minor=20 * PRICE_MINOR)
    await open_one(house, crowd[0], "scarce")
    for turn, person in enumerate(crowd):
        await open_one(house, person, "crate")
        await open_one(house, person, "mixed")
        await relay_all(house)
        await sequence_all(house)
        if turn % 2:
            await rotate_seed(house, person.user_id)
            await open_one(house, person, "half")
    await open_one(house, crowd[0], "crate")
    await publish(house, olga, "mixed", odds_of("005", "002"))
    for person in crowd:
        await open_one(house, person, "mixed", quantity=2)
    await withdraw_pack(house, WithdrawPack(slug="half", reason="A test.", actor=olga.actor))
    for person in crowd[:3]:
        await rotate_seed(house, person.user_id)
    await relay_all(house)
    await sequence_all(house)
    return await mirror_log(client, tmp_path / "mirror")


async def test_the_audit_of_a_mirror_finds_nothing(mirror: Path, client: httpx.AsyncClient) -> None:
    signed = await read_checkpoint(client)
    key = verify.read_verifier_key((mirror / "key").read_text())
    checkpoint = verify.read_checkpoint((mirror / "checkpoint").read_bytes(), key)
    assert (checkpoint.size, checkpoint.root) == (signed.size, signed.root)
    audit = verify.audit_log(verify.LogFiles(folder=mirror), checkpoint)
    assert (audit.mismatches, audit.unseen) == ([], [])
    assert audit.leaves == signed.size
    assert audit.openings == 20
    assert 0 < audit.redrawn < 20
    assert len(audit.lots) == 2
