"""The packing slip: which cards to take from which bin, and the address to put on the parcel.

**Letters.** The fonts that every PDF reader has know Western European letters only, and no
dependency of ours ships a font that knows more. So by default a letter outside Latin-1 is printed
as its plain form where it has one (``Łódź`` as ``Lódz``), and any other run of letters as ``[?]``.
An operator with a wider font (Noto Sans JP, say) names its file in ``font_path``; scripts that need
their letters joined or reordered (Arabic, Hebrew, Devanagari) stay ``[?]`` even then, as a label
that looks right and is not would be worse. Whenever the slip differs from the address as written,
it says so under the address, and the page of the request has the exact text.

The same arguments give the same bytes.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, cast

import msgspec
from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import TTFFont

from packhouse.foundation.identifiers import ShippingRequestId, StockItemId
from packhouse.foundation.money import format_minor
from packhouse.shipping.addresses import format_address
from packhouse.shipping.model import Address, Parcel

UNPRINTABLE_MARK: Final = "[?]"

_MARGIN_MM: Final = 15.0
_WIDTH_MM: Final = 180.0
_BIN_MM: Final = 34.0
_BOX_MM: Final = 5.0
_TEXT_X_MM: Final = _MARGIN_MM + 22.0 + _BIN_MM
_TEXT_MM: Final = _MARGIN_MM + _WIDTH_MM - _TEXT_X_MM
_NAME_LINE_MM: Final = 5.0
_DETAIL_LINE_MM: Final = 3.8

# Letters that Unicode does not decompose, and the typographic signs that people paste.
_PLAIN_FORMS: Final = str.maketrans(
    {
        "Ł": "L", "ł": "l", "Đ": "D", "đ": "d", "Ħ": "H", "ħ": "h", "ı": "i", "Œ": "OE", "œ": "oe",
        "ẞ": "SS", "Ŧ": "T", "ŧ": "t", "‘": "'", "’": "'", "ʻ": "'", "ʼ": "'", "“": '"', "”": '"',
        "„": '"', "–": "-", "—": "-", "−": "-",
    }
)  # fmt: skip


class SlipCard(msgspec.Struct, frozen=True):
    """One card to pick. ``location`` is its bin, ``None`` when nobody wrote one down."""

    stock_item_id: StockItemId
    set_name: str
    number: str
    name: str
    grade: str | None = None
    certificate: str | None = None
    location: str | None = None


def packing_slip(
    *,
    shop_name: str,
    request_id: ShippingRequestId,
    address: Address,
    cards: Sequence[SlipCard],
    parcel: Parcel,
    printed_at: datetime,
    font_path: Path | None = None,
) -> bytes:
    """A PDF on A4 with the address and a line with a check box for every card, in bin order.

    ``font_path`` names a TrueType or OpenType file for letters beyond Western Europe's.
    """
    page = _Slip(shop_name=shop_name, request_id=request_id, font_path=font_path)
    page.set_creation_date(printed_at)
    page.add_page()
    page.write_summary(address, parcel, printed_at)
    page.write_table_head()
    for position, card in enumerate(sorted(cards, key=_bin_order), start=1):
        page.write_card(position, card)
    return bytes(page.output())


def short_request_id(request_id: ShippingRequestId) -> str:
    """The end of a request's id, which is its random part: enough to tell parcels apart by eye."""
    return request_id.hex[-8:].upper()


def printable(text: str, *, is_covered: Callable[[str], bool]) -> str:
    """``text`` in characters that satisfy ``is_covered``; each run of others is ``[?]``."""
    letters = []
    for character in unicodedata.normalize("NFC", text):
        if is_covered(character):
            letters.append(character)
            continue
        decomposed = unicodedata.normalize("NFKD", character.translate(_PLAIN_FORMS))
        plain = "".join(part for part in decomposed if not unicodedata.combining(part))
        letters.append(plain if plain and all(map(is_covered, plain)) else "\0")
    return re.sub("\0+", UNPRINTABLE_MARK, "".join(letters))


class _Slip(FPDF):
    """The page that a slip is drawn on; heads and feet come with each new page."""

    def __init__(
        self, *, shop_name: str, request_id: ShippingRequestId, font_path: Path | None
    ) -> None:
        super().__init__(orientation="portrait", unit="mm", format="A4")
        self._family = "helvetica"
        self._is_covered: Callable[[str], bool] = _is_latin1
        if font_path is not None:
            self._family = "slip"
            for style in ("", "B"):
                self.add_font(self._family, style=style, fname=font_path)
            font = self.fonts[self._family]
            known = frozenset(map(chr, font.cmap)) if isinstance(font, TTFFont) else frozenset()
            self._is_covered = lambda character: (
                character in known and not _needs_shaping(character)
            )
        self._shop_name = shop_name
        self._request_id = request_id
        self.set_margins(_MARGIN_MM, _MARGIN_MM, _MARGIN_MM)
        self.set_auto_page_break(auto=True, margin=20)
        self.set_title(f"Packing slip {short_request_id(request_id)}")

    def header(self) -> None:
        """The shop and the request, and from the second page on the head of the list."""
        self._use(16, bold=True)
        self.multi_cell(
            _WIDTH_MM,
            8,
            self._printable(self._shop_name),
            align="L",
            new_x=XPos.LMARGIN,
            new_y=YPos.NEXT,
        )
        self._use(11)
        self.cell(_WIDTH_MM, 6, f"Packing slip for request {short_request_id(self._request_id)}")
        self.ln(10)
        if self.page_no() > 1:
            self.write_table_head()

    def footer(self) -> None:
        """The request's whole id and the page's number."""
        self.set_y(-14)
        self._use(8)
        self.cell(120, 5, str(self._request_id))
        self.cell(60, 5, f"Page {self.page_no()} of {{nb}}", align="R")

    def write_summary(self, address: Address, parcel: Parcel, printed_at: datetime) -> None:
        """The address on the left, what the parcel weighs and is worth on the right."""
        top = self.get_y()
        written = format_address(address)
        lines = [self._printable(line) for line in written]
        self._use(8)
        self.cell(110, 5, "SHIP TO", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self._use(13)
        for line in lines:
            self.multi_cell(110, 6.2, line, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self._use(9)
        if address.phone:
            self.cell(110, 6, f"Phone {self._printable(address.phone)}")
            self.ln(6)
        if lines != written:
            self.multi_cell(
                110,
                4.4,
                f"Some letters are simplified or shown as {UNPRINTABLE_MARK}, as this font lacks"
                " them. Copy the exact address from the page of this request.",
                align="L",
                border="L",
                new_x=XPos.LMARGIN,
                new_y=YPos.NEXT,
            )
        bottom = self.get_y()

        self.set_xy(_MARGIN_MM + 120, top + 5)
        for label, text in (
            ("Cards", str(parcel.card_count)),
            ("Weight", f"{parcel.weight_grams:,} g"),
            ("Value", format_minor(parcel.insured_value_minor)),
            ("Printed", f"{printed_at:%Y-%m-%d}"),
        ):
            self.set_x(_MARGIN_MM + 120)
            self._use(9)
            self.cell(22, 6, label)
            self._use(9, bold=True)
            self.cell(38, 6, text, align="R")
            self.ln(6)
        self.set_y(max(bottom, self.get_y()) + 6)

    def write_table_head(self) -> None:
        """The names of the list's columns over a rule."""
        self._use(8)
        self.set_x(_MARGIN_MM + 10)
        self.cell(12, 5, "NO.")
        self.cell(_BIN_MM, 5, "BIN")
        self.cell(_TEXT_MM, 5, "CARD")
        self.ln(5)
        self.line(_MARGIN_MM, self.get_y(), _MARGIN_MM + _WIDTH_MM, self.get_y())
        self.ln(2)

    def write_card(self, position: int, card: SlipCard) -> None:
        """One card with its check box, whole on one page."""
        name = self._printable(card.name)
        about = [f"{card.set_name} {card.number}"]
        about += [f"grade {card.grade}"] if card.grade else []
        about += [f"certificate {card.certificate}"] if card.certificate else []
        details = f"{self._printable(' · '.join(about))}\nItem {card.stock_item_id}"
        bin_name = self._printable(card.location or "not recorded")

        heights = [
            self._height(name, _TEXT_MM, _NAME_LINE_MM, size=11, bold=True)
            + self._height(details, _TEXT_MM, _DETAIL_LINE_MM, size=8),
            self._height(bin_name, _BIN_MM, _NAME_LINE_MM, size=11),
        ]
        row_mm = max(heights)
        if self.will_page_break(row_mm):
            self.add_page()
        top = self.get_y()
        self.rect(_MARGIN_MM + 1, top, _BOX_MM, _BOX_MM)
        self.set_xy(_MARGIN_MM + 10, top)
        self._use(9)
        self.cell(12, _NAME_LINE_MM, str(position))
        self._use(11)
        self.multi_cell(_BIN_MM, _NAME_LINE_MM, bin_name, align="L")
        self.set_xy(_TEXT_X_MM, top)
        self._use(11, bold=True)
        self.multi_cell(_TEXT_MM, _NAME_LINE_MM, name, align="L", new_x=XPos.LEFT, new_y=YPos.NEXT)
        self._use(8)
        self.multi_cell(_TEXT_MM, _DETAIL_LINE_MM, details, align="L")
        self.set_y(top + row_mm + 2.5)

    def _use(self, size: int, *, bold: bool = False) -> None:
        self.set_font(self._family, style="B" if bold else "", size=size)

    def _height(
        self, text: str, width_mm: float, line_mm: float, *, size: int, bold: bool = False
    ) -> float:
        self._use(size, bold=bold)
        lines = self.multi_cell(width_mm, line_mm, text, align="L", dry_run=True, output="LINES")
        return len(cast("list[str]", lines)) * line_mm

    def _printable(self, text: str) -> str:
        return printable(text, is_covered=self._is_covered)


def _is_latin1(character: str) -> bool:
    return " " <= character <= "~" or "\xa0" <= character <= "\xff"


def _needs_shaping(character: str) -> bool:
    """Whether a letter is drawn by its neighbours too: right to left, or marks on a base letter."""
    return unicodedata.bidirectional(character) in {"R", "AL", "AN"} or unicodedata.category(
        character
    ).startswith("M")


def _bin_order(card: SlipCard) -> tuple[bool, list[tuple[int, str]], str, str, str]:
    """Bins as one walks past them, ``A-2`` before ``A-10``; cards without a bin come last."""
    parts = re.findall(r"[0-9]+|[^0-9]+", card.location or "")
    walk = [(int(part), "") if part.isascii() and part.isdigit() else (0, part) for part in parts]
    return card.location is None, walk, card.set_name, card.number, str(card.stock_item_id)
