"""The packing slip that goes into the parcel."""

import io
import re
import zlib
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageFont

from packhouse.foundation.identifiers import ShippingRequestId, StockItemId
from packhouse.shipping.model import Address, Parcel
from packhouse.shipping.slip import SlipCard, packing_slip, printable, short_request_id

REQUEST_ID = ShippingRequestId(UUID("01980000-0000-7000-8000-0000deadbeef"))
PRINTED_AT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
ADA = Address(
    name="Ada Example",
    line1="1 Harbor St",
    city="Portland",
    region="OR",
    postal_code="97201",
    country="US",
)


def card(position: int, *, name: str = "Lantern Eel", location: str | None = "A-1") -> SlipCard:
    return SlipCard(
        stock_item_id=StockItemId(UUID(int=position)),
        set_name="Tidepool",
        number=f"{position:03d}",
        name=name,
        grade="9.5",
        certificate="HX-1",
        location=location,
    )


def slip(
    *cards: SlipCard,
    address: Address = ADA,
    shop_name: str = "Harbor Cards",
    font_path: Path | None = None,
) -> bytes:
    return packing_slip(
        shop_name=shop_name,
        request_id=REQUEST_ID,
        address=address,
        cards=cards,
        parcel=Parcel(weight_grams=350, card_count=len(cards), insured_value_minor=123_456),
        printed_at=PRINTED_AT,
        font_path=font_path,
    )


def words_of(pdf: bytes) -> str:
    """The text of a slip in a core font, in the order it was drawn."""
    streams = re.findall(rb"stream\n(.*?)\nendstream", pdf, re.DOTALL)
    drawn = b"\n".join(zlib.decompress(stream) for stream in streams if stream[:1] == b"x")
    words = b" ".join(re.findall(rb"\((.*?)\) Tj", drawn)).decode("latin-1")
    return " ".join(words.replace("\\", "").split())


@pytest.fixture(scope="session")
def wider_font(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The font inside Pillow: all that a core font has, and curved quotation marks besides."""
    font = ImageFont.load_default(10)
    assert isinstance(font, ImageFont.FreeTypeFont)
    assert isinstance(font.path, io.BytesIO)
    path = tmp_path_factory.mktemp("font") / "wider.ttf"
    path.write_bytes(font.path.getvalue())
    return path


def test_a_slip_says_who_gets_what_from_where() -> None:
    words = words_of(slip(card(7, location="B-12")))
    for expected in (
        "Harbor Cards",
        "DEADBEEF",
        "Ada Example",
        "PORTLAND, OR 97201",
        "350 g",
        "1,234.56",
        "B-12",
        "Lantern Eel",
        "Tidepool 007",
        "grade 9.5",
        "certificate HX-1",
        str(UUID(int=7)),
    ):
        assert expected in words


def test_the_same_slip_is_the_same_bytes() -> None:
    assert slip(card(1), card(2)) == slip(card(1), card(2))


def test_cards_are_listed_in_the_order_of_their_bins_and_those_without_one_last() -> None:
    words = words_of(
        slip(
            card(1, name="Last", location=None),
            card(2, name="Second", location="A-10"),
            card(3, name="First", location="A-2"),
        )
    )
    assert words.index("First") < words.index("Second") < words.index("Last")


def test_a_long_list_runs_over_several_numbered_pages() -> None:
    words = words_of(slip(*(card(position) for position in range(1, 41))))
    assert "Page 1 of 3" in words
    assert "Page 3 of 3" in words
    assert all(str(UUID(int=position)) in words for position in range(1, 41))


def test_letters_that_the_font_lacks_are_simplified_or_marked_and_the_slip_says_so() -> None:
    address = Address(
        name="Łukasz 山田",
        line1="Nowa 1",
        city="Łódź",
        postal_code="90-001",
        country="PL",
    )
    words = words_of(slip(card(1), address=address))
    assert "Lukasz [?]" in words
    assert "LÓDZ" in words
    assert "Copy the exact address" in words


def test_an_address_that_prints_as_it_is_carries_no_warning() -> None:
    assert "Copy the exact address" not in words_of(slip(card(1)))


def test_what_only_a_wider_font_has_is_printed_with_it_as_written(wider_font: Path) -> None:
    curved, straight = card(1, name="“Eel”"), card(1, name='"Eel"')
    assert slip(curved) == slip(straight)
    assert slip(curved, font_path=wider_font) != slip(straight, font_path=wider_font)


def test_a_wider_font_gives_the_same_bytes_too(wider_font: Path) -> None:
    assert slip(card(1), font_path=wider_font) == slip(card(1), font_path=wider_font)


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=60), st.text(max_size=30), st.text(max_size=30))
def test_no_text_breaks_a_slip(name: str, location: str, shop_name: str) -> None:
    assert slip(card(1, name=name, location=location), shop_name=shop_name).startswith(b"%PDF")


@settings(max_examples=40, deadline=None)
@given(name=st.text(max_size=60))
def test_no_text_breaks_a_slip_in_a_wider_font(wider_font: Path, name: str) -> None:
    assert slip(card(1, name=name), font_path=wider_font).startswith(b"%PDF")


@given(st.text())
def test_printable_text_holds_only_what_the_font_has(text: str) -> None:
    assert printable(text, is_covered=str.isascii).isascii()


def test_one_mark_stands_for_a_run_of_letters() -> None:
    assert printable("a 山田 b", is_covered=str.isascii) == "a [?] b"


def test_the_short_id_is_the_random_end() -> None:
    assert short_request_id(REQUEST_ID) == "DEADBEEF"
