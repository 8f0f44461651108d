"""The demo shop's invented sets are whole, and their pictures can be made again at any time."""

import io
import itertools
from collections import Counter

import pytest
from PIL import Image

from packhouse.demo import (
    WRAPPERS,
    DemoCard,
    list_demo_cards,
    render_card_art,
    render_card_back,
    render_pack_wrapper,
)
from packhouse.demo.art import FLAVOUR_PIXELS, FLAVOUR_ROOM, wrap
from packhouse.demo.frames import fit_name
from packhouse.demo.palettes import ELEMENTS
from packhouse.demo.scenes import SCENES
from packhouse.demo.stencil import lettering
from packhouse.foundation.tiers import TIERS, Tier


def one_card_of(tier: Tier) -> DemoCard:
    return next(card for card in list_demo_cards() if card.tier == tier)


def size_of(picture: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(picture)) as opened:
        opened.load()
        assert opened.format == "WEBP"
        return opened.size


def test_the_tiers_form_a_pyramid() -> None:
    counts = Counter(card.tier for card in list_demo_cards())
    assert counts == {"D": 48, "C": 36, "B": 24, "A": 14, "S": 9, "SS": 6, "SSS": 4}


def test_both_sets_hold_cards_of_every_tier() -> None:
    held = {(card.set_code, card.tier) for card in list_demo_cards()}
    assert held == set(itertools.product(("LNT", "ORY"), TIERS))


def test_every_name_is_unique() -> None:
    names = Counter(card.name.casefold() for card in list_demo_cards())
    assert [name for name, times in names.items() if times > 1] == []


def test_numbers_run_through_each_set_without_gaps() -> None:
    for _, cards in itertools.groupby(list_demo_cards(), key=lambda card: card.set_code):
        numbers = [card.number for card in cards]
        assert numbers == [f"{place:03d}" for place in range(1, len(numbers) + 1)]


def test_a_set_code_has_one_name() -> None:
    assert {(card.set_code, card.set_name) for card in list_demo_cards()} == {
        ("LNT", "The Lantern Tides"),
        ("ORY", "The Hollow Orrery"),
    }


def test_every_card_is_worth_more_than_any_of_a_lower_tier() -> None:
    values = {tier: [c.value_minor for c in list_demo_cards() if c.tier == tier] for tier in TIERS}
    for lower, higher in itertools.pairwise(TIERS):
        assert max(values[lower]) < min(values[higher])


def test_only_physical_cards_have_weight() -> None:
    for card in list_demo_cards():
        assert (card.weight_grams > 0) == (card.kind == "physical"), card.name


def test_the_digital_cards_belong_to_the_second_set() -> None:
    digital = [card.set_code for card in list_demo_cards() if card.kind == "digital"]
    assert Counter(digital) == {"ORY": 20}


def test_every_card_names_a_known_element_and_motif() -> None:
    for card in list_demo_cards():
        assert card.element in ELEMENTS, card.name
        assert card.motif in SCENES, card.name


def test_every_motif_is_on_a_card() -> None:
    assert {card.motif for card in list_demo_cards()} == set(SCENES)


def test_every_name_fits_its_plate() -> None:
    for card in list_demo_cards():
        assert fit_name(card.name, card.tier) >= 18


def test_every_flavour_fits_on_two_lines() -> None:
    for card in list_demo_cards():
        lines = wrap(card.flavour, pixels=FLAVOUR_PIXELS, room=FLAVOUR_ROOM)
        assert len(lines) <= 2, card.name
        assert all(lettering(FLAVOUR_PIXELS).getlength(line) <= FLAVOUR_ROOM for line in lines)
        assert " ".join(lines) == card.flavour


def test_a_name_too_long_for_its_plate_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        fit_name("A name that nobody could ever print upon so small a plate", "SSS")


@pytest.mark.parametrize("tier", TIERS)
def test_a_card_is_drawn_the_same_way_every_time(tier: Tier) -> None:
    card = one_card_of(tier)
    assert render_card_art(card, width=240) == render_card_art(card, width=240)


def test_two_cards_of_one_motif_look_different() -> None:
    ships = [card for card in list_demo_cards() if card.motif == "ship"]
    pictures = {render_card_art(card, width=120) for card in ships}
    assert len(pictures) == len(ships)


@pytest.mark.parametrize("motif", SCENES)
def test_every_motif_can_be_painted(motif: str) -> None:
    card = next(card for card in list_demo_cards() if card.motif == motif)
    assert size_of(render_card_art(card, width=120)) == (120, 168)


@pytest.mark.parametrize("width", [120, 333, 480])
def test_a_card_has_the_size_that_was_asked_for(width: int) -> None:
    picture = render_card_art(one_card_of("SSS"), width=width)
    assert size_of(picture) == (width, round(width * 7 / 5))


@pytest.mark.parametrize("tier", TIERS)
def test_a_card_is_light_enough_for_a_phone(tier: Tier) -> None:
    assert len(render_card_art(one_card_of(tier))) < 50_000


def test_the_back_has_the_size_of_a_card() -> None:
    assert size_of(render_card_back(480)) == (480, 672)


@pytest.mark.parametrize("slug", WRAPPERS)
def test_a_wrapper_is_drawn_the_same_way_every_time(slug: str) -> None:
    design = WRAPPERS[slug]
    picture = render_pack_wrapper(design, width=240)
    assert size_of(picture) == (240, 384)
    assert picture == render_pack_wrapper(design, width=240)


def test_what_lies_outside_a_wrapper_is_transparent() -> None:
    picture = render_pack_wrapper(WRAPPERS["first-light"], width=240)
    with Image.open(io.BytesIO(picture)) as opened:
        alpha = opened.getchannel("A")
    assert alpha.getpixel((0, 0)) == 0
    assert alpha.getpixel((120, 192)) == 255
