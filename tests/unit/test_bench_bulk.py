"""The bulk shop's facts fit together at every size, and its arguments become SQL unharmed."""

from collections import Counter
from datetime import UTC, datetime
from uuid import UUID

import pytest

from packhouse.bench.bulk_rows import COLUMNS, opening_rows, user_rows
from packhouse.bench.bulk_shop import CARDS_PER_OPENING, HEAVY_CARDS, BulkShop
from packhouse.bench.explain import literal


@pytest.mark.parametrize("user_cards", [10_000, 100_000, 1_000_000])
def test_collectors_are_alike_at_every_size(user_cards: int) -> None:
    shop = BulkShop(user_cards=user_cards)
    openings = min(shop.openings, 12_500)
    cards = Counter(dict.fromkeys(range(1), 0))
    for opening in range(openings):
        cards[shop.owner_of(opening)] += CARDS_PER_OPENING
    assert cards[0] == openings * CARDS_PER_OPENING // 10
    heavy = sum(cards[user] for user in range(1, shop.heavy_users + 1))
    assert heavy == pytest.approx(openings * CARDS_PER_OPENING * 3 / 10, rel=0.01)
    assert shop.user_cards * 3 / 10 / shop.heavy_users == pytest.approx(HEAVY_CARDS, rel=0.3)
    assert max(cards) < shop.users


def test_every_line_has_its_columns() -> None:
    shop = BulkShop(user_cards=2_000)
    rows = {**opening_rows(shop, 0, shop.openings), **user_rows(shop, 0, shop.users)}
    for table, lines in rows.items():
        assert {line.count("\t") + 1 for line in lines} == {len(COLUMNS[table])}, table
    assert len(rows["user_cards"]) == len(rows["global_feed"]) == 2_000


def test_ids_of_one_kind_are_in_the_order_of_time() -> None:
    shop = BulkShop(user_cards=2_000)
    ids = [shop.user_card_id(number) for number in range(2_000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 2_000
    assert {each.version for each in ids} == {7}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "NULL"),
        (True, "TRUE"),
        (-7, "-7"),
        ("it's", "'it''s'"),
        (b"\x00'", "'\\x0027'"),
        (UUID(int=1), "'00000000-0000-0000-0000-000000000001'"),
        (datetime(2026, 1, 2, tzinfo=UTC), "'2026-01-02T00:00:00+00:00'"),
        ({"a": "it's"}, "'{\"a\": \"it''s\"}'"),
        ([1, None, True], "'{1,NULL,True}'"),
        (['a"b', "c\\d", "e,f"], '\'{"a\\"b","c\\\\d","e,f"}\''),
        ([b"\xff"], "'{\"\\\\xff\"}'"),
    ],
)
def test_an_argument_becomes_a_literal(value: object, text: str) -> None:
    assert literal(value) == text


def test_what_has_no_literal_is_refused() -> None:
    with pytest.raises(ValueError, match="no literal for a float"):
        literal(1.5)
