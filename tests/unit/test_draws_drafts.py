"""Drafts: what an operator may write, and how every mistake is answered with its place."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from packhouse.draws import (
    CardFact,
    DraftCard,
    DraftLayout,
    DraftLot,
    DraftPrize,
    DraftSlot,
    DraftTier,
    PackDraft,
    compose_lot_prizes,
    compose_odds,
)
from packhouse.foundation.errors import FieldError, InvalidInput
from packhouse.foundation.identifiers import CardId, new_id
from packhouse.foundation.limits import (
    CARDS_PER_PACK_MAX,
    LOT_PACKS_MAX,
    ODDS_WEIGHT_MAX,
    PACK_PRICE_MAX_MINOR,
)
from worlds.four_packs import (
    FINITE_LOT,
    RARE_LAYOUT_PACK,
    TIER_ODDS_PACK,
    VEIL,
    config_of,
    lot_config_of,
    odds_draft,
    slot,
)


def problems_of_odds(draft: PackDraft, facts: Sequence[CardFact] = VEIL) -> tuple[FieldError, ...]:
    with pytest.raises(InvalidInput) as refusal:
        compose_odds(draft, slug="veil", number=1, facts=facts)
    return refusal.value.errors


def problems_of_lot(draft: PackDraft) -> tuple[FieldError, ...]:
    with pytest.raises(InvalidInput) as refusal:
        compose_lot_prizes(draft, facts=VEIL)
    return refusal.value.errors


def one_tier(tier: DraftTier) -> PackDraft:
    return odds_draft(DraftLayout("One", (DraftSlot("Card", (tier,)),)))


def lot(**changes: Any) -> PackDraft:  # noqa: ANN401 - any fields of a lot
    assert FINITE_LOT.lot is not None
    return msgspec.structs.replace(
        FINITE_LOT, lot=msgspec.structs.replace(FINITE_LOT.lot, **changes)
    )


def test_composing_the_same_draft_gives_the_same_configuration() -> None:
    assert config_of(RARE_LAYOUT_PACK) == config_of(RARE_LAYOUT_PACK)
    assert lot_config_of(FINITE_LOT) == lot_config_of(FINITE_LOT)


def test_a_draft_carries_its_terms_into_the_configuration() -> None:
    config = config_of(TIER_ODDS_PACK)
    assert (config.format, config.slug, config.number) == ("packhouse.pack/1", "veil", 1)
    assert (config.kind, config.price, config.out_of_stock) == ("odds", 500, "pay_locked_value")
    assert config.sell_back.rate_basis_points == 8_000
    assert config.sell_back.window_seconds == 7 * 24 * 60 * 60
    assert config.lot is None


def test_a_tier_without_a_list_is_every_card_of_the_tier_alike() -> None:
    ((tier,),) = [table.odds for table in config_of(one_tier(DraftTier("B", 1))).layouts[0].slots]
    assert [(card.card, card.weight) for card in tier.cards] == [
        (fact.id, 1) for fact in VEIL if fact.tier == "B"
    ]


def test_a_tier_takes_only_cards_of_the_drafts_sets() -> None:
    stranger = msgspec.structs.replace(VEIL[0], set_code="DUSK")
    config = compose_odds(
        one_tier(DraftTier("D", 1)), slug="veil", number=1, facts=[stranger, *VEIL[1:]]
    )
    cards = [card.card for card in config.layouts[0].slots[0].odds[0].cards]
    assert cards == [fact.id for fact in VEIL[1:] if fact.tier == "D"]


def test_a_listed_card_keeps_its_weight_and_locks_its_value() -> None:
    draft = one_tier(DraftTier("S", 1, cards=(DraftCard("VEIL-020", 3), DraftCard("VEIL-019"))))
    cards = config_of(draft).layouts[0].slots[0].odds[0].cards
    assert [(card.card, card.weight, card.value, card.physical) for card in cards] == [
        (VEIL[19].id, 3, VEIL[19].value, True),
        (VEIL[18].id, 1, VEIL[18].value, True),
    ]


def test_tiers_stand_weakest_first_however_they_were_written() -> None:
    tiers = (DraftTier("SSS", 1), DraftTier("D", 90), DraftTier("A", 9))
    config = config_of(odds_draft(DraftLayout("One", (DraftSlot("Card", tiers),))))
    odds = config.layouts[0].slots[0].odds
    assert [(tier.tier, tier.weight) for tier in odds] == [("D", 90), ("A", 9), ("SSS", 1)]


def test_an_odds_pack_without_layouts_is_refused() -> None:
    assert [error.field for error in problems_of_odds(odds_draft())] == ["layouts"]


def test_an_odds_pack_with_a_lot_is_refused() -> None:
    draft = msgspec.structs.replace(TIER_ODDS_PACK, lot=FINITE_LOT.lot)
    assert [error.field for error in problems_of_odds(draft)] == ["lot"]


def test_a_tier_without_any_card_is_refused_at_its_place_in_the_draft() -> None:
    draft = odds_draft(
        DraftLayout("Good", (slot("Card", D=1),)),
        DraftLayout(
            "Bad", (slot("Card", D=1), DraftSlot("Hit", (DraftTier("SSS", 1), DraftTier("D", 1))))
        ),
    )
    problems = problems_of_odds(draft, facts=VEIL[:-1])
    assert [error.field for error in problems] == ["layouts[1].slots[1].odds[0]"]
    assert "SSS" in problems[0].message


def test_a_tier_that_stands_twice_in_a_slot_is_refused() -> None:
    tiers = (DraftTier("D", 1), DraftTier("D", 2))
    draft = odds_draft(DraftLayout("One", (DraftSlot("Card", tiers),)))
    assert [error.field for error in problems_of_odds(draft)] == ["layouts[0].slots[0].odds"]


@pytest.mark.parametrize(
    ("cards", "field", "words"),
    [
        ((DraftCard("VEIL-001"), DraftCard("VEIL-099")), ".cards[1].card", "no card VEIL-099"),
        ((DraftCard("VEIL-007"),), ".cards[0].card", "VEIL-007 is of tier C, not D"),
        ((DraftCard("VEIL-001"), DraftCard("VEIL-001", 2)), ".cards", "once in a tier"),
        ((), ".cards", "leave the list out"),
    ],
)
def test_a_wrong_card_list_is_refused_at_its_place(
    cards: tuple[DraftCard, ...], field: str, words: str
) -> None:
    (problem,) = problems_of_odds(one_tier(DraftTier("D", 1, cards=cards)))
    assert problem.field == "layouts[0].slots[0].odds[0]" + field
    assert words in problem.message


def test_a_pack_of_too_many_cards_is_refused_at_its_layout() -> None:
    full = slot("Full", count=CARDS_PER_PACK_MAX, D=1)
    config_of(odds_draft(DraftLayout("Full", (full,))))
    draft = odds_draft(DraftLayout("Full", (full,)), DraftLayout("More", (full, slot("Card", C=1))))
    (problem,) = problems_of_odds(draft)
    assert problem.field == "layouts[1]"
    assert f"{CARDS_PER_PACK_MAX + 1} cards" in problem.message


def test_weights_are_taken_as_long_as_their_sum_is_exact_in_json() -> None:
    most = (2**53 - 1) // ODDS_WEIGHT_MAX
    tier_d = next(fact for fact in VEIL if fact.tier == "D")
    facts = [
        msgspec.structs.replace(tier_d, id=CardId(new_id()), number=f"{n:05}")
        for n in range(most + 1)
    ]
    heavy = [DraftCard(fact.code, ODDS_WEIGHT_MAX) for fact in facts]
    draft = one_tier(DraftTier("D", 1, cards=tuple(heavy[:most])))
    compose_odds(draft, slug="veil", number=1, facts=facts)
    (problem,) = problems_of_odds(one_tier(DraftTier("D", 1, cards=tuple(heavy))), facts=facts)
    assert problem.field == "layouts[0].slots[0].odds[0].cards"
    assert f"{(most + 1) * ODDS_WEIGHT_MAX:,}" in problem.message


@pytest.mark.parametrize("too_much", [2**53, 2**53 + 1])
def test_the_weights_of_every_list_have_an_exact_sum(too_much: int) -> None:
    rest = too_much - 1
    tiers = DraftSlot("Card", (DraftTier("D", 1), DraftTier("C", rest)))
    (problem,) = problems_of_odds(odds_draft(DraftLayout("One", (tiers,))))
    assert problem.field == "layouts[0].slots[0].odds"
    card = (slot("Card", D=1),)
    draft = odds_draft(DraftLayout("One", card), DraftLayout("Two", card, weight=rest))
    (problem,) = problems_of_odds(draft)
    assert problem.field == "layouts"


def test_every_problem_is_told_at_once() -> None:
    bad_slot = DraftSlot("Card", (DraftTier("D", 1, cards=(DraftCard("NONE-1"),)),))
    draft = odds_draft(
        DraftLayout("One", (bad_slot,)),
        DraftLayout("Two", (bad_slot, slot("Many", count=CARDS_PER_PACK_MAX, D=1))),
    )
    assert [error.field for error in problems_of_odds(draft)] == [
        "layouts[0].slots[0].odds[0].cards[0].card",
        "layouts[1].slots[0].odds[0].cards[0].card",
        "layouts[1]",
    ]


def test_a_lots_prizes_carry_what_the_cards_are() -> None:
    prizes, last_one = compose_lot_prizes(FINITE_LOT, facts=VEIL)
    assert [(prize.tier, prize.count, prize.physical) for prize in prizes] == [
        ("SS", 1, True),
        ("A", 3, True),
        ("B", 12, True),
        ("D", 24, False),
    ]
    assert last_one is not None
    assert (last_one.card, last_one.tier, last_one.count) == (VEIL[-1].id, "SSS", 1)


def test_a_lot_needs_no_last_one_prize() -> None:
    assert compose_lot_prizes(lot(last_one=None), facts=VEIL)[1] is None


def test_a_lot_without_its_prize_list_is_refused() -> None:
    draft = msgspec.structs.replace(FINITE_LOT, lot=None)
    assert [error.field for error in problems_of_lot(draft)] == ["lot"]


def test_a_lot_with_layouts_is_refused() -> None:
    draft = msgspec.structs.replace(FINITE_LOT, layouts=TIER_ODDS_PACK.layouts)
    assert [error.field for error in problems_of_lot(draft)] == ["layouts"]


def test_a_draft_with_layouts_instead_of_a_lot_names_both_fields() -> None:
    assert [error.field for error in problems_of_lot(TIER_ODDS_PACK)] == ["layouts", "lot"]


@pytest.mark.parametrize("packs", [19, 21])
def test_a_prize_list_that_does_not_fill_the_packs_is_refused(packs: int) -> None:
    (problem,) = problems_of_lot(lot(packs=packs))
    assert problem.field == "lot.prizes"
    assert f"need {packs * 2} prizes; the list has 40" in problem.message


def test_unknown_prizes_are_refused_at_their_places() -> None:
    prizes = (DraftPrize("NONE-1", count=39), DraftPrize("VEIL-001"))
    problems = problems_of_lot(lot(prizes=prizes, last_one="NONE-2"))
    assert [error.field for error in problems] == ["lot.prizes[0].card", "lot.last_one"]


def test_a_draft_survives_json() -> None:
    for draft in (TIER_ODDS_PACK, RARE_LAYOUT_PACK, FINITE_LOT):
        assert msgspec.json.decode(msgspec.json.encode(draft), type=PackDraft) == draft


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"name": ""}, "$.name"),
        ({"name": "x" * 81}, "$.name"),
        ({"description": "x" * 601}, "$.description"),
        ({"kind": "raffle"}, "$.kind"),
        ({"price": 0}, "$.price"),
        ({"price": PACK_PRICE_MAX_MINOR + 1}, "$.price"),
        ({"price": 4.99}, "$.price"),
        ({"sell_back_rate_basis_points": 10_001}, "$.sell_back_rate_basis_points"),
        ({"sell_back_rate_basis_points": -1}, "$.sell_back_rate_basis_points"),
        ({"sell_back_window_days": -1}, "$.sell_back_window_days"),
    ],
)
def test_a_term_out_of_its_bounds_is_refused_by_name(changes: dict[str, Any], place: str) -> None:
    written = msgspec.to_builtins(TIER_ODDS_PACK) | changes
    with pytest.raises(msgspec.ValidationError) as refusal:
        msgspec.convert(written, PackDraft)
    assert f"`{place}`" in str(refusal.value)


@pytest.mark.parametrize(
    ("written", "draft_type", "place"),
    [
        ({"tier": "D", "weight": 0}, DraftTier, "$.weight"),
        ({"tier": "D", "weight": ODDS_WEIGHT_MAX + 1}, DraftTier, "$.weight"),
        ({"tier": "D", "weight": 0.65}, DraftTier, "$.weight"),
        ({"tier": "SSSS", "weight": 1}, DraftTier, "$.tier"),
        ({"card": "VEIL-001", "weight": 0}, DraftCard, "$.weight"),
        ({"name": "Card", "odds": []}, DraftSlot, "$.odds"),
        (
            {"name": "Card", "odds": [{"tier": "D", "weight": 1}], "count": 0},
            DraftSlot,
            "$.count",
        ),
        ({"name": "One", "slots": []}, DraftLayout, "$.slots"),
        ({"card": "VEIL-001", "count": 0}, DraftPrize, "$.count"),
        ({"packs": LOT_PACKS_MAX + 1, "prizes": [{"card": "VEIL-001"}]}, DraftLot, "$.packs"),
        ({"packs": 1, "prizes": []}, DraftLot, "$.prizes"),
    ],
)
def test_a_part_out_of_its_bounds_is_refused_by_name(
    written: dict[str, Any], draft_type: type[msgspec.Struct], place: str
) -> None:
    with pytest.raises(msgspec.ValidationError) as refusal:
        msgspec.convert(written, draft_type)
    assert f"`{place}`" in str(refusal.value)


def test_a_misspelt_field_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="wieght"):
        msgspec.convert({"tier": "D", "weight": 1, "wieght": 2}, DraftTier)
