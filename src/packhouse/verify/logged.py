"""Single leaves of a log: finding them, proving their place, and holding receipts against them."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from packhouse.verify.drawing import hash_of_client_seed
from packhouse.verify.findings import CouldNotLook, Differs, Mismatch
from packhouse.verify.leaves import Leaf, LotOpened, PackOpened, leaf_name, read_leaf
from packhouse.verify.looking import NotThere
from packhouse.verify.notes import Checkpoint
from packhouse.verify.plain_json import canonical_bytes
from packhouse.verify.receipts import LotReceipt, OddsReceipt, Receipt
from packhouse.verify.redraws import differing
from packhouse.verify.tiles import (
    TILE_WIDTH,
    LogFiles,
    TileTree,
    leaf_hash,
    list_widths,
    read_bundle,
    root_of,
)

Opened = PackOpened | LotOpened
_POSITION: Final = re.compile(rb'\{"position": ?(0|[1-9][0-9]{0,15})\}\n?')


def list_leaves(
    files: LogFiles, checkpoint: Checkpoint, *, about: re.Pattern[bytes]
) -> Iterator[tuple[int, Leaf]]:
    """The leaves in whose bytes ``about`` is found, with their positions.

    Behind the last one it raises ``Differs`` when the leaves do not hash to the signed root, or
    one of them is out of form.
    """
    roots = []
    for number, width in enumerate(list_widths(checkpoint.size)):
        contents = read_bundle(files, number, width=width)
        roots.append(root_of([leaf_hash(content) for content in contents]))
        for position, content in enumerate(contents, start=number * TILE_WIDTH):
            if about.search(content) is not None:
                yield position, read_leaf(content, position=position)
    if root_of(roots) != checkpoint.root:
        wanted = f"{checkpoint.root.hex()}, which is signed"
        raise Differs("the leaves, their root", expected=wanted, found=root_of(roots).hex())


def find_opening(
    files: LogFiles, checkpoint: Checkpoint, opening: str
) -> tuple[int, Opened] | None:
    """Where an opening's leaf is in the signed tree, and the leaf; None when there is none.

    Raises ``Differs`` when the tiles do not prove its place, ``CouldNotLook``.
    """
    position = _find_position(files, checkpoint, opening)
    if position is None:
        return None
    number, offset = divmod(position, TILE_WIDTH)
    width = min(TILE_WIDTH, checkpoint.size - number * TILE_WIDTH)
    content = read_bundle(files, number, width=width)[offset]
    leaf = read_leaf(content, position=position)
    name = leaf_name(position)
    if not isinstance(leaf, Opened) or leaf.opening != opening:
        raise Differs(name, expected=f"the opening {opening}", found=f"a leaf {leaf.kind}")
    tree = TileTree(files, checkpoint.size, position, leaf_hash(content))
    found = tree.root()
    if found != checkpoint.root:
        wanted = f"a proof up to the signed root {checkpoint.root.hex()}"
        raise Differs(f"{name}, its place", expected=wanted, found=f"one up to {found.hex()}")
    return position, leaf


def hash_of_receipt(tree: Mapping[str, object]) -> str:
    """What the log has of a receipt: SHA-256 as it was before any reveal, hexadecimal.

    ``tree`` is the receipt's JSON.
    """
    return hashlib.sha256(canonical_bytes({**tree, "server_seed": None})).hexdigest()


def check_logged(receipt: Receipt, receipt_hash: str, leaf: Opened, *, at: str) -> list[Mismatch]:
    """The leaf says what the receipt says; ``at`` names the leaf."""
    proof = receipt.proof
    seed_hash = hash_of_client_seed(proof.client_seed).hex()
    pairs: list[tuple[str, object, object]] = [
        ("receipt_hash", receipt_hash, leaf.receipt_hash),
        ("opening", receipt.id, leaf.opening),
        ("config_hash", proof.config_hash, leaf.config_hash),
        ("user_key", proof.user_key, leaf.user_key),
        ("client_seed_hash", seed_hash, leaf.client_seed_hash),
    ]
    if isinstance(receipt, OddsReceipt) and isinstance(leaf, PackOpened):
        tickets = [receipt.proof.layout_ticket.number]
        for card in receipt.cards:
            tickets += [card.tier_ticket.number, card.card_ticket.number]
        paid_out = [place for place, card in enumerate(receipt.cards) if card.paid_out is True]
        pairs += [
            ("commitment", proof.commitment, leaf.commitment),
            ("nonce", proof.nonce, leaf.nonce),
            ("paid_out", paid_out, list(leaf.paid_out)),
        ]
    elif isinstance(receipt, LotReceipt) and isinstance(leaf, LotOpened):
        drawn = [card.ticket for card in receipt.cards if card.ticket is not msgspec.UNSET]
        tickets = [ticket.number for ticket in drawn]
        pairs += [
            ("manifest_root", receipt.proof.lot.manifest_root, leaf.manifest_root),
            ("draw", receipt.cards[0].draw, leaf.draw),
        ]
    else:
        kind = "odds" if isinstance(receipt, OddsReceipt) else "lot"
        return [Mismatch(f"{at}.kind", f"that of a receipt of kind {kind}", leaf.kind)]
    cards = [card.card.id for card in receipt.cards]
    return [
        *(
            Mismatch(f"{at}.{field}", str(expected), str(found))
            for field, expected, found in pairs
            if expected != found
        ),
        *differing(f"{at}.tickets", tickets, leaf.tickets),
        *differing(f"{at}.cards", cards, leaf.cards),
    ]


def _find_position(files: LogFiles, checkpoint: Checkpoint, opening: str) -> int | None:
    name = f"openings/{opening}"
    if files.address is None and not (files.folder / name).is_file():
        return _scan_for(files, checkpoint, opening)
    try:
        content = files.read(name)
    except NotThere:
        return None
    match = _POSITION.fullmatch(content)
    if match is None:
        raise Differs(name, expected='{"position":n}', found=repr(content[:80]))
    position = int(match[1])
    if position >= checkpoint.size:
        raise CouldNotLook(
            f"The opening is leaf {position}, and the checkpoint covers {checkpoint.size} leaves:"
            " look again in a few seconds."
        )
    return position


def _scan_for(files: LogFiles, checkpoint: Checkpoint, opening: str) -> int | None:
    wanted = f'"opening":"{opening}"'.encode()
    for number, width in enumerate(list_widths(checkpoint.size)):
        for offset, content in enumerate(read_bundle(files, number, width=width)):
            if wanted in content:
                return number * TILE_WIDTH + offset
    return None
