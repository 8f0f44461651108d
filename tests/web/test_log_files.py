"""The draw log's files: what anyone may read, for how long it holds, and that it proves itself."""

import hashlib
import json
from uuid import UUID

import httpx
import pymerkle
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from packhouse.flows.relay_events import relay_events
from packhouse.foundation.merkle import merkle_root
from packhouse.house import House
from packhouse.plumbing.audit import Actor
from worlds.ember_counter import relay_all
from worlds.kept_log import sequence_all
from worlds.served_log import (
    HASH_BYTES,
    TILE_WIDTH,
    ServedTree,
    fill_log,
    read_checkpoint,
    read_file,
    read_leaves,
    require_grown_from,
    require_included,
    tile_paths,
)

FOR_EVER = "public, max-age=31536000, immutable"


async def open_pack(client: httpx.AsyncClient, slug: str, *, quantity: int = 1) -> list[str]:
    answer = await client.post(
        f"/api/v1/packs/{slug}/openings",
        json={"quantity": quantity},
        headers={"Idempotency-Key": f"{slug} {quantity}"},
    )
    return [opening["id"] for opening in answer.json()["openings"]]


async def test_there_is_no_checkpoint_before_a_worker_has_run(client: httpx.AsyncClient) -> None:
    for path in ("/log/checkpoint", "/log/key", "/log/tile/0/000.p/1"):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_stranger_finds_every_opening_in_the_signed_tree(
    house: House, shop: Actor, ada: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    openings = [
        opening
        for slug in ("veil-one", "veil-eight", "veil-lot")
        for opening in await open_pack(ada, slug, quantity=2)
    ]
    await relay_all(house)
    await sequence_all(house)
    signed = await read_checkpoint(client)
    leaves = await read_leaves(client, signed.size)
    tree = await ServedTree.read(client, signed.size)
    assert merkle_root(leaves) == tree.get_root() == signed.root
    for opening in openings:
        position = json.loads(await read_file(client, f"openings/{opening}"))["position"]
        leaf = json.loads(leaves[position])
        assert leaf["opening"] == opening
        require_included(tree, leaves[position], position=position, root=signed.root)
        receipt = (await client.get(f"/api/v1/openings/{opening}")).json()
        canonical = json.dumps(receipt, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert hashlib.sha256(canonical.encode()).hexdigest() == leaf["receipt_hash"]


async def test_an_independent_verifier_accepts_growth_over_three_levels_of_tiles(
    house: House, client: httpx.AsyncClient
) -> None:
    signed = []
    for more in (1, 254, 1, 1, 700, TILE_WIDTH**2 - 900, 5_000):
        await fill_log(house, more)
        signed.append(await read_checkpoint(client))
    newest = signed[-1]
    tree = await ServedTree.read(client, newest.size)
    assert tree.get_root() == newest.root
    for earlier in signed:
        require_grown_from(tree, earlier, newest)
    for level in (1, 2):
        below = tree.hashes(level - 1)
        assert tree.hashes(level) == [
            pymerkle_root(below[start : start + TILE_WIDTH])
            for start in range(0, len(below) - TILE_WIDTH + 1, TILE_WIDTH)
        ]
    for position in (0, 255, 256, 65_535, newest.size - 1):
        require_included(tree, b'{"leaf":%d}' % position, position=position, root=newest.root)
    with pytest.raises(pymerkle.InvalidProof):
        require_included(tree, b'{"leaf":7}', position=8, root=newest.root)


async def test_a_checkpoint_is_text_that_is_asked_for_again_soon(
    house: House, client: httpx.AsyncClient
) -> None:
    await fill_log(house, 3)
    answer = await client.get("/log/checkpoint")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=1"
    same = await client.get("/log/checkpoint", headers={"If-None-Match": answer.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    await fill_log(house, 1)
    newer = await client.get("/log/checkpoint", headers={"If-None-Match": answer.headers["etag"]})
    assert newer.status_code == 200
    assert newer.text.splitlines()[1] == "4"


async def test_a_partial_tile_stays_what_it_was_when_the_tile_has_grown(
    house: House, client: httpx.AsyncClient
) -> None:
    await fill_log(house, 7)
    paths = ["tile/0/000.p/7", "tile/entries/000.p/7"]
    before = [await read_file(client, path) for path in paths]
    await fill_log(house, 600)
    assert [await read_file(client, path) for path in paths] == before
    full = await read_file(client, "tile/0/000")
    assert len(full) == TILE_WIDTH * HASH_BYTES
    assert full.startswith(before[0])


async def test_tiles_may_be_kept_for_ever(house: House, client: httpx.AsyncClient) -> None:
    await fill_log(house, 300)
    for path in ("tile/0/000", "tile/1/000.p/1", "tile/entries/001.p/44"):
        answer = await client.get(f"/log/{path}")
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["cache-control"] == FOR_EVER


async def test_nothing_is_served_that_no_checkpoint_covers(
    house: House, shop: Actor, client: httpx.AsyncClient
) -> None:
    await fill_log(house, 300)
    await relay_all(house)
    for path in ("0/001.p/45", "0/001", "1/000.p/2", "2/000.p/1", "entries/001.p/45", "0/002.p/1"):
        answer = await client.get(f"/log/tile/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/0",
        "tile/0/0000",
        "tile/00/000",
        "tile/6/000.p/1",
        "tile/-1/000",
        "tile/0/x000/000",
        "tile/0/x000/000.p/1",
        "tile/0/x00/000",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/999",
        "tile/0/000.p/",
        "tile/0/000/",
        "tile/0/٠٠٠",
        "tile/0/x999/x999/x999/x999/999",
        "tile/entries/x000/000",
        "tile/Entries/000",
        "tile/0/%2e%2e/0/000",
        "checkpoint/",
        "checkpoint.txt",
        "key/",
        "configs/" + "00" * 32 + ".json",
        "configs/" + "AA" * 32 + ".json",
        "configs/%2e%2e/%2e%2e/settings.json",
        "manifests/" + "00" * 32 + ".jsonl",
        "manifests/" + "00" * 32,
        "openings/" + str(UUID(int=7)),
        "openings/" + str(UUID(int=2**128 - 1)).upper(),
        "openings/1",
        "tile/0/000%00",
        "%2e%2e/openings",
    ],
)
async def test_an_address_that_is_not_written_exactly_so_is_not_found(
    house: House, client: httpx.AsyncClient, path: str
) -> None:
    await fill_log(house, 300)
    answer = await client.get(f"/log/{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(path=st.text(alphabet="0123456789x/.p-entris%\\ ", max_size=30))
async def test_no_address_below_tile_breaks_anything(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(f"/log/tile/{path}")).status_code in (200, 400, 404)


async def test_a_configuration_is_the_bytes_that_were_hashed(
    shop: Actor, client: httpx.AsyncClient
) -> None:
    config_hash = (await client.get("/api/v1/packs/veil-one")).json()["config_hash"]
    answer = await client.get(f"/log/configs/{config_hash}.json")
    assert hashlib.sha256(answer.content).hexdigest() == config_hash
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == FOR_EVER


@pytest.mark.parametrize("lines_at_once", [3, 2_000])
async def test_a_manifest_has_a_line_for_each_item_also_of_those_that_are_gone(
    house: House,
    shop: Actor,
    ada: httpx.AsyncClient,
    client: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    lines_at_once: int,
) -> None:
    monkeypatch.setattr("packhouse.web.log.MANIFEST_LINES_AT_ONCE", lines_at_once)
    await open_pack(ada, "veil-lot", quantity=3)
    await relay_events(house)
    config_hash = (await client.get("/api/v1/packs/veil-lot")).json()["config_hash"]
    root = (await client.get(f"/log/configs/{config_hash}.json")).json()["lot"]["manifest_root"]
    answer = await client.get(f"/log/manifests/{root}.jsonl")
    assert answer.headers["cache-control"] == FOR_EVER
    *lines, end = answer.content.split(b"\n")
    assert end == b""
    assert merkle_root(lines).hex() == root
    assert [json.loads(line)["position"] for line in lines] == list(range(len(lines)))


async def test_an_opening_has_no_position_while_it_is_not_published(
    house: House, shop: Actor, ada: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    (opening,) = await open_pack(ada, "veil-one")
    assert (await client.get(f"/log/openings/{opening}")).status_code == 404
    await relay_all(house)
    answer = await client.get(f"/log/openings/{opening}")
    assert answer.json().keys() == {"position"}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == FOR_EVER


async def test_any_site_may_read_and_nobody_is_counted(
    house: House, ada: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    await fill_log(house, 300)
    for reader in (client, ada):
        for path in ("checkpoint", "key", "tile/0/000", "tile/0/999"):
            answer = await reader.get(f"/log/{path}", headers={"Origin": "https://else.example"})
            assert answer.headers["access-control-allow-origin"] == "*"
            assert "ratelimit-limit" not in answer.headers
            assert "set-cookie" not in answer.headers
    for path in tile_paths("entries", 300) * 200:
        await read_file(client, path)


async def test_a_head_has_the_headers_alone(house: House, client: httpx.AsyncClient) -> None:
    await fill_log(house, 300)
    for path in ("checkpoint", "tile/0/000"):
        full = await client.get(f"/log/{path}")
        head = await client.head(f"/log/{path}")
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == full.headers["content-length"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_the_log_can_only_be_read(client: httpx.AsyncClient, method: str) -> None:
    answer = await client.request(method, "/log/checkpoint")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


def pymerkle_root(hashes: list[bytes]) -> bytes:
    """The root over whole trees, as the independent implementation folds them."""
    root: bytes = ServedTree([b"".join(hashes)]).get_root()
    return root
