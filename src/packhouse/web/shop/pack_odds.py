"""What comes out of a pack, as its page says it to every visitor: rendered once for many.

Tables of a hundred exact fractions take longer to put into words than all the rest of the page, and
they change only when a pull of the lot is published or the copies on sale are counted anew.
"""

from collections.abc import Mapping
from typing import Final

import msgspec
from markupsafe import Markup

from packhouse import draws
from packhouse.draws import LotNow, OddsNow, ShelvedPack
from packhouse.foundation.cards import CardFace
from packhouse.foundation.identifiers import CardId, PackVersionId
from packhouse.house import House
from packhouse.web.api.packs_now import find_lot_now, lot_odds, odds_packs_now
from packhouse.web.kept import Kept
from packhouse.web.pages import render_part
from packhouse.web.shop.odds import layouts_of, pack_odds_now
from packhouse.web.shop.pack_views import best_cards, faces_of, terms_of

PARTS_KEPT: Final = 64
"""Of the packs on sale; a page has some 100 KB."""


class OddsBasis(msgspec.Struct, frozen=True):
    """All that the odds on a page follow from: while it is equal, so are they."""

    version_id: PackVersionId
    faces: Mapping[CardId, CardFace]
    lot: LotNow | None
    odds: OddsNow
    sequence: int


class OddsPart(msgspec.Struct, frozen=True):
    """The odds as of this moment, as HTML: in short, and in full."""

    basis: OddsBasis
    summary: Markup
    tables: Markup

    @property
    def lot_seed(self) -> bytes | None:
        """The seed of a lot that has ended."""
        return None if self.basis.lot is None else self.basis.lot.server_seed


_parts: Final[Kept[OddsPart]] = Kept(most=PARTS_KEPT)


async def odds_part_of(house: House, pack: ShelvedPack) -> OddsPart:
    """The odds of a pack, put into words anew only when they have changed."""

    async def make(before: OddsPart | None) -> OddsPart:
        basis = await _read_basis(house, pack)
        return before if before is not None and before.basis == basis else _render(pack, basis)

    return await _parts.get(pack.version_id, make)


async def _read_basis(house: House, pack: ShelvedPack) -> OddsBasis:
    faces = await faces_of(house, pack.card_ids)
    lot = await find_lot_now(house, pack)
    if lot is not None:
        odds, sequence = lot_odds(pack.config, lot), lot.sequence
    else:
        odds, copies = await odds_packs_now.odds_of(house, pack)
        sequence = copies.sequence
    return OddsBasis(version_id=pack.version_id, faces=faces, lot=lot, odds=odds, sequence=sequence)


def _render(pack: ShelvedPack, basis: OddsBasis) -> OddsPart:
    now = pack_odds_now(basis.odds, basis.faces, sequence=basis.sequence, lot=basis.lot)
    best, card_count = best_cards(pack.config, now)
    shared = {
        "lot": pack.config.lot,
        "now": now,
        "cards_in_a_pack": draws.cards_in_a_pack(pack.config),
    }
    tables = render_part(
        "shop/pack_odds.html",
        shared
        | {
            "layouts": layouts_of(pack.config, basis.faces),
            "has_copies": any(row.copies is not None for row in now.cards),
            "best": best,
            "card_count": card_count,
        },
    )
    summary = render_part("shop/pack_summary.html", shared | {"terms": terms_of(pack)})
    return OddsPart(basis=basis, summary=summary, tables=tables)
