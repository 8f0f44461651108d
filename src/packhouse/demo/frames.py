"""What makes a picture a card: border, name plate, gem and lettering, dearer with every tier.

D is linen, C copper, B silver, A gold around a window; S has a holographic border, SS obsidian with
an aurora, SSS nothing but light: from S up the picture fills the whole card. A frame depends only
on tier and width, so it is drawn once and laid over each card. Lengths here are for a card 480
wide; a ``scale`` turns them into pixels.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec
from PIL import Image, ImageDraw

from packhouse.demo.easel import gradient
from packhouse.demo.palettes import Colour, blend, colour
from packhouse.demo.stencil import Stencil, lay, lettering, sheen
from packhouse.foundation.tiers import TIER_RANKS, Tier

WIDTH: Final = 480
HEIGHT: Final = 672
WINDOW: Final = (22, 22, 458, 488)
"""Left, top, right, bottom of the picture on cards that have a window (D to A)."""
FULL_ART_STAGE: Final = 520
"""How far down the scene of a full-art card is composed; lettering covers the rest."""
FULL_ART_RANK: Final = TIER_RANKS["S"]

_PLATE: Final = (18, 474, 462, 524)
_PLATE_MIDDLE: Final = (_PLATE[1] + _PLATE[3]) / 2
_GEM_X: Final = 430


class FrameStyle(msgspec.Struct, frozen=True):
    """How one tier is dressed: what its border is of, what it is lettered in, its gem."""

    metal: tuple[Colour, ...]
    panel: tuple[int, int, int, int]
    plate: tuple[int, int, int, int]
    ink: Colour
    gem: tuple[Colour, ...]
    gem_radius: int


def _colours(line: str) -> tuple[Colour, ...]:
    return tuple(colour(word) for word in line.split())


STYLES: Final[dict[Tier, FrameStyle]] = {
    "D": FrameStyle(
        metal=_colours("8a7d6b a3967f 85786a"),
        panel=(238, 231, 216, 226),
        plate=(247, 242, 230, 255),
        ink=colour("4a4038"),
        gem=_colours("9b9486 b9b1a1 857d70"),
        gem_radius=22,
    ),
    "C": FrameStyle(
        metal=_colours("6b3a20 c77b4a f6c9a0 a85c33 6b3a20 d99465 f3bf94 8f4d2b"),
        panel=(58, 47, 46, 226),
        plate=(44, 34, 34, 255),
        ink=colour("f6d5b8"),
        gem=_colours("b2643a dd9566 8a4626"),
        gem_radius=23,
    ),
    "B": FrameStyle(
        metal=_colours("6d7885 c3ccd6 ffffff 8e9aa8 5c6672 dfe6ee f7faff 7b8794"),
        panel=(30, 38, 54, 226),
        plate=(22, 29, 43, 255),
        ink=colour("eef3fa"),
        gem=_colours("5f83b5 a9c8ee 3b5a88"),
        gem_radius=25,
    ),
    "A": FrameStyle(
        metal=_colours("7a5313 d9a93c fff3bf c08a25 6b4509 e9c256 fff7d6 a87419"),
        panel=(24, 19, 22, 236),
        plate=(18, 14, 17, 255),
        ink=colour("ffe9a8"),
        gem=_colours("d9892a ffd36b 9c4f10"),
        gem_radius=27,
    ),
    "S": FrameStyle(
        metal=_colours(
            "ffb3d1 ffe0a8 fbffc9 b5f5d0 a5e3ff c9b8ff ffb8ea ffd9b0 e8ffd0 a8efff d0c0ff"
        ),
        panel=(255, 255, 255, 0),
        plate=(20, 18, 40, 205),
        ink=colour("ffffff"),
        gem=_colours("ff8fc4 8fe6ff c8a4ff"),
        gem_radius=29,
    ),
    "SS": FrameStyle(
        metal=_colours("1be3a2 5ef2d6 4aa8ff 8a6bff e05cff 5ef2d6 21d39a 6a7bff c45cff"),
        panel=(8, 8, 18, 0),
        plate=(8, 8, 20, 225),
        ink=colour("e6fff6"),
        gem=_colours("25c89a 8affd8 7a4bff"),
        gem_radius=31,
    ),
    "SSS": FrameStyle(
        metal=_colours(
            "ffd86b fffbe6 ffc2d9 fff0b8 ffffff ffe08a c9e8ff fffbe0 ffd27a ffb9cf fff4c7"
        ),
        panel=(255, 255, 255, 0),
        plate=(30, 14, 24, 215),
        ink=colour("fff6d8"),
        gem=_colours("ff6f91 fff0c2 ffb03b"),
        gem_radius=34,
    ),
}


def name_room(tier: Tier) -> float:
    """How wide a name may be on the plate of ``tier``, beside the gem."""
    return _GEM_X - STYLES[tier].gem_radius - 12 - (_PLATE[0] + 18)


def fit_name(name: str, tier: Tier) -> int:
    """The largest lettering, 18 to 27 high, in which ``name`` fits; ValueError when none does."""
    for pixels in range(27, 17, -1):
        if lettering(pixels).getlength(name) <= name_room(tier):
            return pixels
    raise ValueError(f"the card name {name!r} is too long for its plate; shorten it")


def _grow(box: Sequence[float], by: float) -> tuple[float, float, float, float]:
    return box[0] - by, box[1] - by, box[2] + by, box[3] + by


def _plate_outline(inset: float, cut: float) -> list[tuple[float, float]]:
    left, top, right, bottom = _grow(_PLATE, -inset)
    return [
        (left + cut, top),
        (right - cut, top),
        (right, top + cut),
        (right, bottom - cut),
        (right - cut, bottom),
        (left + cut, bottom),
        (left, bottom - cut),
        (left, top + cut),
    ]


@lru_cache(maxsize=14)
def draw_frame(tier: Tier, width: int) -> Image.Image:
    """All of a card of ``tier`` but its picture and its words, transparent where those go."""
    style, rank, scale = STYLES[tier], TIER_RANKS[tier], width / WIDTH
    size = (width, round(HEIGHT * scale))
    sheet = Image.new("RGBA", size)
    metal = sheen(size, style.metal)
    if rank < FULL_ART_RANK:
        _draw_panel(sheet, style, scale, rank)
    else:
        _draw_scrim(sheet, scale)
    border = Stencil((WIDTH, HEIGHT), scale)
    _BORDERS[tier](border)
    lay(sheet, border, metal)
    _draw_plate(sheet, style, metal, scale, rank)
    _draw_gem(sheet, tier, metal, scale)
    return sheet


def _draw_panel(sheet: Image.Image, style: FrameStyle, scale: float, rank: int) -> None:
    panel = Stencil((WIDTH, HEIGHT), scale)
    panel.box((0, 0, WIDTH, HEIGHT), value=style.panel[3])
    panel.box(WINDOW, value=0)
    lay(sheet, panel, Image.new("RGB", sheet.size, style.panel[:3]))
    weave = Stencil((WIDTH, HEIGHT), scale)
    for k in range(0, HEIGHT, 4):
        if rank == 0:
            weave.stroke([(0, k), (WIDTH, k)], 1, value=26)
            weave.stroke([(k, 0), (k, HEIGHT)], 1, value=20)
        elif rank < 3:
            weave.stroke([(0, k), (WIDTH, k + 40 * (rank - 1))], 0.8, value=16)
        else:
            wave = [
                (x, k * 1.6 - 60 + 9 * math.sin(x / 24 + k / 9)) for x in range(0, WIDTH + 8, 8)
            ]
            weave.stroke(wave, 0.7, value=38)
    weave.box(WINDOW, value=0)
    lay(sheet, weave, Image.new("RGB", sheet.size, blend(style.ink, style.metal[0], 0.5)))


def _draw_scrim(sheet: Image.Image, scale: float) -> None:
    shade = gradient(
        sheet.size, ((0, 0, 0),) * 10 + ((120,) * 3, (205,) * 3, (225,) * 3)
    ).getchannel(0)
    night = Image.new("RGBA", sheet.size, (8, 6, 18, 0))
    night.putalpha(shade)
    sheet.alpha_composite(night)
    edge = Stencil((WIDTH, HEIGHT), scale)
    for k in range(10):
        edge.box((k, k, WIDTH - k, HEIGHT - k), line=1, value=150 - 15 * k)
    lay(sheet, edge, Image.new("RGB", sheet.size, (6, 4, 14)))


_CARD: Final = (0, 0, WIDTH - 1, HEIGHT - 1)
_CORNERS: Final = ((0, 0, 1, 1), (WIDTH, 0, -1, 1), (0, HEIGHT, 1, -1), (WIDTH, HEIGHT, -1, -1))


def _linen_border(border: Stencil) -> None:
    border.box(_grow(WINDOW, 1), line=1.5)
    border.box(_grow(_CARD, -10), line=0.8, value=120)


def _copper_border(border: Stencil) -> None:
    border.box(_grow(WINDOW, 3), line=3)
    border.box(_grow(_CARD, -9), line=1.2, value=220)


def _silver_border(border: Stencil) -> None:
    border.box(_grow(WINDOW, 3), line=3.5)
    border.box(_grow(_CARD, -6), line=2.5)
    border.box(_grow(_CARD, -11), line=1, value=190)
    for x, y, dx, dy in _CORNERS:
        cx, cy = x + dx * 13, y + dy * 13
        border.shape([(cx - 11, cy), (cx, cy - 11), (cx + 11, cy), (cx, cy + 11)])
        border.shape([(cx - 5, cy), (cx, cy - 5), (cx + 5, cy), (cx, cy + 5)], value=70)


def _gold_border(border: Stencil) -> None:
    border.box(_grow(WINDOW, 6), line=5)
    border.box(_grow(WINDOW, -2), line=1.2)
    border.box(_grow(_CARD, -4), line=4)
    border.box(_grow(_CARD, -11), line=1.2)
    _scrolls(border, inset=11, reach=52)


def _scrolls(border: Stencil, *, inset: float, reach: float) -> None:
    """Leaves in the upper corners, small diamonds in the lower ones, where the lettering is."""
    for corner in _CORNERS[:2]:
        _flourish(border, corner, inset=inset, reach=reach)
    for x, y, dx, dy in _CORNERS[2:]:
        cx, cy = x + dx * inset, y + dy * inset
        border.shape([(cx, cy), (cx + dx * 17, cy), (cx, cy + dy * 17)])


def _flourish(
    border: Stencil, corner: tuple[int, int, int, int], *, inset: float, reach: float
) -> None:
    """A scrolled leaf in a corner: two spirals that grow out of it along the edges."""
    x, y, dx, dy = corner
    for swap in (False, True):
        scroll = []
        for k in range(60):
            turn = k / 59 * 4.6
            r = reach * 0.30 * math.exp(-0.34 * turn)
            along = inset + reach * 0.62 + r * math.sin(turn)
            across = inset + reach * 0.31 - r * math.cos(turn)
            scroll.append(
                (x + dx * along, y + dy * across) if not swap else (x + dx * across, y + dy * along)
            )
        border.stroke(scroll, 2.4)
        border.disc(*scroll[-1], 3.2)
        stem = (x + dx * inset, y + dy * inset)
        border.stroke([stem, scroll[0]], 1.6)
    heart = inset + reach * 0.16
    cx, cy = x + dx * heart, y + dy * heart
    border.shape([(cx - 6, cy), (cx, cy - 6), (cx + 6, cy), (cx, cy + 6)])


def _holographic_border(border: Stencil) -> None:
    border.box(_CARD)
    border.box(_grow(_CARD, -17), value=0)
    border.box(_grow(_CARD, -20), line=1.5)
    for k in range(0, WIDTH + HEIGHT, 9):
        border.stroke([(k, 0), (k - HEIGHT, HEIGHT)], 1.2, value=215)
    border.box(_grow(_CARD, -17), value=0)
    border.box(_grow(_CARD, -20), line=1.5)
    _scrolls(border, inset=22, reach=52)


def _aurora_border(border: Stencil) -> None:
    _twin_lines(border)
    _scrolls(border, inset=17, reach=76)


def _twin_lines(border: Stencil) -> None:
    border.box(_grow(_CARD, -4), line=1.2, value=150)
    border.box(_grow(_CARD, -9), line=4)
    border.box(_grow(_CARD, -16), line=1.2, value=220)
    for x in (12, WIDTH - 12):
        for k, r in enumerate((9, 5, 3)):
            for side in (-1, 1):
                cy = 248 + side * k * 17
                border.shape([(x - r, cy), (x, cy - r * 1.7), (x + r, cy), (x, cy + r * 1.7)])


def _radiant_border(border: Stencil) -> None:
    _twin_lines(border)
    _scrolls(border, inset=17, reach=104)
    for k in range(-9, 10):
        angle = k * 0.165
        far = 54 if k % 2 == 0 else 40
        dx, dy = math.sin(angle), math.cos(angle)
        cx, cy = WIDTH / 2, 4.0
        near = [
            (cx + dx * 15 - dy * 1.8, cy + dy * 15 + dx * 1.8),
            (cx + dx * 15 + dy * 1.8, cy + dy * 15 - dx * 1.8),
        ]
        border.shape([*near, (cx + dx * far, cy + dy * far)])
    border.disc(WIDTH / 2, 4, 13)


_BORDERS: Final = {
    "D": _linen_border,
    "C": _copper_border,
    "B": _silver_border,
    "A": _gold_border,
    "S": _holographic_border,
    "SS": _aurora_border,
    "SSS": _radiant_border,
}


def _draw_plate(
    sheet: Image.Image, style: FrameStyle, metal: Image.Image, scale: float, rank: int
) -> None:
    cut = (3, 6, 12, 14, 16, 18, 20)[rank]
    rim = Stencil((WIDTH, HEIGHT), scale)
    rim.shape(_plate_outline(0, cut))
    lay(sheet, rim, metal)
    line = (1.2, 2, 2.5, 3, 2.5, 2.5, 3)[rank]
    face = Stencil((WIDTH, HEIGHT), scale)
    face.shape(_plate_outline(line, cut - line * 0.4))
    lay(sheet, face, Image.new("RGB", sheet.size, blend(style.plate[:3], style.metal[0], 0.06)))
    if rank >= 3:
        hair = Stencil((WIDTH, HEIGHT), scale)
        outline = _plate_outline(line + 3, cut - 2)
        hair.stroke([*outline, outline[0]], 0.9, value=170)
        lay(sheet, hair, metal)


def _hexagon(x: float, y: float, r: float) -> list[tuple[float, float]]:
    return [
        (x + r * math.sin(k * math.pi / 3), y - r * math.cos(k * math.pi / 3)) for k in range(6)
    ]


def _draw_gem(sheet: Image.Image, tier: Tier, metal: Image.Image, scale: float) -> None:
    style, rank = STYLES[tier], TIER_RANKS[tier]
    x, y, r = _GEM_X, _PLATE_MIDDLE, style.gem_radius
    if rank >= 3:
        burst = Stencil((WIDTH, HEIGHT), scale)
        for k in range(24):
            angle, far = k * math.tau / 24, r * (1.42 if k % 2 else 1.24) + rank
            sides = [
                (x + math.cos(angle + s) * r, y + math.sin(angle + s) * r) for s in (-0.09, 0.09)
            ]
            burst.shape([*sides, (x + math.cos(angle) * far, y + math.sin(angle) * far)])
        lay(sheet, burst, metal)
    rim = Stencil((WIDTH, HEIGHT), scale)
    rim.shape(_hexagon(x, y, r + 4))
    lay(sheet, rim, metal)
    dark = Stencil((WIDTH, HEIGHT), scale)
    dark.shape(_hexagon(x, y, r + 1))
    lay(sheet, dark, Image.new("RGB", sheet.size, blend(style.gem[2], (0, 0, 0), 0.5)))
    outer, table = _hexagon(x, y, r), _hexagon(x, y, r * 0.66)
    for k in range(6):
        after = (k + 1) % 6
        facet = Stencil((WIDTH, HEIGHT), scale)
        facet.shape([outer[k], outer[after], table[after], table[k]])
        lit = (0.15, -0.25, -0.45, -0.30, 0.10, 0.55)[k]
        tone = style.gem[k % len(style.gem)] if rank >= 4 else style.gem[0]
        tone = blend(tone, (255, 255, 255) if lit > 0 else (0, 0, 0), abs(lit))
        lay(sheet, facet, Image.new("RGB", sheet.size, tone))
    face = Stencil((WIDTH, HEIGHT), scale)
    face.shape(table)
    lay(
        sheet,
        face,
        gradient(sheet.size, (style.gem[1], style.gem[1], blend(style.gem[1], style.gem[0], 0.35))),
    )
    pixels = r * (0.80 if len(tier) == 1 else 0.66 if len(tier) == 2 else 0.54) * scale
    ImageDraw.Draw(sheet).text(
        (x * scale, y * scale),
        tier,
        font=lettering(pixels),
        fill=blend(style.gem[2], (0, 0, 0), 0.72),
        anchor="mm",
        stroke_width=0.35 * scale,
        stroke_fill=blend(style.gem[2], (0, 0, 0), 0.72),
    )
