"""Composing, publishing and withdrawing packs on the operator's pages."""

import io

import httpx
import msgspec
import pytest
from PIL import Image

from packhouse import draws
from packhouse.draws import PackDraft
from packhouse.foundation.errors import FieldError
from packhouse.foundation.tiers import TIERS
from packhouse.house import House
from packhouse.web.operator.forms import Form
from packhouse.web.operator.pack_form import (
    draft_of,
    fields_of,
    fits_the_table,
    place_in_words,
    read_fields,
)
from worlds.four_packs import FINITE_LOT, GUARANTEED_HIT_PACK, RARE_LAYOUT_PACK, TIER_ODDS_PACK

EMBER = {
    "act": "save",
    "slug": "ember",
    "name": "Ember",
    "description": "",
    "price": "9.00",
    "sell_back_rate": "80",
    "sell_back_window_days": "7",
    "kind": "odds",
    "position": "9",
    "sets": "VEIL",
    "layout-0-name": "Standard",
    "layout-0-weight": "1",
    "slot-0-0-name": "Card",
    "slot-0-0-count": "1",
    "slot-0-0-C": "97",
    "slot-0-0-A": "3",
    "slot-0-1-name": "",
    "slot-0-1-count": "1",
}


async def compose(olga: httpx.AsyncClient, **changes: str) -> httpx.Response:
    return await olga.post("/admin/packs/new", data=EMBER | changes)


async def find_pack(house: House, slug: str) -> draws.PackRow | None:
    async with house.database.connection() as connection:
        return await draws.find_pack(connection, slug)


def typed(draft: PackDraft) -> list[tuple[str, str]]:
    """The fields that a browser sends back for a draft in the editor."""
    fields = fields_of(draft, slug="veil", position=3)
    sent = [
        (name, str(value))
        for name, value in msgspec.structs.asdict(fields).items()
        if name not in {"sets", "layouts"}
    ]
    sent += [("sets", code) for code in fields.sets]
    for i, layout in enumerate(fields.layouts):
        sent += [(f"layout-{i}-name", layout.name), (f"layout-{i}-weight", layout.weight)]
        for j, slot in enumerate(layout.slots):
            prefix = f"slot-{i}-{j}"
            sent += [(f"{prefix}-name", slot.name), (f"{prefix}-count", slot.count)]
            sent += [
                (f"{prefix}-{tier}", weight)
                for tier, weight in zip(TIERS, slot.weights, strict=True)
            ]
    return sent


@pytest.mark.parametrize(
    "draft", [TIER_ODDS_PACK, GUARANTEED_HIT_PACK, RARE_LAYOUT_PACK, FINITE_LOT]
)
def test_the_editor_gives_back_each_of_the_four_shapes(draft: PackDraft) -> None:
    form = Form(typed(draft))
    assert draft_of(form, read_fields(form)) == draft
    assert form.problems == {}
    assert fits_the_table(draft)


def test_single_cards_weights_need_the_json() -> None:
    slot = draws.DraftSlot(
        "Card", (draws.DraftTier("C", 1, cards=(draws.DraftCard("VEIL-007", 3),)),)
    )
    layouts = (draws.DraftLayout("One", (slot,)),)
    assert not fits_the_table(msgspec.structs.replace(TIER_ODDS_PACK, layouts=layouts))


def test_a_problem_is_told_by_its_place_in_the_editor() -> None:
    error = FieldError("layouts[0].slots[1].odds[2]", "")
    assert place_in_words(error) == "Layout 1, slot 2"
    assert place_in_words(FieldError("lot.prizes[3].card", "")) == "Prize line 4"


async def test_figures_are_shown_before_anything_is_saved(
    house: House, olga: httpx.AsyncClient
) -> None:
    # VEIL's C cards are worth 42 to 46 (44 on average), its A cards 916 to 918 (917).
    shown = await compose(olga, act="preview")
    assert shown.status_code == 200
    assert "0.7019" in shown.text
    assert "not saved yet" in shown.text
    assert await find_pack(house, "ember") is None


async def test_a_pack_is_saved_published_and_withdrawn(
    house: House, olga: httpx.AsyncClient
) -> None:
    saved = await compose(olga)
    assert saved.headers["location"] == "/admin/packs/ember?done=saved"
    published = await olga.post("/admin/packs/ember/versions", data={"publish_reason": ""})
    assert published.headers["location"] == "/admin/packs/ember?done=published&count=1"
    assert (await house.packs.get_pack(house.database, "ember")).config.price == 900
    nameless = await olga.post("/admin/packs/ember/withdrawal", data={"withdraw_reason": " "})
    assert nameless.status_code == 422
    withdrawn = await olga.post("/admin/packs/ember/withdrawal", data={"withdraw_reason": "Done"})
    assert withdrawn.headers["location"] == "/admin/packs/ember?done=withdrawn"
    pack = await find_pack(house, "ember")
    assert pack is not None
    assert pack.withdrawn_at is not None


async def test_a_generous_pack_is_published_with_a_reason_only(olga: httpx.AsyncClient) -> None:
    await compose(olga, price="0.10")
    refused = await olga.post("/admin/packs/ember/versions", data={"publish_reason": ""})
    assert refused.status_code == 422
    assert "Say why" in refused.text
    allowed = await olga.post(
        "/admin/packs/ember/versions", data={"publish_reason": "A birthday gift"}
    )
    assert allowed.status_code == 303


async def test_what_was_typed_comes_back_with_every_problem(olga: httpx.AsyncClient) -> None:
    answer = await compose(
        olga, price="cheap", slug="new", **{"slot-0-0-C": "many", "description": "Half a poem"}
    )
    assert answer.status_code == 422
    for typed_in in ('value="cheap"', 'value="many"', "Half a poem"):
        assert typed_in in answer.text
    assert "Price: An amount like 12.50." in answer.text
    assert "Layout 1, slot 1, C: A whole number" in answer.text
    assert "take another" in answer.text


async def test_a_tier_without_a_card_is_told_by_its_place(
    house: House, olga: httpx.AsyncClient
) -> None:
    answer = await compose(olga, sets="NONE")
    assert answer.status_code == 422
    assert "<strong>Layout 1, slot 1</strong>" in answer.text
    assert await find_pack(house, "ember") is None


async def test_a_new_pack_never_takes_the_address_of_another(
    house: House, olga: httpx.AsyncClient
) -> None:
    answer = await compose(olga, slug="veil-one")
    assert answer.status_code == 422
    assert "There is a pack at this address already" in answer.text
    pack = await find_pack(house, "veil-one")
    assert pack is not None
    assert msgspec.convert(pack.draft, PackDraft) == TIER_ODDS_PACK


async def test_rows_are_added_without_a_script(olga: httpx.AsyncClient) -> None:
    more = await compose(olga, act="add-slot-0")
    assert 'name="slot-0-2-name"' in more.text
    layout = await compose(olga, act="add-layout")
    assert 'name="layout-1-name"' in layout.text


async def test_anything_else_is_written_as_json(house: House, olga: httpx.AsyncClient) -> None:
    text = msgspec.json.encode(TIER_ODDS_PACK).decode()
    form = {"act": "save", "slug": "ember", "position": "1", "draft_json": text}
    assert (await olga.post("/admin/packs/new", data=form)).status_code == 303
    pack = await find_pack(house, "ember")
    assert pack is not None
    assert msgspec.convert(pack.draft, PackDraft) == TIER_ODDS_PACK
    broken = await olga.post("/admin/packs/ember", data=form | {"draft_json": '{"name": 5}'})
    assert broken.status_code == 422
    assert "{&#34;name&#34;: 5}" in broken.text


async def test_a_lot_is_written_as_lines(house: House, olga: httpx.AsyncClient) -> None:
    lot = {
        "kind": "lot",
        "price": "900.00",
        "lot_packs": "3",
        "lot_cards_per_pack": "1",
        "lot_prizes": "VEIL-016 x1\r\n\r\nVEIL-012 × 2\r\n",
        "lot_last_one": "VEIL-020",
    }
    assert (await compose(olga, **lot)).status_code == 303
    assert (await olga.post("/admin/packs/ember/versions", data={})).status_code == 303
    assert (await house.packs.get_pack(house.database, "ember")).packs_left == 3
    wrong = await compose(olga, slug="cinder", **(lot | {"lot_prizes": "VEIL-016 three"}))
    assert "Line 1: write a card and how many" in wrong.text


async def test_a_picture_is_judged_by_decoding(house: House, olga: httpx.AsyncClient) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (50, 76), "#a04020").save(picture, "PNG")
    taken = await olga.post(
        "/admin/packs/veil-one/picture", files={"picture": ("w.png", picture.getvalue())}
    )
    assert taken.status_code == 303
    pack = await find_pack(house, "veil-one")
    assert pack is not None
    assert pack.picture is not None
    refused = await olga.post(
        "/admin/packs/veil-one/picture", files={"picture": ("w.svg", b"<svg/>")}
    )
    assert refused.status_code == 422
