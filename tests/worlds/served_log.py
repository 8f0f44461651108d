"""The draw log as a stranger reads it: only by its files, and with somebody else's Merkle trees."""

import json
from pathlib import Path
from typing import Final

import httpx
import pymerkle

from packhouse import drawlog
from packhouse.foundation.merkle import leaf_hash
from packhouse.house import House
from worlds.kept_log import sequence_all

TILE_WIDTH: Final = 256
HASH_BYTES: Final = 32


async def fill_log(house: House, leaves: int) -> None:
    """Log leaves that mean nothing, behind what there is, and sign them."""
    async with house.database.transaction() as connection:
        first = await drawlog.find_log_end(connection)
        await drawlog.insert_leaves(
            connection,
            [b'{"leaf":%d}' % number for number in range(first, first + leaves)],
            first=first,
            now=house.clock(),
        )
    await sequence_all(house)


async def read_file(client: httpx.AsyncClient, path: str) -> bytes:
    """A file of the log that has to be there."""
    answer = await client.get(f"/log/{path}")
    assert answer.status_code == 200, (path, answer.text)
    return answer.content


async def read_checkpoint(client: httpx.AsyncClient) -> drawlog.SignedTree:
    """What the newest checkpoint says, its signature being good."""
    note = (await read_file(client, "checkpoint")).decode()
    key = (await read_file(client, "key")).decode()
    assert key.endswith("\n")
    drawlog.open_note(note, key.rstrip("\n"))
    return drawlog.read_tree(note)


def tile_paths(level: int | str, count: int) -> list[str]:
    """Where ``count`` hashes or entries of a level are, the last tile being partial or full."""
    paths = []
    for number in range((count + TILE_WIDTH - 1) // TILE_WIDTH):
        width = min(TILE_WIDTH, count - number * TILE_WIDTH)
        path = f"tile/{level}/{drawlog.tile_number_path(number)}"
        paths.append(path if width == TILE_WIDTH else f"{path}.p/{width}")
    return paths


async def read_leaves(client: httpx.AsyncClient, size: int) -> list[bytes]:
    """Every leaf, from the bundles."""
    leaves = []
    for path in tile_paths("entries", size):
        bundle = await read_file(client, path)
        while bundle:
            end = 2 + int.from_bytes(bundle[:2], "big")
            leaves.append(bundle[2:end])
            bundle = bundle[end:]
    return leaves


class ServedTree(pymerkle.BaseMerkleTree):  # type: ignore[misc] # it has no annotations
    """An independent implementation of RFC 9162 whose hashes are those of our tiles.

    ``levels`` has the hashes of each level of tiles, one behind the other.
    """

    def __init__(self, levels: list[bytes]) -> None:
        self._levels = levels
        super().__init__(disable_cache=True)

    @classmethod
    async def read(cls, client: httpx.AsyncClient, size: int) -> "ServedTree":
        """Download every tile of a tree."""
        levels: list[bytes] = []
        while size:
            paths = tile_paths(len(levels), size)
            levels.append(b"".join([await read_file(client, path) for path in paths]))
            size //= TILE_WIDTH
        return cls(levels)

    def hashes(self, level: int) -> list[bytes]:
        """Every hash of a level of tiles."""
        content = self._levels[level]
        return [content[at : at + HASH_BYTES] for at in range(0, len(content), HASH_BYTES)]

    def _get_leaves(self, offset: int, width: int) -> list[bytes]:
        start, end = offset * HASH_BYTES, (offset + width) * HASH_BYTES
        content = self._levels[0][start:end]
        return [content[at : at + HASH_BYTES] for at in range(0, len(content), HASH_BYTES)]

    def _get_leaf(self, index: int) -> bytes:
        return self._get_leaves(index - 1, 1)[0]

    def _get_size(self) -> int:
        return len(self._levels[0]) // HASH_BYTES

    def _encode_entry(self, data: object) -> bytes:
        raise AssertionError(f"nothing is appended here: {data}")

    def _store_leaf(self, data: object, digest: bytes) -> int:
        raise AssertionError(f"nothing is appended here: {data} {digest.hex()}")


def require_included(tree: ServedTree, leaf: bytes, *, position: int, root: bytes) -> None:
    """Somebody else's verifier accepts the proof that our tiles give for a leaf."""
    proof = tree.prove_inclusion(position + 1)
    pymerkle.verify_inclusion(
        leaf_hash(leaf), root, proof, index=position + 1, size=tree.get_size(), algorithm="sha256"
    )


def require_grown_from(
    tree: ServedTree, earlier: drawlog.SignedTree, later: drawlog.SignedTree
) -> None:
    """Somebody else's verifier accepts the proof that a signed tree is the beginning of another."""
    proof = tree.prove_consistency(earlier.size, later.size)
    pymerkle.verify_consistency(
        earlier.root,
        later.root,
        proof,
        prior_size=earlier.size,
        later_size=later.size,
        algorithm="sha256",
    )


async def mirror_log(client: httpx.AsyncClient, folder: Path) -> Path:
    """Download the whole log, every configuration and every manifest, as it is now."""
    size = (await read_checkpoint(client)).size
    leaves = [json.loads(leaf) for leaf in await read_leaves(client, size)]
    names = ["checkpoint", "key", *tile_paths("entries", size)]
    level, count = 0, size
    while count:
        names += tile_paths(level, count)
        level, count = level + 1, count // TILE_WIDTH
    for leaf in leaves:
        if leaf["kind"] == "pack.published":
            names.append(f"configs/{leaf['config_hash']}.json")
        if leaf["kind"] == "lot.listed":
            names.append(f"manifests/{leaf['manifest_root']}.jsonl")
        if "opening" in leaf:
            names.append(f"openings/{leaf['opening']}")
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(await read_file(client, name))
    return folder
