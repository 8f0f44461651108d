"""Drawing logged openings again, as fast as many of them want it.

The same rules as in ``drawing``, which is the one to read: here the sums are made once for a
configuration, and of each HMAC what all draws of a pair under one configuration share is hashed
once. A message begins with 64 bytes that they share, which is a whole block of SHA-256.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

import msgspec

from packhouse.verify.configs import PublishedConfig
from packhouse.verify.drawing import ODDS_TAG, WORD_BYTES, WORDS_SPAN, ticket_below
from packhouse.verify.findings import Mismatch
from packhouse.verify.leaves import PackOpened

BLOCK_BYTES: Final = 64
PAIRS_KEPT_MAX: Final = 4_096
_INNER: Final = bytes(each ^ 0x36 for each in range(256))
_OUTER: Final = bytes(each ^ 0x5C for each in range(256))
_COUNTER: Final = bytes(4)
_INDEXES: Final = tuple(index.to_bytes(4, "big") for index in range(1_024))


class TierPlan(msgspec.Struct, frozen=True):
    """The cards of a tier with the running sums of their weights."""

    sums: tuple[int, ...]
    cards: tuple[str, ...]


class CardPlan(msgspec.Struct, frozen=True):
    """One card of a pack: the running sums of its tiers, and each of them."""

    sums: tuple[int, ...]
    tiers: tuple[TierPlan, ...]


class DrawPlan(msgspec.Struct, frozen=True):
    """A configuration as far as draws need it; ``physical`` are the cards that have copies."""

    config_hash: bytes
    layout_sums: tuple[int, ...]
    layouts: tuple[tuple[CardPlan, ...], ...]
    physical: frozenset[str]


def plan_draws(config: PublishedConfig) -> DrawPlan:
    """The plan of an odds pack."""
    if config.layouts is None:
        raise ValueError("A lot has no layouts to draw from.")
    physical = {
        card.card
        for layout in config.terms.layouts
        for slot in layout.slots
        for tier in slot.odds
        for card in tier.cards
        if card.physical
    }
    return DrawPlan(
        config_hash=bytes.fromhex(config.config_hash),
        layout_sums=config.layouts.sums,
        layouts=tuple(
            tuple(
                CardPlan(
                    sums=table.tiers.sums,
                    tiers=tuple(
                        TierPlan(chooser.sums, tuple(card.card for card in tier.cards))
                        for tier, chooser in zip(table.slot.odds, table.cards, strict=True)
                    ),
                )
                for table in tables
            )
            for tables in config.tables
        ),
        physical=frozenset(physical),
    )


class PairDraws:
    """The draws of one seed pair under one configuration."""

    def __init__(self, *, server_seed: bytes, config_hash: bytes, user_key: bytes) -> None:
        self._seed, self._start = server_seed, ODDS_TAG + config_hash + user_key
        padded = server_seed.ljust(BLOCK_BYTES, b"\x00")
        self._inner = hashlib.sha256(padded.translate(_INNER) + self._start)
        self._outer = hashlib.sha256(padded.translate(_OUTER))

    def number(self, n: int, *, nonce: bytes, draw_index: int, client_seed_hash: bytes) -> int:
        """What ``ticket_below`` gives for this draw's message."""
        if n == 1:
            return 0
        rest = nonce + _INDEXES[draw_index] + client_seed_hash
        inner = self._inner.copy()
        inner.update(rest + _COUNTER)
        outer = self._outer.copy()
        outer.update(inner.digest())
        word = int.from_bytes(outer.digest()[:WORD_BYTES], "big")
        if word < WORDS_SPAN // n * n:
            return word % n
        return ticket_below(n, seed=self._seed, message=self._start + rest)


@lru_cache(maxsize=PAIRS_KEPT_MAX)
def pair_draws(*, server_seed: bytes, config_hash: bytes, user_key: bytes) -> PairDraws:
    """The same, kept for the pair's next opening."""
    return PairDraws(server_seed=server_seed, config_hash=config_hash, user_key=user_key)


def draw_again(
    plan: DrawPlan, draws: PairDraws, *, nonce: int, client_seed_hash: bytes
) -> tuple[list[int], list[str]]:
    """All numbers of a pack, and its cards."""
    number, count = draws.number, nonce.to_bytes(8, "big")
    drawn = number(
        plan.layout_sums[-1], nonce=count, draw_index=0, client_seed_hash=client_seed_hash
    )
    tickets, cards, draw_index = [drawn], [], 1
    for card in plan.layouts[bisect_right(plan.layout_sums, drawn)]:
        drawn = number(
            card.sums[-1], nonce=count, draw_index=draw_index, client_seed_hash=client_seed_hash
        )
        tickets.append(drawn)
        tier = card.tiers[bisect_right(card.sums, drawn)]
        drawn = number(
            tier.sums[-1], nonce=count, draw_index=draw_index + 1, client_seed_hash=client_seed_hash
        )
        tickets.append(drawn)
        cards.append(tier.cards[bisect_right(tier.sums, drawn)])
        draw_index += 2
    return tickets, cards


def check_opened(
    leaf: PackOpened, plan: DrawPlan, *, server_seed: bytes | None, name: str
) -> list[Mismatch]:
    """The numbers follow from the seeds, the cards from the numbers.

    Without the server seed, that the logged numbers select the logged cards.
    """
    found: list[Mismatch] = []
    if server_seed is None:
        found += _check_stated(leaf, plan, name=name)
    else:
        draws = pair_draws(
            server_seed=server_seed,
            config_hash=plan.config_hash,
            user_key=bytes.fromhex(leaf.user_key),
        )
        tickets, cards = draw_again(
            plan, draws, nonce=leaf.nonce, client_seed_hash=bytes.fromhex(leaf.client_seed_hash)
        )
        found += differing(f"{name}.tickets", tickets, leaf.tickets)
        found += differing(f"{name}.cards", cards, leaf.cards)
    if leaf.paid_out:
        found += _check_paid_out(leaf, plan, name=name)
    return found


def differing(field: str, expected: Sequence[object], found: Sequence[object]) -> list[Mismatch]:
    """Where two lists differ: in their length, or at these places."""
    if len(expected) != len(found):
        return [Mismatch(field, f"{len(expected)} of them", str(len(found)))]
    if tuple(expected) == tuple(found):
        return []
    return [
        Mismatch(f"{field}[{place}]", str(wanted), str(there))
        for place, (wanted, there) in enumerate(zip(expected, found, strict=True))
        if wanted != there
    ]


def _check_stated(leaf: PackOpened, plan: DrawPlan, *, name: str) -> Iterator[Mismatch]:
    stated = iter(enumerate(leaf.tickets))

    def choose(sums: Sequence[int]) -> int:
        place, number = next(stated, (len(leaf.tickets), None))
        if number is None:
            raise _Ends(Mismatch(f"{name}.tickets", "two for each card and one", str(place)))
        if number >= sums[-1]:
            raise _Ends(Mismatch(f"{name}.tickets[{place}]", f"below {sums[-1]}", str(number)))
        return bisect_right(sums, number)

    cards = []
    try:
        for card in plan.layouts[choose(plan.layout_sums)]:
            tier = card.tiers[choose(card.sums)]
            cards.append(tier.cards[choose(tier.sums)])
    except _Ends as end:
        yield end.mismatch
        return
    wanted = 1 + 2 * len(cards)
    if len(leaf.tickets) != wanted:
        yield Mismatch(f"{name}.tickets", f"{wanted} of them", str(len(leaf.tickets)))
    yield from differing(f"{name}.cards", cards, leaf.cards)


class _Ends(Exception):
    """A number that selects nothing."""

    def __init__(self, mismatch: Mismatch) -> None:
        self.mismatch = mismatch
        super().__init__(str(mismatch))


def _check_paid_out(leaf: PackOpened, plan: DrawPlan, *, name: str) -> Iterator[Mismatch]:
    if list(leaf.paid_out) != sorted(set(leaf.paid_out)):
        wanted = "places in their order, each once"
        yield Mismatch(f"{name}.paid_out", wanted, str(list(leaf.paid_out)))
    for i, place in enumerate(leaf.paid_out):
        if place >= len(leaf.cards):
            wanted = f"a place below {len(leaf.cards)}"
            yield Mismatch(f"{name}.paid_out[{i}]", wanted, str(place))
        elif leaf.cards[place] not in plan.physical:
            wanted = "the place of a physical card: a digital one never runs out"
            yield Mismatch(f"{name}.paid_out[{i}]", wanted, str(place))
