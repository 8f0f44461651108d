"""Deciding: what a pack holds, as a pure function of published and committed things.

The server runs it to open a pack; anyone runs it again to verify. No clock, no chance, no stock,
no I/O: want of stock never redraws.
"""

from bisect import bisect_right
from collections.abc import MutableSequence, Sequence
from itertools import accumulate
from typing import TypeVar

import msgspec

from packhouse.draws.model import DrawnCard, Layout, LotDraw, LotItem, Outcome, PackConfig, Ticket
from packhouse.draws.tickets import (
    client_seed_hash,
    lot_message,
    mac_under,
    odds_message,
    ticket_below,
)
from packhouse.foundation.identifiers import CardId

Left = TypeVar("Left")

LAYOUT_DRAW_INDEX = 0
"""The layout is draw 0; card number i (from 0) uses draws 1 + 2i (tier) and 2 + 2i (card)."""


class _Table(msgspec.Struct, frozen=True):
    """Running sums of weights: choice k owns the tickets bounds[k-1] … bounds[k] - 1."""

    bounds: tuple[int, ...]
    total: int

    def choice_of(self, number: int) -> int:
        return bisect_right(self.bounds, number)


class _CompiledSlot(msgspec.Struct, frozen=True):
    slot_index: int
    tiers: _Table
    cards: tuple[_Table, ...]


class CompiledConfig(msgspec.Struct, frozen=True):
    """An odds pack's configuration with its running sums made once, for the process's life."""

    config: PackConfig
    config_hash: bytes
    card_ids: tuple[CardId, ...]
    layouts: _Table
    slots: tuple[tuple[_CompiledSlot, ...], ...]


def compile_config(config: PackConfig, config_hash: bytes) -> CompiledConfig:
    """Make the running sums of an odds pack; a lot has none."""
    return CompiledConfig(
        config=config,
        config_hash=config_hash,
        card_ids=tuple(list_card_ids(config)),
        layouts=_table([layout.weight for layout in config.layouts]),
        slots=tuple(_compile_layout(layout) for layout in config.layouts),
    )


def list_card_ids(config: PackConfig) -> list[CardId]:
    """Every card that the pack can hold, each once, in the order of first mention."""
    if config.lot is not None:
        last_one = [] if config.lot.last_one is None else [config.lot.last_one]
        return list(dict.fromkeys(prize.card for prize in (*config.lot.prizes, *last_one)))
    return list(
        dict.fromkeys(
            card.card
            for layout in config.layouts
            for slot in layout.slots
            for tier in slot.odds
            for card in tier.cards
        )
    )


def decide(
    compiled: CompiledConfig, *, server_seed: bytes, user_key: bytes, nonce: int, client_seed: str
) -> Outcome:
    """What the pack with this nonce holds."""
    seed_hash = client_seed_hash(client_seed)
    mac = mac_under(server_seed)

    def draw(n: int, draw_index: int) -> Ticket:
        message = odds_message(
            config_hash=compiled.config_hash,
            user_key=user_key,
            nonce=nonce,
            draw_index=draw_index,
            client_seed_hash=seed_hash,
        )
        return Ticket(ticket_below(n, mac=mac, message=message), n)

    layout_ticket = draw(compiled.layouts.total, LAYOUT_DRAW_INDEX)
    layout_index = compiled.layouts.choice_of(layout_ticket.number)
    layout = compiled.config.layouts[layout_index]
    cards = []
    for index, compiled_slot in enumerate(compiled.slots[layout_index]):
        slot = layout.slots[compiled_slot.slot_index]
        tier_ticket = draw(compiled_slot.tiers.total, 1 + 2 * index)
        tier_index = compiled_slot.tiers.choice_of(tier_ticket.number)
        table = compiled_slot.cards[tier_index]
        card_ticket = draw(table.total, 2 + 2 * index)
        tier = slot.odds[tier_index]
        card = tier.cards[table.choice_of(card_ticket.number)]
        cards.append(
            DrawnCard(
                slot=slot.name,
                tier=tier.tier,
                card=card.card,
                value=card.value,
                physical=card.physical,
                tier_ticket=tier_ticket,
                card_ticket=card_ticket,
            )
        )
    return Outcome(layout=layout.name, layout_ticket=layout_ticket, cards=tuple(cards))


def decide_lot(
    *,
    lot_seed: bytes,
    manifest_root: bytes,
    first_draw: int,
    draws: int,
    user_key: bytes,
    client_seed: str,
    remaining: Sequence[LotItem],
) -> list[LotDraw]:
    """``draws`` draws of a lot in a row, each from what the one before left.

    ``remaining`` are the undrawn items in the manifest's order, without the last-one prize, which
    is not drawn; draws are numbered from ``first_draw`` without gaps. Raises ``ValueError`` when
    fewer items remain than are to be drawn.
    """
    drawn = draw_from(
        list(remaining),
        lot_seed=lot_seed,
        manifest_root=manifest_root,
        first_draw=first_draw,
        draws=draws,
        user_key=user_key,
        client_seed=client_seed,
    )
    return [LotDraw(draw=draw, ticket=ticket, item=item) for draw, ticket, item in drawn]


def draw_from(
    left: MutableSequence[Left],
    *,
    lot_seed: bytes,
    manifest_root: bytes,
    first_draw: int,
    draws: int,
    user_key: bytes,
    client_seed: str,
) -> list[tuple[int, Ticket, Left]]:
    """``decide_lot`` over whatever stands for the items; what is drawn is taken out of ``left``."""
    seed_hash = client_seed_hash(client_seed)
    mac = mac_under(lot_seed)
    drawn = []
    for draw in range(first_draw, first_draw + draws):
        message = lot_message(
            manifest_root=manifest_root, draw=draw, user_key=user_key, client_seed_hash=seed_hash
        )
        ticket = Ticket(ticket_below(len(left), mac=mac, message=message), len(left))
        drawn.append((draw, ticket, left.pop(ticket.number)))
    return drawn


def _compile_layout(layout: Layout) -> tuple[_CompiledSlot, ...]:
    return tuple(
        _CompiledSlot(
            slot_index=slot_index,
            tiers=_table([tier.weight for tier in slot.odds]),
            cards=tuple(_table([card.weight for card in tier.cards]) for tier in slot.odds),
        )
        for slot_index, slot in enumerate(layout.slots)
        for _ in range(slot.count)
    )


def _table(weights: Sequence[int]) -> _Table:
    bounds = tuple(accumulate(weights))
    return _Table(bounds=bounds, total=bounds[-1] if bounds else 1)
