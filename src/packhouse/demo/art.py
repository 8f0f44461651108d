"""The faces of the demo shop's cards, all made by drawing.

Each picture follows from what it shows and nothing else, so it can be made again at any time and
comes out the same to the byte (with the same version of Pillow). A card takes about a tenth of a
second. Answers are WebP.
"""

import hashlib
import io
import random
from typing import Final

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter

from packhouse.demo.cards import DemoCard
from packhouse.demo.easel import Easel
from packhouse.demo.frames import (
    FULL_ART_RANK,
    FULL_ART_STAGE,
    HEIGHT,
    STYLES,
    WIDTH,
    WINDOW,
    draw_frame,
    fit_name,
)
from packhouse.demo.palettes import Palette, blend, choose_palette
from packhouse.demo.scenes import SCENES
from packhouse.demo.stencil import lettering, sheen
from packhouse.foundation.tiers import TIER_RANKS

FLAVOUR_PIXELS: Final = 18
FLAVOUR_ROOM: Final = 360
"""How high and how wide a line of flavour is on a card 480 wide; there is room for two."""

_OVERSAMPLING: Final = 2
_QUALITIES: Final = (82, 74, 66)
_BYTES_PER_PIXEL_MAX: Final = 0.14
"""About 45 kB for a card 480 wide."""


def seeded(words: str) -> random.Random:
    """Chance that follows from ``words`` alone."""
    seed = int.from_bytes(hashlib.sha256(words.encode()).digest()[:8])
    return random.Random(seed)  # noqa: S311 - it draws pictures, not prizes


def encode(picture: Image.Image) -> bytes:
    """The picture as a WebP file, less fine only if it would be heavy for its size."""
    limit = picture.width * picture.height * _BYTES_PER_PIXEL_MAX
    for quality in _QUALITIES:
        file = io.BytesIO()
        picture.save(file, "WEBP", quality=quality, method=4)
        if file.tell() <= limit:
            break
    return file.getvalue()


def paint_scene(
    motif: str,
    *,
    size: tuple[int, int],
    stage: int,
    palette: Palette,
    chance: random.Random,
    rank: int,
) -> Image.Image:
    """The scene of a motif in ``size``, composed for the upper ``stage`` pixels of it."""
    easel = Easel(
        size=(size[0] * _OVERSAMPLING, size[1] * _OVERSAMPLING),
        stage=stage * _OVERSAMPLING,
        palette=palette,
        chance=chance,
        rank=rank,
    )
    SCENES[motif](easel)
    return _bloom(easel.picture.reduce(_OVERSAMPLING))


def _bloom(picture: Image.Image) -> Image.Image:
    """Let what is bright shine a little over its edges, as in a photograph."""
    small = picture.reduce(4).point([max(0, v - 150) for v in range(256)] * 3)
    halo = small.filter(ImageFilter.GaussianBlur(picture.width / 60))
    return ImageChops.screen(picture, halo.resize(picture.size, Image.Resampling.BICUBIC))


def render_card_art(card: DemoCard, *, width: int = WIDTH) -> bytes:
    """The face of ``card`` as WebP, ``width`` wide and 7/5 as high; the same bytes every time."""
    rank, scale = TIER_RANKS[card.tier], width / WIDTH
    size = (width, round(HEIGHT * scale))
    chance = seeded(f"{card.set_code}/{card.number}")
    palette = choose_palette(card.element, rank=rank, chance=chance)
    if rank < FULL_ART_RANK:
        left, top, right, bottom = (round(v * scale) for v in WINDOW)
        opening = (right - left, bottom - top)
        scene = paint_scene(
            card.motif, size=opening, stage=opening[1], palette=palette, chance=chance, rank=rank
        )
        face = Image.new("RGB", size, palette.far)
        face.paste(scene, (left, top))
    else:
        stage = round(FULL_ART_STAGE * scale)
        face = paint_scene(
            card.motif, size=size, stage=stage, palette=palette, chance=chance, rank=rank
        )
        film = sheen(
            size, [blend(c, (60, 60, 70), 0.5) for c in STYLES[card.tier].metal], degrees=60
        )
        face = Image.blend(face, ImageChops.overlay(face, film), 0.40)
        face = ImageEnhance.Color(face).enhance(1.0 + 0.12 * (rank - 3))
    frame = draw_frame(card.tier, width)
    face.paste(frame, (0, 0), frame)
    _letter(face, card, scale)
    return encode(face)


def _letter(face: Image.Image, card: DemoCard, scale: float) -> None:
    style = STYLES[card.tier]
    font = lettering(fit_name(card.name, card.tier) * scale)
    mask = Image.new("L", face.size)
    ImageDraw.Draw(mask).text(
        (36 * scale, 499 * scale),
        card.name,
        font=font,
        fill=255,
        anchor="lm",
        stroke_width=0.3 * scale,
    )
    face.paste(Image.new("RGB", face.size, style.ink), (0, 0), mask)
    lines = wrap(card.flavour, pixels=FLAVOUR_PIXELS, room=FLAVOUR_ROOM)
    top = 580 - 12 * len(lines)
    for index, line in enumerate(lines):
        _slanted(face, line, y=(top + 24 * index) * scale, pixels=FLAVOUR_PIXELS * scale, card=card)
    brush = ImageDraw.Draw(face)
    small = lettering(13 * scale)
    kind = f"{card.set_code}-{card.number}" + ("  ·  digital" if card.kind == "digital" else "")
    brush.text((36 * scale, 638 * scale), kind, font=small, fill=style.ink, anchor="lm")
    brush.text((444 * scale, 638 * scale), card.set_name, font=small, fill=style.ink, anchor="rm")


def wrap(words: str, *, pixels: float, room: float) -> list[str]:
    """``words`` in as few lines as ``room`` allows, of about equal length."""
    font = lettering(pixels)

    def fill(limit: float) -> list[str]:
        lines = [""]
        for word in words.split():
            longer = f"{lines[-1]} {word}".strip()
            if lines[-1] and font.getlength(longer) > limit:
                lines.append(word)
            else:
                lines[-1] = longer
        return lines

    widest = fill(room)
    limit = font.getlength(words) / len(widest)
    while len(fill(limit)) > len(widest):
        limit = min(room, limit + 4)
    return fill(limit)


def _slanted(face: Image.Image, line: str, *, y: float, pixels: float, card: DemoCard) -> None:
    """One centred line leaning to the right: the typeface has no italic of its own."""
    height = round(pixels * 1.6)
    mask = Image.new("L", (face.width, height))
    ImageDraw.Draw(mask).text(
        (face.width / 2, height / 2), line, font=lettering(pixels), fill=235, anchor="mm"
    )
    lean = 0.18
    slope = (1, lean, -lean * height / 2, 0, 1, 0)
    mask = mask.transform(mask.size, Image.Transform.AFFINE, slope, Image.Resampling.BICUBIC)
    ink = Image.new("RGB", mask.size, STYLES[card.tier].ink)
    face.paste(ink, (0, round(y)), mask)
