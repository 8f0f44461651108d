"""What hides a card: the common back, and the foil pouches that packs are sold in.

Drawn as the cards are: each picture follows from its design alone.
"""

import math
import random
from functools import lru_cache
from typing import Final

import msgspec
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from packhouse.demo.art import encode, paint_scene, seeded, wrap
from packhouse.demo.easel import Point, gradient, noise, petal
from packhouse.demo.frames import HEIGHT, STYLES, WIDTH
from packhouse.demo.palettes import PALETTES, Colour, Palette, blend, colour
from packhouse.demo.stencil import Stencil, lay, lettering, sheen

POUCH_HEIGHT: Final = 768
"""How high a pouch is when it is 480 wide."""

_CRIMP: Final = 46
_TEETH: Final = 30
_BACK: Final = (WIDTH, HEIGHT)
_POUCH: Final = (WIDTH, POUCH_HEIGHT)


class WrapperDesign(msgspec.Struct, frozen=True):
    """What is printed on a pouch: words, and the element and motif of its picture."""

    title: str
    subtitle: str
    element: str
    motif: str


WRAPPERS: Final[dict[str, WrapperDesign]] = {
    "first-light": WrapperDesign("First Light", "One card from the tide", "lantern", "ship"),
    "harbour-eight": WrapperDesign("Harbour Eight", "Eight cards, one sure hit", "tide", "whale"),
    "hollow-sky": WrapperDesign(
        "The Hollow Sky", "Five cards of brass and glass", "star", "orrery"
    ),
    "last-lantern": WrapperDesign("The Last Lantern", "A numbered lot", "storm", "lanterns"),
    "glass-echo": WrapperDesign("Glass Echo", "Digital cards, without end", "glass", "crystal"),
    "ember-crown": WrapperDesign("Ember Crown", "Hunt the First Ember", "ember", "firebird"),
}
"""Ready designs by a slug that a pack may take over."""


# The back ---------------------------------------------------------------------------------------


@lru_cache(maxsize=2)
def render_card_back(width: int = WIDTH) -> bytes:
    """The reverse that all cards share, as WebP, ``width`` wide and 7/5 as high.

    It looks the same upside down, as a card's back must.
    """
    scale = width / WIDTH
    size = (width, round(HEIGHT * scale))
    ink, deep, gold = colour("0b0f2b"), colour("1c2563"), STYLES["A"].metal
    back = gradient(size, (ink, deep, ink)).convert("RGBA")
    for shades, strength in (((deep, colour("3c2b78")), 150), ((deep, colour("0f5a6b")), 120)):
        lumps = noise(size, seeded(f"back/{strength}"), cells=3, octaves=3)
        mist = ImageChops.lighter(lumps, lumps.rotate(180)).point(
            [max(0, min(strength, (v - 110) * 2)) for v in range(256)]
        )
        back.paste(Image.new("RGB", size, shades[1]), (0, 0), mist)
    metal = sheen(size, gold)
    for stencil, paint in (
        (_lattice(scale), Image.new("RGB", size, colour("8f9be0"))),
        (_mandala(scale), metal),
        (_back_border(scale), metal),
    ):
        lay(back, stencil, paint)
    _lay_gems(back, scale)
    return encode(back.convert("RGB"))


def _lattice(scale: float) -> Stencil:
    """A fine net of circles over the whole back."""
    net = Stencil(_BACK, scale)
    for row in range(-1, 17):
        for column in range(-1, 13):
            net.ring(column * 40, row * 42, 28, 0.7, value=34)
    return net


def _mandala(scale: float) -> Stencil:
    """Petals, rings and a seven-rayed star (a ray for each tier), laid twice to be turned."""
    mandala = Stencil(_BACK, scale)
    x, y = WIDTH / 2, HEIGHT / 2
    mandala.disc(x, y, 182, value=40)
    for reach, line in ((182, 3), (174, 1), (120, 2), (64, 2.5), (58, 1)):
        mandala.ring(x, y, reach, line)
    for petals, long, wide, value in ((28, 168, 13, 190), (14, 118, 20, 220), (14, 60, 11, 255)):
        for k in range(petals):
            outline = petal(x, y, k * math.tau / petals + math.pi / 2, long=long, wide=wide)
            mandala.stroke(outline, 1.3, value=value)
    for k in range(84):
        angle = k * math.tau / 84
        near, far = 184, 196 if k % 6 == 0 else 189
        mandala.stroke(
            [(x + math.cos(angle) * r, y + math.sin(angle) * r) for r in (near, far)], 1.6
        )
    for turn in (0, math.pi):
        star = [_on_circle(x, y, 150, k * 3 * math.tau / 7 - math.pi / 2 + turn) for k in range(8)]
        mandala.stroke(star, 1.4, value=200)
    for side in (-1, 1):
        for k in range(-4, 5):
            tall = 34 - 5 * abs(k)
            cx, cy = x + k * 26, y + side * 232
            mandala.shape(
                [(cx - 4, cy), (cx, cy + side * tall), (cx + 4, cy), (cx, cy - side * 10)]
            )
    return mandala


def _on_circle(x: float, y: float, r: float, angle: float) -> Point:
    return x + math.cos(angle) * r, y + math.sin(angle) * r


def _back_border(scale: float) -> Stencil:
    border = Stencil(_BACK, scale)
    for inset, line in ((10, 5), (19, 1.2), (30, 1.2)):
        border.box((inset, inset, WIDTH - inset, HEIGHT - inset), line=line)
    for x in range(42, WIDTH - 36, 12):
        for y in (24.5, HEIGHT - 24.5):
            border.disc(x, y, 2)
    for y in range(42, HEIGHT - 36, 12):
        for x in (24, WIDTH - 25):
            border.disc(x, y, 2)
    for x in (30, WIDTH - 30):
        for y in (30, HEIGHT - 30):
            for reach in (46, 36, 22):
                border.ring(x, y, reach, 1.6)
            border.shape([(x - 13, y), (x, y - 13), (x + 13, y), (x, y + 13)])
    return border


def _lay_gems(back: Image.Image, scale: float) -> None:
    """A gem in the middle and the tiers' colours about it."""
    x, y = WIDTH / 2, HEIGHT / 2
    styles = list(STYLES.values())
    for k in range(14):
        cx, cy = _on_circle(x, y, 150, k * math.tau / 14 - math.pi / 2)
        style = styles[k % 7]
        for reach, paint in ((8.5, STYLES["A"].metal[2]), (7, style.gem[2]), (4.5, style.gem[1])):
            dot = Stencil(_BACK, scale)
            dot.disc(cx, cy, reach)
            lay(back, dot, Image.new("RGB", back.size, paint))
    for reach, stops in (
        (40, STYLES["A"].metal),
        (35, STYLES["S"].metal),
        (22, STYLES["SSS"].metal),
    ):
        stone = Stencil(_BACK, scale)
        stone.shape([_on_circle(x, y, reach, k * math.tau / 6 - math.pi / 2) for k in range(6)])
        lay(back, stone, sheen(back.size, stops, degrees=35 + reach))


# The pouch --------------------------------------------------------------------------------------


def render_pack_wrapper(design: WrapperDesign, *, width: int = WIDTH) -> bytes:
    """The foil pouch of a pack as WebP, ``width`` wide and 8/5 as high.

    What lies outside its toothed edges is transparent.
    """
    scale = width / WIDTH
    size = (width, round(POUCH_HEIGHT * scale))
    chance = seeded(f"wrapper/{design.title}/{design.motif}")
    palette = PALETTES[design.element][0]
    crimp = round(_CRIMP * scale)
    pouch = Image.new("RGBA", size)
    inside = (width, size[1] - 2 * crimp)
    scene = paint_scene(
        design.motif,
        size=inside,
        stage=round(520 * scale),
        palette=palette,
        chance=chance,
        rank=5,
    )
    pouch.paste(scene, (0, crimp))
    _lay_crimps(pouch, palette, scale)
    _print_words(pouch, design, palette, scale)
    foil = _lay_light(pouch.convert("RGB"), seeded(f"folds/{design.title}"))
    foil.putalpha(_outline(scale).picture())
    return encode(foil)


def _lay_crimps(pouch: Image.Image, palette: Palette, scale: float) -> None:
    """The pressed bands at both ends: foil with fine ribs."""
    tone = blend(palette.far, palette.light, 0.25)
    stops = [blend(tone, c, 0.55) for c in STYLES["B"].metal]
    bands, ribs, rims = (Stencil(_POUCH, scale) for _ in range(3))
    for top in (0, POUCH_HEIGHT - _CRIMP):
        bands.box((0, top, WIDTH, top + _CRIMP))
        for x in range(0, WIDTH, 7):
            ribs.stroke([(x, top), (x, top + _CRIMP)], 2.6, value=105)
    for y in (_CRIMP + 2, _CRIMP + 8, POUCH_HEIGHT - _CRIMP - 3, POUCH_HEIGHT - _CRIMP - 9):
        rims.stroke([(0, y), (WIDTH, y)], 2)
    lay(pouch, bands, sheen(pouch.size, stops))
    lay(pouch, ribs, Image.new("RGB", pouch.size, palette.near))
    lay(pouch, rims, sheen(pouch.size, STYLES["A"].metal))


def _print_words(pouch: Image.Image, design: WrapperDesign, palette: Palette, scale: float) -> None:
    scrim = gradient(pouch.size, ((0,) * 3,) * 6 + ((150,) * 3, (205,) * 3, (150,) * 3)).getchannel(
        0
    )
    night = Image.new("RGBA", pouch.size, (*blend(palette.near, (0, 0, 0), 0.4), 0))
    night.putalpha(scrim)
    pouch.alpha_composite(night)
    gold = sheen(pouch.size, STYLES["A"].metal, degrees=20)
    pixels = 62.0
    lines = wrap(design.title.upper(), pixels=pixels, room=410)
    while len(lines) > 2 or max(lettering(pixels).getlength(line) for line in lines) > 410:
        pixels -= 2
        lines = wrap(design.title.upper(), pixels=pixels, room=410)
    top = 582 - (len(lines) - 1) * pixels * 0.5
    for index, line in enumerate(lines):
        middle = (WIDTH / 2, top + index * pixels)
        _stamp(pouch, line, middle, pixels, gold, palette.near, scale, weight=1.6)
    low = top + len(lines) * pixels - 8
    rule = Stencil(_POUCH, scale)
    for side in (-1, 1):
        rule.stroke([(WIDTH / 2 + side * 16, low), (WIDTH / 2 + side * 150, low)], 1.6)
        rule.disc(WIDTH / 2 + side * 150, low, 3.2)
    rule.shape([(WIDTH / 2 + dx, low + dy) for dx, dy in ((-8, 0), (0, -8), (8, 0), (0, 8))])
    lay(pouch, rule, gold)
    pale = Image.new("RGB", pouch.size, palette.light)
    _stamp(pouch, design.subtitle, (WIDTH / 2, low + 26), 21, pale, palette.near, scale, weight=0.2)
    _stamp(pouch, "P A C K H O U S E", (WIDTH / 2, 78), 17, gold, palette.near, scale, weight=0.4)


def _stamp(
    pouch: Image.Image,
    words: str,
    middle: Point,
    pixels: float,
    paint: Image.Image,
    shadow: Colour,
    scale: float,
    *,
    weight: float,
) -> None:
    """Words printed in ``paint`` around ``middle``, with a dark rim that lifts them off."""
    font, at = lettering(pixels * scale), (middle[0] * scale, middle[1] * scale)
    for rim, colours in ((weight + 2.4, Image.new("RGB", pouch.size, shadow)), (weight, paint)):
        mask = Image.new("L", pouch.size)
        ImageDraw.Draw(mask).text(
            at, words, font=font, fill=255, anchor="mm", stroke_width=rim * scale
        )
        pouch.paste(colours, (0, 0), mask)


def _lay_light(foil: Image.Image, chance: random.Random) -> Image.Image:
    """The roundness of a filled pouch: dark sides, two long lights, and small folds at the ends."""
    stops = [(v,) * 3 for v in (40, 96, 150, 215, 150, 128, 122, 128, 135, 170, 205, 140, 90, 36)]
    light = gradient((foil.height, foil.width), stops, rows=128).transpose(
        Image.Transpose.ROTATE_90
    )
    brush = ImageDraw.Draw(light, "RGBA")
    crimp = foil.width * _CRIMP / WIDTH
    for base, away in ((crimp, 1), (foil.height - crimp, -1)):
        for _ in range(16):
            x, long = chance.random() * foil.width, chance.uniform(0.08, 0.26) * foil.width
            lean, half = (
                chance.uniform(-0.12, 0.12) * foil.width,
                chance.uniform(0.006, 0.02) * foil.width,
            )
            tone = chance.choice((255, 20))
            fold = [(x - half, base), (x + half, base), (x + lean, base + away * long)]
            brush.polygon(fold, fill=(tone, tone, tone, 90))
    light = light.filter(ImageFilter.GaussianBlur(foil.width / 110))
    return Image.blend(foil, ImageChops.overlay(foil, light), 0.75)


def _outline(scale: float) -> Stencil:
    """The pouch's edge: teeth above and below, and the hole it hangs by."""
    edge = Stencil(_POUCH, scale)
    step = WIDTH / _TEETH
    top: list[Point] = []
    low: list[Point] = []
    for k in range(_TEETH):
        top += [(k * step, 9), ((k + 0.5) * step, 0)]
        low += [(k * step, POUCH_HEIGHT - 9), ((k + 0.5) * step, POUCH_HEIGHT)]
    edge.shape([*top, (WIDTH, 9), (WIDTH, POUCH_HEIGHT - 9), *reversed(low)])
    edge.disc(WIDTH / 2, 26, 9, value=0)
    return edge
