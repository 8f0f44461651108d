"""Lies that a house could tell in its draw log, and the field that a verifier names first for each.

Each changes the honest log; the tree is then hashed and signed anew, so that only the lie itself is
wrong. Lies about the files alone, without new hashes, are at the end.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Final
from uuid import UUID

from worlds.log_files import (
    OTHER_KEY,
    SIGNING_KEY,
    checkpoint_note,
    leaf_hash,
    log_files,
    root_over,
    tile_path,
)
from worlds.log_story import LogStory, Tree, canonical

LATE: Final = "2026-11-10T09:00:00Z"


class ForgedLog:
    """A copy of the honest log to change: leaves as trees, and files beside them."""

    def __init__(self, story: LogStory) -> None:
        self.leaves: list[Tree] = [json.loads(leaf) for leaf in story.leaves]
        self.configs, self.manifests = dict(story.configs), dict(story.manifests)

    def files(self) -> dict[str, bytes]:
        """The files of the changed log."""
        leaves = [
            leaf["raw"].encode() if "raw" in leaf else canonical(leaf) for leaf in self.leaves
        ]
        return dict(log_files(leaves, configs=self.configs, manifests=self.manifests))

    def find(self, number: int = 0, **fields: object) -> int:
        """The position of a leaf with these fields; several are counted from ``number`` 0."""
        places = [
            place
            for place, leaf in enumerate(self.leaves)
            if all(leaf.get(name) == value for name, value in fields.items())
        ]
        return places[number]

    def opening(self, number: int = 0, *, cards: int = 8, is_revealed: bool = True) -> int:
        """The position of an odds pack with so many cards; under a pair like that."""
        revealed = {leaf["commitment"] for leaf in self.leaves if "server_seed" in leaf}
        places = [
            place
            for place, leaf in enumerate(self.leaves)
            if leaf["kind"] == "pack.opened"
            and len(leaf["cards"]) == cards
            and (leaf["commitment"] in revealed) == is_revealed
        ]
        return places[number]

    def next_of_pair(self, position: int) -> int:
        """The next opening under the pair of the one at ``position``."""
        commitment = self.leaves[position]["commitment"]
        return next(
            place
            for place, leaf in enumerate(self.leaves)
            if place > position
            and leaf["kind"] == "pack.opened"
            and leaf["commitment"] == commitment
        )

    def move(self, position: int, *, behind: int) -> None:
        """Put a leaf behind another one that comes later."""
        leaf = self.leaves.pop(position)
        self.leaves.insert(behind, leaf)


Lie = Callable[[ForgedLog], str]
"""Changes the log, and gives the field that is named first."""


def _card_changed(log: ForgedLog) -> str:
    at = log.opening(3)
    cards = log.leaves[at]["cards"]
    cards[0] = str(UUID(int=UUID(cards[0]).int % 6 + 1))
    return f"leaves[{at}].cards[0]"


def _number_changed(log: ForgedLog) -> str:
    at = log.opening(5)
    log.leaves[at]["tickets"][15] += 1
    return f"leaves[{at}].tickets[15]"


def _layout_number_changed(log: ForgedLog) -> str:
    at = log.opening(7, cards=1)
    log.leaves[at]["tickets"][0] = 1
    return f"leaves[{at}].tickets[0]"


def _number_left_out(log: ForgedLog) -> str:
    at = log.opening(2)
    log.leaves[at]["tickets"].pop()
    return f"leaves[{at}].tickets"


def _unrevealed_card_changed(log: ForgedLog) -> str:
    at = log.opening(1, is_revealed=False)
    cards = log.leaves[at]["cards"]
    cards[0] = str(UUID(int=UUID(cards[0]).int % 6 + 1))
    return f"leaves[{at}].cards[0]"


def _unrevealed_number_too_high(log: ForgedLog) -> str:
    at = log.opening(2, is_revealed=False)
    log.leaves[at]["tickets"][1] = 100
    return f"leaves[{at}].tickets[1]"


def _nonce_changed(log: ForgedLog) -> str:
    at = log.opening(4)
    log.leaves[at]["nonce"] += 1
    return f"leaves[{at}].nonce"


def _client_seed_changed(log: ForgedLog) -> str:
    at = log.opening(6)
    log.leaves[at]["client_seed_hash"] = "00" * 32
    return f"leaves[{at}].tickets[1]"


def _user_key_changed(log: ForgedLog) -> str:
    at = log.opening(6)
    log.leaves[at]["user_key"] = "00" * 16
    return f"leaves[{at}].user_key"


def _opening_dropped(log: ForgedLog) -> str:
    at = log.opening(8)
    after = log.next_of_pair(at)
    del log.leaves[at]
    return f"leaves[{after - 1}].nonce"


def _opening_twice(log: ForgedLog) -> str:
    at = log.opening(8)
    log.leaves.insert(at + 1, log.leaves[at])
    return f"leaves[{at + 1}].nonce"


def _openings_exchanged(log: ForgedLog) -> str:
    at = log.opening(8)
    after = log.next_of_pair(at)
    log.leaves[at], log.leaves[after] = log.leaves[after], log.leaves[at]
    return f"leaves[{at}].nonce"


def _opened_after_the_reveal(log: ForgedLog) -> str:
    reveal = log.find(kind="seed.revealed")
    commitment = log.leaves[reveal]["commitment"]
    openings = log.leaves[reveal]["openings"]
    last = log.find(kind="pack.opened", commitment=commitment, nonce=openings - 1)
    log.leaves[reveal]["openings"] = openings - 1
    log.leaves.insert(last, log.leaves.pop(reveal))
    return f"leaves[{last + 1}].commitment"


def _reveal_counts_wrongly(log: ForgedLog) -> str:
    at = log.find(2, kind="seed.revealed")
    log.leaves[at]["openings"] += 1
    return f"leaves[{at}].openings"


def _another_seed_revealed(log: ForgedLog) -> str:
    at = log.find(1, kind="seed.revealed")
    log.leaves[at]["server_seed"] = "00" * 32
    return f"leaves[{at}].server_seed"


def _never_revealed(log: ForgedLog) -> str:
    at = log.find(kind="seed.revealed")
    commitment = log.leaves.pop(at)["commitment"]
    return f"leaves[{log.find(kind='pack.opened', commitment=commitment)}].commitment"


def _revealed_late(log: ForgedLog) -> str:
    at = log.find(kind="seed.revealed")
    log.leaves[at]["at"] = LATE
    return f"leaves[{at}].at"


def _committed_late(log: ForgedLog) -> str:
    commitment = log.leaves[log.find(kind="seed.committed")]["commitment"]
    first = log.find(kind="pack.opened", commitment=commitment)
    log.move(log.find(kind="seed.committed"), behind=first)
    return f"leaves[{first - 1}].commitment"


def _committed_twice(log: ForgedLog) -> str:
    at = log.find(2, kind="seed.committed")
    log.leaves.insert(at + 1, log.leaves[at])
    return f"leaves[{at + 1}].commitment"


def _never_published(log: ForgedLog) -> str:
    config_hash = log.leaves.pop(log.find(kind="pack.published", slug="veil"))["config_hash"]
    return f"leaves[{log.find(kind='pack.opened', config_hash=config_hash)}].config_hash"


def _published_twice(log: ForgedLog) -> str:
    at = log.find(kind="pack.published")
    log.leaves.insert(at + 1, log.leaves[at])
    return f"leaves[{at + 1}].config_hash"


def _weight_swapped(log: ForgedLog) -> str:
    at = log.find(kind="pack.published", slug="veil")
    config_hash = log.leaves[at]["config_hash"]
    config = log.configs[config_hash]
    log.configs[config_hash] = config.replace(b'"weight":70}', b'"weight":71}', 1)
    return f"configs/{config_hash}.json (SHA-256)"


def _lot_reordered(log: ForgedLog) -> str:
    one, other = log.find(4, kind="lot.opened"), log.find(5, kind="lot.opened")
    log.leaves[one], log.leaves[other] = log.leaves[other], log.leaves[one]
    return f"leaves[{one}].draw"


def _lot_redealt(log: ForgedLog) -> str:
    one, other = log.find(4, kind="lot.opened"), log.find(5, kind="lot.opened")
    for name in ("user_key", "client_seed_hash"):
        here, there = log.leaves[one], log.leaves[other]
        here[name], there[name] = there[name], here[name]
    return f"leaves[{one}].tickets[0]"


def _lot_card_changed(log: ForgedLog) -> str:
    at = log.find(6, kind="lot.opened")
    log.leaves[at]["cards"][1] = str(UUID(int=22))
    return f"leaves[{at}].cards[1]"


def _lot_number_changed(log: ForgedLog) -> str:
    at = log.find(6, kind="lot.opened")
    number = log.leaves[at]["tickets"][0]
    log.leaves[at]["tickets"][0] = number - 1 if number else 1
    return f"leaves[{at}].tickets[0]"


def _last_one_kept(log: ForgedLog) -> str:
    at = log.find(kind="lot.opened", draw=38)
    log.leaves[at]["cards"].pop()
    return f"leaves[{at}].cards"


def _prize_exchanged(log: ForgedLog) -> str:
    root = log.leaves[log.find(kind="lot.listed")]["manifest_root"]
    manifest = log.manifests[root]
    log.manifests[root] = manifest.replace(b'"tier":"SS"', b'"tier":"D"', 1)
    return f"manifests/{root}.jsonl (root)"


def _lot_listed_late(log: ForgedLog) -> str:
    at = log.find(kind="lot.listed")
    first = log.find(kind="lot.opened", config_hash=log.leaves[at]["config_hash"])
    log.move(at, behind=first)
    return f"leaves[{first - 1}].config_hash"


def _lot_listed_twice(log: ForgedLog) -> str:
    at = log.find(kind="lot.listed")
    log.leaves.insert(at + 1, log.leaves[at])
    return f"leaves[{at + 1}].commitment"


def _lot_size_changed(log: ForgedLog) -> str:
    at = log.find(kind="lot.listed")
    log.leaves[at]["size"] -= 1
    return f"leaves[{at}].size"


def _lot_closed_wrongly(log: ForgedLog) -> str:
    at = log.find(1, kind="lot.closed")
    log.leaves[at]["draws"] -= 1
    return f"leaves[{at}].draws"


def _lot_never_closed(log: ForgedLog) -> str:
    del log.leaves[log.find(kind="lot.closed")]
    return f"leaves[{log.find(kind='lot.opened', draw=38)}].draw"


def _copy_held_back(log: ForgedLog) -> str:
    at = log.opening(9)
    log.leaves[at]["paid_out"] = [7]
    return f"leaves[{at}].paid_out"


def _digital_card_paid_out(log: ForgedLog) -> str:
    at = next(
        place
        for place, leaf in enumerate(log.leaves)
        if leaf["kind"] == "pack.opened" and UUID(leaf["cards"][0]).int <= 6
    )
    log.leaves[at]["paid_out"] = [0]
    return f"leaves[{at}].paid_out[0]"


def _copies_invented(log: ForgedLog) -> str:
    """Of card 7 one copy came on sale, and two are drawn."""
    card = str(UUID(int=7))
    added = log.leaves[log.find(kind="stock.added")]["cards"]
    next(entry for entry in added if entry["card"] == card)["copies"] = 1
    drawn = [
        f"leaves[{at}].cards[{place}]"
        for at, leaf in enumerate(log.leaves)
        if leaf["kind"] == "pack.opened"
        for place, each in enumerate(leaf["cards"])
        if each == card
    ]
    return drawn[1]


def _another_spelling(log: ForgedLog) -> str:
    at = log.find(4, kind="seed.committed")
    log.leaves[at] = {"raw": canonical(log.leaves[at]).decode().replace(":", ": ", 1)}
    return f"leaves[{at}]"


def _field_too_many(log: ForgedLog) -> str:
    at = log.find(4, kind="seed.committed")
    log.leaves[at]["luck"] = 7
    return f"leaves[{at}]"


def _unknown_kind(log: ForgedLog) -> str:
    at = log.find(kind="pack.withdrawn")
    log.leaves[at]["kind"] = "pack.vanished"
    return f"leaves[{at}].kind"


LIES: Final[Mapping[str, Lie]] = {
    "a card changed": _card_changed,
    "a number changed": _number_changed,
    "a layout's number changed": _layout_number_changed,
    "a number left out": _number_left_out,
    "a card changed whose seed is secret": _unrevealed_card_changed,
    "a number too high whose seed is secret": _unrevealed_number_too_high,
    "a nonce changed": _nonce_changed,
    "a client seed changed": _client_seed_changed,
    "a user key changed": _user_key_changed,
    "an opening dropped": _opening_dropped,
    "an opening twice": _opening_twice,
    "two openings exchanged": _openings_exchanged,
    "opened after the reveal": _opened_after_the_reveal,
    "a reveal counts wrongly": _reveal_counts_wrongly,
    "another seed revealed": _another_seed_revealed,
    "a seed never revealed": _never_revealed,
    "a seed revealed late": _revealed_late,
    "a commitment after the first use": _committed_late,
    "a commitment twice": _committed_twice,
    "a version never published": _never_published,
    "a version published twice": _published_twice,
    "a weight swapped": _weight_swapped,
    "a lot reordered": _lot_reordered,
    "two draws of a lot given to each other's people": _lot_redealt,
    "a card of a lot changed": _lot_card_changed,
    "a number of a lot changed": _lot_number_changed,
    "the last-one prize kept": _last_one_kept,
    "a prize exchanged in the manifest": _prize_exchanged,
    "a lot listed after its first draw": _lot_listed_late,
    "a lot listed twice": _lot_listed_twice,
    "a lot's size changed": _lot_size_changed,
    "a lot closed with too few draws": _lot_closed_wrongly,
    "a sold-out lot never closed": _lot_never_closed,
    "a value paid out while there were copies": _copy_held_back,
    "a digital card paid out": _digital_card_paid_out,
    "more copies drawn than came on sale": _copies_invented,
    "a leaf in another spelling": _another_spelling,
    "a leaf with a field too many": _field_too_many,
    "a leaf of an unknown kind": _unknown_kind,
}


def forged_files(story: LogStory, lie: Lie) -> tuple[dict[str, bytes], str]:
    """The files with the lie in them, and the field that is named first."""
    log = ForgedLog(story)
    field = lie(log)
    return log.files(), field


def spoilt_files(
    story: LogStory, files: Mapping[str, bytes]
) -> Iterator[tuple[str, dict[str, bytes], str]]:
    """Files that do not fit together: name, all files, the field that is named first."""
    leaves = story.leaves
    hashes = [leaf_hash(leaf) for leaf in leaves]
    size, root = len(leaves), root_over(hashes)

    def signed(checkpoint: bytes) -> dict[str, bytes]:
        return {**files, "checkpoint": checkpoint}

    first = tile_path("entries", 0)
    where = files[first].index(leaves[40]) + len(leaves[40]) - 3
    yield (
        "a leaf changed without its hash",
        {**files, first: _flip(files[first], where)},
        "leaves[40]",
    )
    tile = tile_path(0, 0)
    yield "a hash changed", {**files, tile: _flip(files[tile], 70 * 32)}, "leaves[70]"
    upper = tile_path(1, 0, width=1)
    yield "an upper hash changed", {**files, upper: _flip(files[upper], 9)}, f"{upper}, hash 0"
    yield (
        "a checkpoint with another root",
        signed(checkpoint_note(size, root[::-1])),
        "the checkpoint, its root",
    )
    yield (
        "a checkpoint signed by another key",
        signed(checkpoint_note(size, root, key=OTHER_KEY)),
        "the checkpoint, its signature",
    )
    yield (
        "a checkpoint of another log",
        signed(checkpoint_note(size, root, origin="other.example/log")),
        "the checkpoint, its origin",
    )
    yield (
        "a checkpoint whose text was changed",
        signed(files["checkpoint"].replace(str(size).encode(), str(size - 1).encode(), 1)),
        "the checkpoint, its signature",
    )


def _flip(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def forked_checkpoint(story: LogStory, *, size: int) -> bytes:
    """A checkpoint that the log's own key signed for somebody else, over another beginning."""
    leaves = [*story.leaves[: size - 1], b'{"kind":"forked"}']
    return checkpoint_note(size, root_over([leaf_hash(leaf) for leaf in leaves]))


def true_checkpoint(story: LogStory, *, size: int) -> bytes:
    """What the log's key signed when it had that size."""
    hashes = [leaf_hash(leaf) for leaf in story.leaves[:size]]
    return checkpoint_note(size, root_over(hashes), key=SIGNING_KEY)
