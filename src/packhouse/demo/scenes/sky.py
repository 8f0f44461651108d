"""Scenes of the sky: a planet, a constellation, comets, an aurora."""

import math

from PIL import Image

from packhouse.demo.easel import Easel, bezier
from packhouse.demo.palettes import blend
from packhouse.demo.scenes.strokes import arc, draw_globe


def paint_planet(easel: Easel) -> None:
    """A ringed world close by, its moons about it."""
    chance, palette, tall = easel.chance, easel.palette, easel.tall
    x, y, r = 0.5, tall * 0.45, 0.22 + 0.012 * easel.rank
    tilt = chance.choice((-1, 1)) * chance.uniform(0.2, 0.5)
    easel.heavens(x - r, y - r, glow=0.7, fog=120)
    easel.glow(x, y, r * 1.7, palette.accent, 0.45)
    paint = blend(palette.accent, palette.far, chance.uniform(0.25, 0.6))

    def rings(start: float, end: float) -> None:
        for k in range(11):
            reach = r * (1.38 + 0.06 * k)
            tone = blend(palette.light, palette.accent, (k * 0.37) % 1)
            if k != 6:
                easel.stroke(
                    arc(x, y, reach, reach * 0.24, tilt, start, end),
                    tone,
                    90 + 15 * (k % 5),
                    line=0.0085,
                )

    rings(math.pi, math.tau)
    draw_globe(easel, x, y, r, paint, bands=9)
    rings(0, math.pi)
    for _ in range(2 + easel.rank // 2):
        angle, reach = chance.uniform(0, math.tau), r * chance.uniform(1.5, 2.0)
        mx, my = x + math.cos(angle) * reach, y + math.sin(angle) * reach * 0.9
        draw_globe(
            easel,
            mx,
            my,
            chance.uniform(0.015, 0.045),
            blend(palette.light, palette.far, chance.uniform(0.2, 0.7)),
            bands=3,
        )
    easel.ridge(tall * 0.97, 0.13, blend(palette.far, palette.near, 0.6), mist=palette.near)
    easel.ridge(tall * 1.02, 0.07, palette.near)


def paint_constellation(easel: Easel) -> None:
    """A figure of stars, drawn with its chart."""
    chance, palette, tall = easel.chance, easel.palette, easel.tall
    x, y = 0.5, tall * 0.43
    easel.heavens(x, y, glow=0.5, fog=190)
    line = palette.light if palette.night else palette.near
    for reach in (0.18, 0.30, 0.40):
        easel.ring(x, y, reach, line, 60, line=0.002)
    for k in range(12):
        angle = k * math.tau / 12 + 0.1
        easel.stroke(
            [(x + math.cos(angle) * s, y + math.sin(angle) * s) for s in (0.18, 0.42)],
            line,
            40,
            line=0.002,
        )
    count = 9 + easel.rank
    angles = sorted(chance.uniform(0, math.tau) for _ in range(count))
    figure = [
        (
            x + math.cos(a + k * 0.2) * chance.uniform(0.10, 0.36),
            y + math.sin(a + k * 0.2) * chance.uniform(0.10, 0.36),
        )
        for k, a in enumerate(angles)
    ]
    figure = [
        (
            x + math.cos(k * math.tau / count) * chance.uniform(0.13, 0.37),
            y + math.sin(k * math.tau / count) * chance.uniform(0.13, 0.37),
        )
        for k in range(count)
    ]
    easel.fill(figure, palette.accent, 26)
    easel.stroke([*figure[: count - 1]], line, 170, line=0.0035)
    for k in range(0, count - 3, 3):
        easel.stroke([figure[k], (x, y), figure[k + 2]], line, 120, line=0.0025)
    for px, py in [*figure, (x, y)]:
        size = chance.uniform(0.016, 0.034)
        easel.glow(px, py, size * 2.4, palette.accent, 0.75)
        easel.sparkle(px, py, size, palette.light)
        easel.disc(px, py, size * 0.3, palette.light)
    easel.ridge(tall * 0.96, 0.12, blend(palette.far, palette.near, 0.5), mist=palette.near)
    crest = easel.ridge(tall * 1.0, 0.06, palette.near)
    for px, py in crest[::2]:
        easel.fill(
            [
                (px - 0.012, py + 0.01),
                (px, py - chance.uniform(0.02, 0.07)),
                (px + 0.012, py + 0.01),
            ],
            palette.near,
        )


def paint_comet(easel: Easel) -> None:
    """Comets over the hills, with tails of fine light."""
    chance, palette, tall = easel.chance, easel.palette, easel.tall
    side = chance.choice((-1, 1))
    x, y = 0.5 - side * 0.20, tall * 0.50
    easel.heavens(x, y, glow=0.5, fog=120)
    _comet(easel, x, y, side, 0.055 + 0.004 * easel.rank, 150)
    for _ in range(max(0, easel.rank - 1)):
        _comet(
            easel,
            chance.uniform(0.1, 0.9),
            tall * chance.uniform(0.12, 0.5),
            side,
            chance.uniform(0.010, 0.020),
            30,
        )
    for depth in range(3):
        tone = blend(blend(palette.far, palette.horizon, 0.3), palette.near, 0.1 + 0.4 * depth)
        crest = easel.ridge(
            tall * (0.84 + 0.08 * depth), 0.17 - 0.04 * depth, tone, mist=palette.near
        )
    for px, py in crest:
        high = chance.uniform(0.02, 0.08)
        easel.fill(
            [(px - high * 0.22, py + 0.012), (px, py - high), (px + high * 0.22, py + 0.012)],
            palette.near,
        )


def _comet(easel: Easel, x: float, y: float, side: int, size: float, strands: int) -> None:
    palette, chance = easel.palette, easel.chance
    for index in range(strands):
        spread = chance.gauss(0, 0.13)
        angle = -0.62 + spread
        long = size * chance.uniform(6, 15) * (1 - abs(spread) * 1.6)
        rx, ry = x + chance.gauss(0, size * 0.25), y + chance.gauss(0, size * 0.25)
        tip = (rx + side * math.cos(angle) * long, ry + math.sin(angle) * long)
        bend = (
            rx + side * math.cos(angle + 0.25) * long * 0.5,
            ry + math.sin(angle + 0.25) * long * 0.5,
        )
        tone = (palette.light, palette.accent, palette.horizon)[index % 3]
        curve = bezier((rx, ry), bend, tip, steps=10)
        easel.stroke(curve[:6], tone, 60, line=size * 0.05)
        easel.stroke(curve, tone, 45, line=size * 0.035)
    easel.glow(x, y, size * 3.2, palette.accent, 0.8)
    easel.disc(x, y, size * 0.7, palette.light)
    easel.glow(x, y, size * 1.6, palette.light, 1.0)
    easel.sparkle(x, y, size * 1.8, palette.light, 200)


def paint_aurora(easel: Easel) -> None:
    """Curtains of light over mountains and a still lake."""
    chance, palette, tall = easel.chance, easel.palette, easel.tall
    easel.heavens(0.5, tall * 0.62, glow=0.5, fog=50)
    easel.glow(0.5, tall * 0.3, 0.55, palette.accent, 0.25)
    for curtain in range(2 + easel.rank // 2):
        base, phase = tall * chance.uniform(0.34, 0.60), chance.uniform(0, 6)
        pair = (palette.accent, palette.horizon, palette.light)[curtain % 3], palette.sky
        for k in range(190):
            px = k / 189
            fold = math.sin(px * 6 + phase) + 0.5 * math.sin(px * 15 + phase * 2)
            low = base + 0.07 * fold
            high = 0.20 + 0.10 * math.sin(px * 9 + phase) + chance.uniform(0, 0.09)
            wobble = px + 0.03 * fold
            for share, alpha in ((1.0, 16), (0.7, 22), (0.45, 34), (0.2, 46)):
                easel.stroke(
                    [(wobble, low), (wobble, low - high * share)],
                    blend(*pair, 0.25 * share),
                    alpha,
                    line=0.008,
                )
    lake = tall * 0.80
    easel.ridge(
        lake + 0.01,
        0.24,
        blend(palette.far, palette.zenith, 0.3),
        mist=blend(palette.far, palette.horizon, 0.4),
    )
    easel.ridge(lake + 0.01, 0.12, blend(palette.far, palette.near, 0.5))
    mirrored_from = round((2 * lake - tall) * easel.width)
    box = (0, max(0, mirrored_from), easel.width, round(lake * easel.width))
    mirrored = easel.picture.crop(box).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    mirrored = Image.blend(mirrored, Image.new("RGB", mirrored.size, palette.near), 0.45)
    easel.picture.paste(mirrored, (0, round(lake * easel.width)))
    for _ in range(60):
        easel.oval(
            chance.random(),
            lake + 0.004 + chance.random() * (tall - lake),
            chance.uniform(0.02, 0.09),
            0.0015,
            palette.light,
            60,
        )
    shore = [
        (0.0, tall * 0.985),
        *bezier((0.0, tall * 0.96), (0.5, tall * 1.02), (1.0, tall * 0.96)),
    ]
    easel.fill([*shore, (1.0, easel.bottom), (0.0, easel.bottom)], palette.near)
    for edge in (-1, 1):
        for k in range(9):
            px, high = 0.5 + edge * (0.52 - 0.028 * k), 0.20 - 0.016 * k + chance.uniform(0, 0.06)
            foot = tall * (0.99 - 0.002 * k)
            for tier in range(4):
                ty, half = foot - high * tier / 4.6, high * 0.20 * (1 - tier / 5)
                easel.fill([(px - half, ty), (px, ty - high * 0.42), (px + half, ty)], palette.near)
