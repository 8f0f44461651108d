"""Deciding a pack, against a second implementation written here from the description alone."""

import hashlib
import hmac
import itertools
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packhouse.draws import (
    CardOdds,
    CompiledConfig,
    DraftLayout,
    DrawnCard,
    Layout,
    Outcome,
    PackConfig,
    PackDraft,
    Slot,
    Ticket,
    TierOdds,
    canonical_config,
    compile_config,
    decide,
    hash_of,
    list_card_ids,
)
from packhouse.foundation.identifiers import CardId
from packhouse.foundation.tiers import TIERS, is_at_least
from worlds.four_packs import (
    FINITE_LOT,
    GUARANTEED_HIT_PACK,
    RARE_LAYOUT_PACK,
    TIER_ODDS_PACK,
    VEIL,
    config_of,
    lot_config_of,
    odds_draft,
    slot,
)

SERVER_SEED = bytes(range(32))
USER_KEY = bytes(range(100, 116))
ODDS_PACKS = [TIER_ODDS_PACK, GUARANTEED_HIT_PACK, RARE_LAYOUT_PACK]


def compiled_of(draft: PackDraft) -> CompiledConfig:
    config = config_of(draft)
    return compile_config(config, hash_of(canonical_config(config)))


def opened(
    compiled: CompiledConfig, *, nonce: int = 0, client_seed: str = "quiet heron"
) -> Outcome:
    return decide(
        compiled,
        server_seed=SERVER_SEED,
        user_key=USER_KEY,
        nonce=nonce,
        client_seed=client_seed,
    )


def drawn_anew(
    config: PackConfig,
    *,
    server_seed: bytes = SERVER_SEED,
    user_key: bytes = USER_KEY,
    nonce: int = 0,
    client_seed: str = "quiet heron",
) -> Outcome:
    """The description in ``draws.tickets`` and ``draws.decide``, done the slow and plain way."""
    config_hash = hashlib.sha256(canonical_config(config)).digest()
    seed_hash = hashlib.sha256(client_seed.encode()).digest()

    def ticket(n: int, draw_index: int) -> Ticket:
        numbers = nonce.to_bytes(8, "big") + draw_index.to_bytes(4, "big")
        message = b"packhouse/draw/1" + config_hash + user_key + numbers + seed_hash
        for counter in itertools.count():
            block = hmac.new(server_seed, message + counter.to_bytes(4, "big"), "sha256").digest()
            for start in range(0, 32, 8):
                word = int.from_bytes(block[start : start + 8], "big")
                if word < 2**64 // n * n:
                    return Ticket(word % n, n)
        raise AssertionError

    def chosen(weights: list[int], number: int) -> int:
        for index, weight in enumerate(weights):
            if number < weight:
                return index
            number -= weight
        raise AssertionError

    layout_weights = [layout.weight for layout in config.layouts]
    layout_ticket = ticket(sum(layout_weights), 0)
    layout = config.layouts[chosen(layout_weights, layout_ticket.number)]
    cards = []
    tables = [slot for slot in layout.slots for _ in range(slot.count)]
    for index, table in enumerate(tables):
        tier_weights = [tier.weight for tier in table.odds]
        tier_ticket = ticket(sum(tier_weights), 1 + 2 * index)
        tier = table.odds[chosen(tier_weights, tier_ticket.number)]
        card_weights = [card.weight for card in tier.cards]
        card_ticket = ticket(sum(card_weights), 2 + 2 * index)
        card = tier.cards[chosen(card_weights, card_ticket.number)]
        cards.append(
            DrawnCard(
                slot=table.name,
                tier=tier.tier,
                card=card.card,
                value=card.value,
                physical=card.physical,
                tier_ticket=tier_ticket,
                card_ticket=card_ticket,
            )
        )
    return Outcome(layout=layout.name, layout_ticket=layout_ticket, cards=tuple(cards))


@st.composite
def configs(draw: st.DrawFn) -> PackConfig:
    """Packs with any weights at all, up to what a draft may have."""
    weights = st.one_of(st.integers(1, 5), st.integers(1, 10**12))
    numbers = itertools.count(1)

    def tier_odds(tier_index: int) -> TierOdds:
        cards = tuple(
            CardOdds(CardId(UUID(int=next(numbers))), draw(weights), value=1, physical=False)
            for _ in range(draw(st.integers(1, 4)))
        )
        return TierOdds(TIERS[tier_index], draw(weights), cards)

    def any_slot(name: str) -> Slot:
        tiers = tuple(tier_odds(index) for index in range(draw(st.integers(1, 7))))
        return Slot(name, draw(st.integers(1, 3)), tiers)

    layouts = tuple(
        Layout(f"layout {i}", draw(weights), tuple(any_slot(f"slot {j}") for j in range(2)))
        for i in range(draw(st.integers(1, 3)))
    )
    return msgspec.structs.replace(config_of(TIER_ODDS_PACK), layouts=layouts)


@given(
    configs(),
    st.binary(min_size=32, max_size=32),
    st.binary(min_size=16, max_size=16),
    st.integers(0, 2**63 - 1),
    st.text(min_size=1, max_size=128),
)
def test_any_pack_is_decided_as_the_description_says(
    config: PackConfig, server_seed: bytes, user_key: bytes, nonce: int, client_seed: str
) -> None:
    compiled = compile_config(config, hash_of(canonical_config(config)))
    outcome = decide(
        compiled, server_seed=server_seed, user_key=user_key, nonce=nonce, client_seed=client_seed
    )
    assert outcome == drawn_anew(
        config, server_seed=server_seed, user_key=user_key, nonce=nonce, client_seed=client_seed
    )


@pytest.mark.parametrize("draft", ODDS_PACKS)
def test_the_same_inputs_give_the_same_cards(draft: PackDraft) -> None:
    assert [opened(compiled_of(draft), nonce=n) for n in range(20)] == [
        opened(compiled_of(draft), nonce=n) for n in range(20)
    ]


def test_a_decided_pack_has_these_golden_cards() -> None:
    outcome = opened(compiled_of(GUARANTEED_HIT_PACK), nonce=7)
    numbers = {fact.id: fact.number for fact in VEIL}
    cards = [(numbers[c.card], c.tier_ticket.number, c.card_ticket.number) for c in outcome.cards]
    assert cards == [
        ("005", 13, 4),
        ("004", 20, 3),
        ("004", 28, 3),
        ("002", 64, 1),
        ("002", 69, 1),
        ("003", 66, 2),
        ("005", 5, 4),
        ("012", 633, 0),
    ]


@pytest.mark.parametrize("draft", ODDS_PACKS)
def test_a_pack_holds_the_cards_that_its_layout_lists(draft: PackDraft) -> None:
    compiled = compiled_of(draft)
    layouts = {layout.name: layout for layout in compiled.config.layouts}
    for nonce in range(200):
        outcome = opened(compiled, nonce=nonce)
        tables = [table for table in layouts[outcome.layout].slots for _ in range(table.count)]
        assert [card.slot for card in outcome.cards] == [table.name for table in tables]
        for card, table in zip(outcome.cards, tables, strict=True):
            (tier,) = [tier for tier in table.odds if tier.tier == card.tier]
            (listed,) = [listed for listed in tier.cards if listed.card == card.card]
            assert (card.value, card.physical) == (listed.value, listed.physical)
            assert card.tier_ticket.of == sum(tier.weight for tier in table.odds)
            assert card.card_ticket.of == sum(listed.weight for listed in tier.cards)


def test_a_tier_pack_holds_one_card() -> None:
    assert len(opened(compiled_of(TIER_ODDS_PACK)).cards) == 1


def test_the_eighth_card_is_always_b_or_better_and_the_others_never() -> None:
    compiled = compiled_of(GUARANTEED_HIT_PACK)
    for nonce in range(300):
        *commons, hit = opened(compiled, nonce=nonce).cards
        assert len(commons) == 7
        assert is_at_least(hit.tier, "B")
        assert not any(is_at_least(card.tier, "B") for card in commons)


def test_a_rare_layout_comes_out_when_its_ticket_is_drawn() -> None:
    compiled = compiled_of(RARE_LAYOUT_PACK)
    outcomes = [opened(compiled, nonce=nonce) for nonce in range(8_000)]
    rare = [outcome for outcome in outcomes if outcome.layout == "Rare"]
    assert rare
    assert all(outcome.layout_ticket.number >= 9_995 for outcome in rare)
    assert all(is_at_least(card.tier, "A") for outcome in rare for card in outcome.cards)


def test_changing_any_one_input_changes_the_tickets() -> None:
    compiled = compiled_of(GUARANTEED_HIT_PACK)
    other_config = config_of(
        msgspec.structs.replace(GUARANTEED_HIT_PACK, price=GUARANTEED_HIT_PACK.price + 1)
    )

    def tickets(
        compiled: CompiledConfig = compiled,
        server_seed: bytes = SERVER_SEED,
        user_key: bytes = USER_KEY,
        nonce: int = 5,
        client_seed: str = "quiet heron",
    ) -> tuple[Ticket, ...]:
        outcome = decide(
            compiled,
            server_seed=server_seed,
            user_key=user_key,
            nonce=nonce,
            client_seed=client_seed,
        )
        return tuple(card.tier_ticket for card in outcome.cards)

    variants = {
        tickets(),
        tickets(server_seed=SERVER_SEED[:-1] + b"\xff"),
        tickets(user_key=USER_KEY[:-1] + b"\xff"),
        tickets(nonce=6),
        tickets(client_seed="quiet herons"),
        tickets(compile_config(other_config, hash_of(canonical_config(other_config)))),
    }
    assert len(variants) == 6


def test_the_cards_of_one_pack_are_drawn_apart() -> None:
    compiled = compiled_of(odds_draft(DraftLayout("Twenty", (slot("Card", count=20, C=1),))))
    tickets = [card.card_ticket.number for card in opened(compiled).cards]
    assert len(set(tickets)) == 5


def test_a_heavier_last_choice_owns_the_highest_tickets() -> None:
    compiled = compiled_of(odds_draft(DraftLayout("One", (slot("Card", D=1, C=2),))))
    for nonce in range(50):
        (card,) = opened(compiled, nonce=nonce).cards
        assert card.tier == ("D" if card.tier_ticket.number == 0 else "C")


def test_the_cards_of_an_odds_pack_are_listed_once_each() -> None:
    assert list_card_ids(config_of(RARE_LAYOUT_PACK)) == [fact.id for fact in VEIL]


def test_the_cards_of_a_lot_include_the_last_one_prize() -> None:
    numbers = {fact.id: fact.number for fact in VEIL}
    listed = [numbers[card] for card in list_card_ids(lot_config_of(FINITE_LOT))]
    assert listed == ["021", "016", "012", "001", "022"]
