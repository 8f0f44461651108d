"""The things of the catalogue: cards, their copies in stock, and what an import file says."""

from collections.abc import Callable
from datetime import datetime
from typing import Final, Literal, get_args

import msgspec

from packhouse.foundation.identifiers import CardId, LotId, PackId, StockItemId
from packhouse.foundation.tiers import Tier

CardKind = Literal["physical", "digital"]
"""A physical card is as many as there are stock items; a digital one is unlimited."""

CARD_KINDS: Final[tuple[CardKind, ...]] = get_args(CardKind)

Place = Literal["house", "on_sale", "vaulted", "reserved", "shipped", "withdrawn", "lost"]

PLACES: Final[tuple[Place, ...]] = get_args(Place)
"""Where a stock item can be; it is in exactly one of them."""

StaffPlace = Literal["house", "on_sale", "withdrawn"]
"""The places that staff may move stock to; the others are reached by what collectors do."""

ImportPlace = Literal["house", "on_sale"]

IMPORT_PLACES: Final[tuple[ImportPlace, ...]] = get_args(ImportPlace)

SET_CODE_LENGTH_MAX: Final = 16
NUMBER_LENGTH_MAX: Final = 16
NAME_LENGTH_MAX: Final = 120
FLAVOUR_LENGTH_MAX: Final = 500
STOCK_TEXT_LENGTH_MAX: Final = 60
PICTURE_NAME_LENGTH_MAX: Final = 200
WEIGHT_GRAMS_MAX: Final = 10_000
WEIGHT_GRAMS_DEFAULT: Final = 2
"""A single printed card, rounded up."""

COPIES_PER_ROW_MAX: Final = 100_000
COPIES_PER_IMPORT_MAX: Final = 1_000_000
IMPORT_PROBLEMS_SHOWN_MAX: Final = 200
IMPORT_LINES_SHOWN_MAX: Final = 1_000


class Card(msgspec.Struct, frozen=True):
    """One card of a set. ``value`` is in minor units; ``picture`` is a media key."""

    id: CardId
    set_code: str
    set_name: str
    number: str
    name: str
    tier: Tier
    value: int
    kind: CardKind
    weight_grams: int
    flavour: str
    picture: str | None


class StockItem(msgspec.Struct, frozen=True):
    """One physical copy of a card. ``photo`` is a media key, ``location`` the bin it lies in."""

    card_id: CardId
    id: StockItemId
    place: Place
    lot_id: LotId | None
    grade: str | None
    certificate: str | None
    photo: str | None
    location: str | None
    created_at: datetime
    updated_at: datetime


class PackPause(msgspec.Struct, frozen=True):
    """A pack that is not sold because a card it may hand out has no copy left."""

    pack_id: PackId
    card_id: CardId
    created_at: datetime


CardKey = tuple[str, str]
"""Set code and number: what an operator calls a card by."""

CopyKey = tuple[CardKey, str]
"""A card and a certificate: what tells one graded copy from all others."""

Progress = Callable[[str, int, int], None]
"""``progress(stage, completed, total)``; may be called from a worker thread."""


class CardRow(msgspec.Struct, frozen=True):
    """What an import file says about a card; None where it says nothing. Values in minor units."""

    line: int
    set_code: str
    set_name: str
    number: str
    name: str
    tier: Tier
    value: int
    kind: CardKind | None
    weight_grams: int | None
    flavour: str | None
    picture: str | None

    @property
    def key(self) -> CardKey:
        """Set code and number."""
        return (self.set_code, self.number)


class CopyRow(msgspec.Struct, frozen=True):
    """Copies that an import file adds to a card; ``photo`` is still a file name here."""

    line: int
    key: CardKey
    quantity: int
    place: ImportPlace
    grade: str | None
    certificate: str | None
    photo: str | None
    location: str | None


class ImportProblem(msgspec.Struct, frozen=True):
    """One thing wrong with a file. ``column`` and ``value`` are empty when it is the whole line."""

    line: int
    column: str
    value: str
    message: str


class CardPlan(msgspec.Struct, frozen=True):
    """What is to happen to one card; ``changes`` in words, None for a new card."""

    line: int
    card: Card
    changes: tuple[str, ...] | None


class CopyPlan(msgspec.Struct, frozen=True):
    """What is to happen to one row of copies; ``known_place`` when its certificate is here already.

    ``photo`` is a media key.
    """

    row: CopyRow
    card: Card
    photo: str | None
    known_place: Place | None


ImportAction = Literal["add_card", "change_card", "keep_card", "add_copies", "keep_copy"]


class ImportLine(msgspec.Struct, frozen=True):
    """What one line of the file does, in words."""

    line: int
    action: ImportAction
    text: str


class ImportReport(msgspec.Struct, frozen=True):
    """What an import did, or would do when ``dry_run``; ``sha256`` is of the file."""

    file_name: str
    sha256: str
    dry_run: bool
    rows: int
    cards_added: int
    cards_changed: int
    cards_unchanged: int
    copies_added: int
    copies_on_sale: int
    copies_known: int
    pictures: int
    warnings: tuple[str, ...]
    lines: tuple[ImportLine, ...]
    lines_left_out: int
