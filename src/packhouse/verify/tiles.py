"""A log's files: where they lie, and the tree that they make.

A mirror is a folder with the files of ``/log/``. A log at an address is read through a folder too:
what was fetched once is kept there, so that it can be read again and by several processes.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import msgspec

from packhouse.verify.findings import CouldNotLook, Differs, Mismatch
from packhouse.verify.looking import is_address, read_target

TILE_WIDTH: Final = 256
HASH_BYTES: Final = 32
_GROUP: Final = 1000
_LENGTH_BYTES: Final = 2
_LEVEL_BITS: Final = 8
_INSIDE_LOG: Final = re.compile(r"((?:/[^/]+)*?/log)(?:/.*)?")
_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"


class LogFiles(msgspec.Struct, frozen=True):
    """A folder with a log's files; ``address`` is where those that are not in it come from."""

    folder: Path
    address: str | None = None

    def read(self, name: str) -> bytes:
        """The content of one file. Raises ``CouldNotLook``; ``NotThere`` when the shop has none."""
        path = self.folder / name
        if path.is_file():
            return read_target(str(path))
        content = self.fetch(name)
        self.keep(name, content)
        return content

    def fetch(self, name: str) -> bytes:
        """The content of a file as the shop has it now."""
        if self.address is None:
            raise CouldNotLook(f"{name} is not in the mirror {self.folder}.")
        return read_target(f"{self.address}/{name}")

    def keep(self, name: str, content: bytes) -> None:
        """Put a file into the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not at all, whoever is stopped in the middle of it.
        unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
        unfinished.write_bytes(content)
        unfinished.replace(path)


def log_address_of(target: str) -> str | None:
    """Where the log is: of a shop, of its log, or of a file of its log; None for a file here."""
    if not is_address(target):
        return None
    parts = urlsplit(target)
    inside = _INSIDE_LOG.fullmatch(parts.path)
    path = str(inside[1]) if inside else f"{parts.path.rstrip('/')}/log"
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def mirror_folder_of(target: str) -> Path:
    """The folder of a mirror, given it or its checkpoint. Raises ``CouldNotLook``."""
    path = Path(target)
    folder = path.parent if path.is_file() else path
    if not (folder / "checkpoint").is_file():
        raise CouldNotLook(f"{target} is no mirror of a log: there is no checkpoint in it.")
    return folder


def tile_name(level: int | str, number: int, *, width: int) -> str:
    """The path of a tile with ``width`` entries: 1234 is ``x001/234``."""
    groups = [f"{number % _GROUP:03d}"]
    while number >= _GROUP:
        number //= _GROUP
        groups.append(f"x{number % _GROUP:03d}")
    path = f"tile/{level}/{'/'.join(reversed(groups))}"
    return path if width == TILE_WIDTH else f"{path}.p/{width}"


def list_widths(entries: int) -> list[int]:
    """How many entries each tile holds that is needed for so many."""
    full, rest = divmod(entries, TILE_WIDTH)
    return [TILE_WIDTH] * full + ([rest] if rest else [])


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of one leaf."""
    return hashlib.sha256(_LEAF + leaf).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over the hashes of leaves, or over those of full subtrees of one size."""
    level = list(hashes)
    if not level:
        return hashlib.sha256(b"").digest()
    sha256 = hashlib.sha256
    while len(level) > 1:
        joined = [
            sha256(_NODE + left + right).digest()
            for left, right in zip(level[::2], level[1::2], strict=False)
        ]
        if len(level) % 2:
            joined.append(level[-1])
        level = joined
    return level[0]


def split_hashes(tile: bytes) -> list[bytes]:
    """The hashes in a tile."""
    return [tile[start : start + HASH_BYTES] for start in range(0, len(tile), HASH_BYTES)]


def read_bundle(files: LogFiles, number: int, *, width: int) -> list[bytes]:
    """The leaves of one bundle. Raises ``Differs`` when it does not hold exactly so many."""
    name = tile_name("entries", number, width=width)
    content = files.read(name)
    leaves: list[bytes] = []
    at = 0
    while at < len(content):
        start = at + _LENGTH_BYTES
        end = start + int.from_bytes(content[at:start], "big")
        if start > len(content) or end > len(content):
            found = f"leaf {len(leaves)} of it cut off"
            raise Differs(name, expected="whole leaves", found=found)
        leaves.append(content[start:end])
        at = end
    if len(leaves) != width:
        raise Differs(name, expected=f"{width} leaves", found=str(len(leaves)))
    return leaves


def read_hashes(files: LogFiles, level: int, number: int, *, width: int) -> bytes:
    """One tile of hashes. Raises ``Differs`` when it has another size."""
    name = tile_name(level, number, width=width)
    tile = files.read(name)
    if len(tile) != width * HASH_BYTES:
        wanted, found = f"{width} hashes of 32 bytes", f"{len(tile)} bytes"
        raise Differs(name, expected=wanted, found=found)
    return tile


def check_upper_tiles(files: LogFiles, subtrees: Sequence[bytes]) -> Iterator[Mismatch]:
    """The tiles above level 0 hold what lies below them; ``subtrees`` are level 1's hashes."""
    level, row = 1, list(subtrees)
    while row:
        above = []
        for number, width in enumerate(list_widths(len(row))):
            start = number * TILE_WIDTH
            hashes = row[start : start + width]
            yield from check_tile(files, level, number, hashes)
            if width == TILE_WIDTH:
                above.append(root_of(hashes))
        level, row = level + 1, above


def check_tile(
    files: LogFiles, level: int, number: int, hashes: Sequence[bytes]
) -> Iterator[Mismatch]:
    """A tile above level 0 is as it follows from what lies below."""
    try:
        tile = read_hashes(files, level, number, width=len(hashes))
    except Differs as error:
        yield error.mismatch
        return
    name = tile_name(level, number, width=len(hashes))
    for place, (wanted, found) in enumerate(zip(hashes, split_hashes(tile), strict=True)):
        if wanted != found:
            yield Mismatch(f"{name}, hash {place}", wanted.hex(), found.hex())


class TileTree(msgspec.Struct, frozen=True):
    """The tree of ``size`` leaves as its tiles tell it; only the tiles that are asked for are read.

    With ``leaf`` the hash at ``position`` is that one, whatever the tiles say, so that the root
    which comes out is a proof of its place.
    """

    files: LogFiles
    size: int
    position: int | None = None
    leaf: bytes = b""

    def root(self, entries: int | None = None) -> bytes:
        """The root over the first ``entries`` leaves, over all if None."""
        end = self.size if entries is None else entries
        return root_of([]) if end == 0 else self._hash_of(0, end)

    def _hash_of(self, start: int, end: int) -> bytes:
        width = end - start
        is_on_the_way = self.position is not None and start <= self.position < end
        if is_on_the_way and width == 1:
            return self.leaf
        if not is_on_the_way and width.bit_count() == 1:
            return self._full_subtree(start, width)
        split = 1 << (width - 1).bit_length() - 1
        left, right = self._hash_of(start, start + split), self._hash_of(start + split, end)
        return hashlib.sha256(_NODE + left + right).digest()

    def _full_subtree(self, start: int, width: int) -> bytes:
        """Of 2^k leaves: one hash of level k / 8, or 2, 4 … 128 of them side by side."""
        level, rest = divmod(width.bit_length() - 1, _LEVEL_BITS)
        number, offset = divmod(start >> _LEVEL_BITS * level, TILE_WIDTH)
        entries = (self.size >> _LEVEL_BITS * level) - number * TILE_WIDTH
        tile = read_hashes(self.files, level, number, width=min(TILE_WIDTH, entries))
        return root_of(split_hashes(tile)[offset : offset + (1 << rest)])
