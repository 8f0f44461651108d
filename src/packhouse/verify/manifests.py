"""The manifest of a lot as a file: every advertised prize is in it, once."""

from collections.abc import Iterator

import msgspec
from msgspec import UNSET, UnsetType

from packhouse.verify.configs import Lot, Prize
from packhouse.verify.findings import Differs, Mismatch
from packhouse.verify.shapes import Hash, Id, Tier, WholeNumber
from packhouse.verify.tiles import leaf_hash, root_of


class ManifestItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One prize; the fields in the order of canonical JSON. Only a copy with a photo has one."""

    card: Id
    is_last_one: bool
    photo: Hash | UnsetType = UNSET
    position: WholeNumber
    stock_item_id: Id | None
    tier: Tier
    value: WholeNumber


def list_prizes(lot: Lot) -> list[Prize]:
    """The prizes that are drawn, in the manifest's order, each as often as it is there."""
    return [prize for prize in lot.prizes for _ in range(prize.count)]


def manifest_lines(content: bytes) -> list[bytes]:
    """The lines of the file; one behind the last may be empty."""
    return content.removesuffix(b"\n").split(b"\n")


def read_manifest_item(line: bytes, *, name: str = "an item of the manifest") -> ManifestItem:
    """One line. Raises ``Differs``."""
    try:
        return msgspec.json.decode(line, type=ManifestItem)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        expected = "the fields and forms of an item"
        raise Differs(name, expected=expected, found=str(error)) from error


def manifest_root_of(content: bytes) -> str:
    """The root of the tree over its lines, hexadecimal."""
    return root_of([leaf_hash(line) for line in manifest_lines(content)]).hex()


def check_manifest(content: bytes, lot: Lot, *, name: str) -> Iterator[Mismatch]:
    """The file hashes to the root and lists what the configuration advertises, and no more."""
    found = manifest_root_of(content)
    if found != lot.manifest_root:
        yield Mismatch(f"{name} (root)", lot.manifest_root, found)
    lines = manifest_lines(content)
    prizes = list_prizes(lot) + ([] if lot.last_one is None else [lot.last_one])
    if len(lines) != len(prizes):
        yield Mismatch(name, f"{len(prizes)} lines", str(len(lines)))
        return
    stock_items: set[str] = set()
    for position, (line, prize) in enumerate(zip(lines, prizes, strict=True)):
        at = f"{name} [{position}]"
        try:
            item = read_manifest_item(line, name=at)
        except Differs as error:
            yield error.mismatch
            continue
        wanted = ManifestItem(
            card=prize.card,
            is_last_one=position == lot.size,
            photo=item.photo if prize.physical else UNSET,
            position=position,
            stock_item_id=item.stock_item_id if prize.physical else None,
            tier=prize.tier,
            value=prize.value,
        )
        if msgspec.json.encode(wanted) != line:
            yield Mismatch(at, msgspec.json.encode(wanted).decode(), line.decode())
        if prize.physical and item.stock_item_id is None:
            yield Mismatch(f"{at}.stock_item_id", "the very copy of a physical card", "null")
        elif item.stock_item_id in stock_items:
            wanted_copy = "a copy that is not listed before"
            yield Mismatch(f"{at}.stock_item_id", wanted_copy, str(item.stock_item_id))
        if item.stock_item_id is not None:
            stock_items.add(item.stock_item_id)
