"""A busy shop passes the audit of its own files, and no longer once somebody changed them."""

import asyncio
import json
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from packhouse.cli import packhouse_commands
from packhouse.house import House
from packhouse.plumbing.audit import Actor
from worlds.ember_counter import relay_all
from worlds.kept_log import list_log, sequence_all
from worlds.served_log import read_file, tile_paths

ROUNDS = 6
CHANGED_LEAF = r"""
UPDATE log_leaves SET leaf = regexp_replace(leaf, '"tickets":\[\d+', '"tickets":[7')
WHERE position = (SELECT min(position) FROM log_leaves WHERE leaf LIKE '%pack.opened%')
"""
CHANGED_WEIGHT = """
UPDATE pack_versions SET config = replace(config, '"weight":70', '"weight":71')
"""


async def open_packs(client: httpx.AsyncClient, slug: str, *, quantity: int, key: str) -> list[str]:
    answer = await client.post(
        f"/api/v1/packs/{slug}/openings",
        json={"quantity": quantity, "client_seed": key},
        headers={"Idempotency-Key": key},
    )
    assert answer.status_code in {200, 201}, answer.text
    return [opening["id"] for opening in answer.json()["openings"]]


async def be_busy(house: House, *people: httpx.AsyncClient) -> list[str]:
    """Everybody opens all kinds of packs at once and rotates seeds; gives the openings."""
    openings = []
    for turn in range(ROUNDS):
        everybody = [open_all_kinds(each, turn, place) for place, each in enumerate(people)]
        for opened in await asyncio.gather(*everybody):
            openings += opened
        await relay_all(house)
    await sequence_all(house)
    return openings


async def open_all_kinds(client: httpx.AsyncClient, turn: int, place: int) -> list[str]:
    """One person's part of a turn."""
    openings = []
    for slug in ("veil-one", "veil-eight", "veil-five", "veil-lot"):
        quantity = 1 + (turn + place) % 2
        key = f"{slug} {turn} {place}"
        openings += await open_packs(client, slug, quantity=quantity, key=key)
    if turn % 3 == 1:
        words = {"Idempotency-Key": f"rotation {turn} {place}"}
        answer = await client.post("/api/v1/fairness/seed/rotation", headers=words)
        assert answer.status_code in {200, 201}, answer.text
    return openings


async def download(house: House, client: httpx.AsyncClient, folder: Path) -> Path:
    """A mirror of the log, as anybody could fetch it."""
    leaves = await list_log(house)
    size = int((await read_file(client, "checkpoint")).split(b"\n")[1])
    paths = ["checkpoint", "key", *tile_paths("entries", size)]
    level, entries = 0, size
    while entries:
        paths += tile_paths(level, entries)
        level, entries = level + 1, entries // 256
    for leaf in leaves:
        if leaf["kind"] == "pack.published":
            paths.append(f"configs/{leaf['config_hash']}.json")
        if leaf["kind"] == "lot.listed":
            paths.append(f"manifests/{leaf['manifest_root']}.jsonl")
    for path in paths:
        kept = folder / path
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(await read_file(client, path))
    return folder


def verify(*words: str | Path) -> Result:
    return CliRunner().invoke(packhouse_commands, ["verify", *map(str, words)])


async def test_a_busy_shop_passes_the_audit_of_its_log(
    house: House,
    shop: Actor,
    ada: httpx.AsyncClient,
    ben: httpx.AsyncClient,
    client: httpx.AsyncClient,
    tmp_path: Path,
) -> None:
    openings = await be_busy(house, ada, ben)
    mirror = await download(house, client, tmp_path / "log")
    result = verify("log", mirror)
    assert result.exit_code == 0, result.output
    assert f"{len(openings)} openings: " in result.output
    root = next((mirror / "manifests").iterdir()).name.removesuffix(".jsonl")
    lot = verify("lot", mirror, "--root", root)
    assert lot.exit_code in {0, 2}, lot.output
    for place in (0, -1):
        receipt = tmp_path / "receipt.json"
        receipt.write_bytes((await client.get(f"/api/v1/openings/{openings[place]}")).content)
        one = verify("opening", receipt, "--log", mirror)
        assert "proven up to the signed root" in one.output, one.output
        assert one.exit_code in {0, 2}


async def test_a_collectors_history_matches_the_log(
    house: House,
    shop: Actor,
    ada: httpx.AsyncClient,
    ben: httpx.AsyncClient,
    client: httpx.AsyncClient,
    tmp_path: Path,
) -> None:
    await be_busy(house, ada, ben)
    mirror = await download(house, client, tmp_path / "log")
    history = tmp_path / "history.json"
    history.write_bytes((await ada.get("/api/v1/fairness/history")).content)
    result = verify("user", history, "--log", mirror)
    assert result.exit_code == 0, result.output
    keys = [pair["user_key"] for pair in json.loads(history.read_bytes())["seed_pairs"]]
    words = [word for key in keys for word in ("--user-key", key)]
    assert verify("user", mirror, *words).exit_code == 0


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        (CHANGED_LEAF, "Mismatch: leaves["),
        ("UPDATE lot_items SET value = value + 1 WHERE position = 3", "Mismatch: manifests/"),
        (CHANGED_WEIGHT, "Mismatch: configs/"),
    ],
    ids=["a leaf", "a lot's item", "a configuration"],
)
async def test_a_database_that_was_tampered_with_is_found_out(
    house: House,
    shop: Actor,
    ada: httpx.AsyncClient,
    client: httpx.AsyncClient,
    tmp_path: Path,
    tampering: str,
    found: str,
) -> None:
    await be_busy(house, ada)
    async with house.database.transaction() as connection:
        assert await connection.execute(tampering) != "UPDATE 0"
    result = verify("log", await download(house, client, tmp_path))
    assert (result.exit_code, found in result.output) == (1, True), result.output
