"""What a card looks like, and where staff may move stock."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from packhouse.catalog import (
    PLACES,
    STAFF_MOVES,
    Card,
    Place,
    StaffPlace,
    StockItem,
    StockNotMovable,
    card_face,
    require_movable,
)
from packhouse.foundation.identifiers import CardId, LotId, StockItemId

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def stock_item(place: Place, *, lot_id: LotId | None = None) -> StockItem:
    return StockItem(
        card_id=CardId(UUID(int=1)),
        id=StockItemId(UUID(int=2)),
        place=place,
        lot_id=lot_id,
        grade=None,
        certificate=None,
        photo=None,
        location=None,
        created_at=NOW,
        updated_at=NOW,
    )


def test_a_card_shows_its_name_set_number_and_picture() -> None:
    card = Card(
        CardId(UUID(int=1)), "EMB", "Ember Hollow", "001", "Moth", "D", 5, "physical", 2, "", "key"
    )
    face = card_face(card, media_url=lambda key: f"/media/{key}")
    assert (face.name, face.set, face.number) == ("Moth", "Ember Hollow", "001")
    assert face.image_url == "/media/key"


@pytest.mark.parametrize("to_place", STAFF_MOVES)
@pytest.mark.parametrize("place", PLACES)
def test_staff_move_only_stock_that_no_collector_has(place: Place, to_place: StaffPlace) -> None:
    if place in STAFF_MOVES[to_place]:
        require_movable([stock_item(place)], to_place=to_place)
        assert place in {"house", "on_sale", "withdrawn"}
        return
    with pytest.raises(StockNotMovable):
        require_movable([stock_item(place)], to_place=to_place)


def test_a_copy_in_a_lot_stays_there() -> None:
    with pytest.raises(StockNotMovable):
        require_movable([stock_item("on_sale", lot_id=LotId(UUID(int=9)))], to_place="house")
