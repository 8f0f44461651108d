"""Scenes that face the onlooker: a moth, a flower, a stag, a bird of flame."""

import math
from collections.abc import Sequence

from packhouse.demo.easel import Easel, Point, bezier, petal
from packhouse.demo.palettes import Colour, blend


def paint_moth(easel: Easel) -> None:
    """A great moth before its moon, eyes on its wings."""
    chance, palette, tall = easel.chance, easel.palette, easel.tall
    x, y, size = 0.5, tall * 0.45, 0.40 + 0.008 * easel.rank
    easel.heavens(x, y, glow=0.6, fog=120)
    easel.moon(x, y - 0.03, 0.24 + 0.008 * easel.rank)
    droop = chance.uniform(-0.08, 0.10)
    tone = blend(palette.far, palette.accent, chance.uniform(0.15, 0.45))
    pale = blend(tone, palette.light, 0.3)
    for side in (-1, 1):

        def at(across: float, down: float, side: int = side) -> Point:
            return x + side * across * size, y + down * size

        hind = bezier(at(0.05, 0.10), at(0.75, 0.05), at(0.70, 0.48))
        hind += bezier(at(0.70, 0.48), at(0.55, 0.85), at(0.34, 0.78 + droop))
        hind += bezier(at(0.34, 0.78 + droop), at(0.20, 0.60), at(0.05, 0.22))
        fore = bezier(at(0.04, -0.02), at(0.50, -0.75), at(1.08, -0.62 + droop))
        fore += bezier(at(1.08, -0.62 + droop), at(1.02, -0.05), at(0.80, 0.16))
        fore += bezier(at(0.80, 0.16), at(0.40, 0.20), at(0.04, 0.12))
        _moth_wing(easel, hind, (x, y), at(0.46, 0.46), 0.13 * size, tone)
        _moth_wing(easel, fore, (x, y), at(0.66, -0.24), 0.15 * size, tone)
        feeler = bezier(at(0.02, -0.20), at(0.10, -0.50), at(0.34, -0.62))
        easel.stroke(feeler, palette.near, line=0.005)
        for px, py in feeler[3:]:
            easel.stroke([(px, py), (px + side * 0.002, py - 0.028)], palette.near, 220)
    body = petal(x, y - size * 0.30, math.pi / 2, long=size, wide=size * 0.15)
    easel.fill(body, palette.near)
    for k in range(7):
        girth = size * (0.07 - 0.007 * k)
        easel.oval(x, y + size * (0.02 + 0.08 * k), girth, size * 0.018, pale)
    easel.oval(x, y - size * 0.10, size * 0.085, size * 0.11, pale)
    easel.disc(x, y - size * 0.23, size * 0.06, palette.near)
    easel.motes(30 + 10 * easel.rank, x, y, spread=0.27, paint=palette.accent)


def _moth_wing(
    easel: Easel, wing: list[Point], root: Point, eye: Point, reach: float, tone: Colour
) -> None:
    palette, (x, y) = easel.palette, root

    def drawn_in(points: list[Point], share: float) -> list[Point]:
        return [(x + (px - x) * share, y + (py - y) * share) for px, py in points]

    easel.shade(wing, (blend(tone, palette.light, 0.25), tone, blend(tone, palette.near, 0.6)))
    for share, paint in ((0.86, palette.near), (0.72, palette.accent), (0.55, palette.near)):
        easel.stroke(drawn_in(wing, share), paint, 130, line=0.006)
    for tip in wing[2:34:2]:
        easel.stroke([root, tip], palette.near, 70, line=0.002)
    easel.stroke(wing, blend(palette.light, palette.accent, 0.4), 220, line=0.005)
    rings = (palette.near, palette.accent, palette.near, palette.light)
    for share, paint in zip((1.0, 0.8, 0.55, 0.3), rings, strict=True):
        easel.disc(*eye, reach * share, paint)
    for px, py in drawn_in(wing[14:32:3], 0.93):
        easel.disc(px, py, 0.007, palette.light, 210)


def paint_bloom(easel: Easel) -> None:
    """A flower that is also a rose window, ring within ring of petals."""
    chance, palette, tall = easel.chance, easel.palette, easel.tall
    x, y = 0.5, tall * 0.46
    easel.heavens(x, y, glow=0.6, fog=150)
    sides = chance.choice((6, 8, 10, 12)) if easel.rank < 3 else chance.choice((12, 14, 16))
    line = palette.light if palette.night else palette.near
    for reach in (0.44, 0.452):
        easel.ring(x, y, reach, line, 110, line=0.002)
    rings = 5 + easel.rank // 2
    for ring in range(rings):
        share = ring / (rings - 1)
        long, start = 0.43 - 0.34 * share, (ring % 2) * math.pi / sides
        outer = blend(palette.far, palette.accent, 0.15 + 0.75 * share)
        for k in range(sides):
            angle = start + k * math.tau / sides
            leaf = petal(x, y, angle, long=long, wide=long * 2.6 / sides)
            easel.fill(leaf, blend(outer, palette.near, 0.25 if k % 2 else 0.05), 225)
            vein = petal(x, y, angle, long=long * 0.82, wide=long * 1.5 / sides)
            easel.fill(vein, blend(outer, palette.light, 0.30), 120)
            easel.stroke(leaf, blend(outer, palette.light, 0.65), 190, line=0.0025)
            dx, dy = math.cos(angle) * (long + 0.012), math.sin(angle) * (long + 0.012)
            easel.disc(x + dx, y + dy, 0.0065 - 0.0008 * ring, palette.light, 230)
    easel.glow(x, y, 0.20, palette.light, 0.75)
    for k in range(60):
        angle, reach = k * 2.39996, 0.0062 * math.sqrt(k)
        easel.disc(
            x + math.cos(angle) * reach,
            y + math.sin(angle) * reach,
            0.0030,
            blend(palette.accent, palette.near, 0.55),
        )
    for _ in range(20 + 8 * easel.rank):
        angle, reach = chance.uniform(0, math.tau), chance.uniform(0.25, 0.55)
        easel.disc(
            x + math.cos(angle) * reach,
            y + math.sin(angle) * reach,
            chance.uniform(0.001, 0.005),
            palette.accent,
            200,
        )


def paint_stag(easel: Easel) -> None:
    """A stag face to face, holding a light between his antlers."""
    chance, palette, tall = easel.chance, easel.palette, easel.tall
    x, y = 0.5, tall * 0.62
    orb = tall * 0.27
    easel.heavens(x, orb, glow=0.6, fog=120)
    easel.ridge(tall * 0.80, 0.20, blend(palette.far, palette.horizon, 0.35), mist=palette.far)
    easel.moon(x, orb, 0.11 + 0.008 * easel.rank)
    tone = blend(palette.near, palette.far, 0.30)
    for side in (-1, 1):
        _antler(easel, x, y, side)
        ear = petal(x + side * 0.07, y - 0.12, -math.pi / 2 + side * 1.15, long=0.16, wide=0.05)
        easel.shade(ear, (tone, palette.near))
        easel.fill(
            petal(x + side * 0.08, y - 0.12, -math.pi / 2 + side * 1.15, long=0.11, wide=0.025),
            palette.accent,
            120,
        )
    chest = [
        *bezier((x - 0.09, y), (x - 0.16, y + 0.25), (x - 0.34, easel.bottom)),
        *bezier((x + 0.34, easel.bottom), (x + 0.16, y + 0.25), (x + 0.09, y)),
    ]
    easel.shade(chest, (blend(tone, palette.near, 0.4), palette.near))
    for _ in range(70):
        fx, fy = x + chance.gauss(0, 0.07), y + chance.uniform(0.10, 0.38)
        easel.stroke(
            [(fx, fy), (fx + (fx - x) * 0.15, fy + 0.05)],
            blend(tone, palette.horizon, 0.3),
            110,
            line=0.003,
        )
    _stag_head(easel, x, y, tone)
    easel.sparkle(x, y - 0.12, 0.03, palette.light)
    easel.glow(x, orb, 0.28, palette.accent, 0.35)
    easel.motes(30 + 10 * easel.rank, x, orb, spread=0.23, paint=palette.light)


def _antler(easel: Easel, x: float, y: float, side: int) -> None:
    horn = blend(easel.palette.accent, easel.palette.light, 0.35)
    points = 3 + min(3, easel.rank)
    root, bend, tip = (0.03, -0.15), (0.46, -0.24), (0.25, -0.60)
    beam = bezier(*((x + side * dx, y + dy) for dx, dy in (root, bend, tip)), steps=90)
    for k in range(points):
        px, py = beam[18 + k * 58 // points]
        heading = -math.pi / 2 - side * (0.15 + 0.12 * k)
        end = (px + math.cos(heading) * 0.16, py + math.sin(heading) * (0.17 - 0.012 * k))
        for j, (tx, ty) in enumerate(
            bezier((px, py), (px + side * 0.03, py - 0.08), end, steps=36)
        ):
            easel.disc(tx, ty, 0.0105 - 0.0002 * j, horn)
    for k, (px, py) in enumerate(beam):
        easel.disc(px, py, 0.017 - 0.00013 * k, horn)


def _stag_head(easel: Easel, x: float, y: float, tone: Colour) -> None:
    palette = easel.palette
    brow = bezier((x - 0.098, y - 0.09), (x - 0.085, y - 0.20), (x, y - 0.20))
    brow += bezier((x, y - 0.20), (x + 0.085, y - 0.20), (x + 0.098, y - 0.09))
    cheek = bezier((x + 0.098, y - 0.09), (x + 0.085, y + 0.02), (x + 0.045, y + 0.12))
    muzzle = bezier((x + 0.045, y + 0.12), (x, y + 0.20), (x - 0.045, y + 0.12))
    head = [
        *brow,
        *cheek,
        *muzzle,
        *bezier((x - 0.045, y + 0.12), (x - 0.085, y + 0.02), (x - 0.098, y - 0.09)),
    ]
    easel.shade(head, (blend(tone, palette.horizon, 0.35), tone, blend(tone, palette.near, 0.5)))
    easel.fill(petal(x, y - 0.19, math.pi / 2, long=0.31, wide=0.045), palette.horizon, 70)
    easel.oval(x, y + 0.135, 0.036, 0.024, palette.near)
    for side in (-1, 1):
        outward = -0.35 if side > 0 else math.pi + 0.35
        socket = petal(x + side * 0.045, y - 0.045, outward, long=0.05, wide=0.018)
        easel.fill(socket, palette.near)
        easel.glow(x + side * 0.068, y - 0.052, 0.03, palette.light, 0.9)
        easel.disc(x + side * 0.068, y - 0.052, 0.007, palette.light)


def paint_firebird(easel: Easel) -> None:
    """A bird of flame with its wings spread, rising."""
    palette, tall = easel.palette, easel.tall
    x, y = 0.5, tall * 0.44
    easel.heavens(x, y, glow=0.6, fog=130)
    easel.glow(x, y, 0.45, palette.accent, 0.5)
    shades = (palette.far, blend(palette.far, palette.accent, 0.5), palette.accent, palette.light)
    for k in range(9):
        lean = (k - 4) * 0.13
        bend = (x + lean * 1.6, y + 0.35)
        end = (x + lean * 0.9 + 0.07 * math.sin(k * 2.3), y + 0.60 - 0.05 * abs(k - 4))
        plume = bezier((x, y + 0.08), bend, end, steps=20)
        easel.stroke(plume, blend(shades[1], shades[2], k % 2), 220, line=0.010)
        easel.stroke(plume, palette.light, 140, line=0.003)
        easel.fill(petal(end[0], end[1] - 0.05, math.pi / 2, long=0.09, wide=0.03), palette.accent)
        easel.disc(end[0], end[1] - 0.008, 0.014, palette.far)
        easel.disc(end[0], end[1] - 0.008, 0.006, palette.light)
    for side in (-1, 1):
        _fire_wing(easel, x, y, side, shades)
    easel.fill(petal(x, y - 0.15, math.pi / 2, long=0.36, wide=0.085), shades[1])
    easel.stroke(bezier((x, y - 0.02), (x - 0.01, y - 0.12), (x, y - 0.18)), shades[1], line=0.05)
    easel.fill(petal(x, y - 0.12, math.pi / 2, long=0.26, wide=0.055), palette.accent)
    for row in range(6):
        for k in range(-1, 2):
            easel.fill(
                petal(x + k * 0.020, y - 0.06 + 0.03 * row, math.pi / 2, long=0.04, wide=0.012),
                palette.light,
                130,
            )
    _fire_head(easel, x, y)
    easel.glow(x, y, 0.16, palette.light, 0.55)
    easel.motes(65, x, y, spread=0.27, paint=palette.light)
    easel.motes(65, x, y + 0.05, spread=0.27, paint=palette.accent)


def _fire_wing(easel: Easel, x: float, y: float, side: int, shades: Sequence[Colour]) -> None:
    for layer, paint in enumerate(shades):
        count = 17 - 3 * layer
        for k in range(count):
            share = k / (count - 1)
            away = 1 - share
            rx, ry = x + side * (0.03 + 0.22 * away), y - 0.02 - 0.13 * away**1.3
            long = (0.35 - 0.17 * share) * (1 - 0.21 * layer) * easel.chance.uniform(0.93, 1.05)
            angle = -1.05 + 2.1 * share
            heading = angle if side > 0 else math.pi - angle
            feather = petal(rx, ry, heading, long=long, wide=0.026)
            easel.fill(feather, paint, 235)
            vane = blend(paint, easel.palette.light, 0.5)
            easel.stroke(feather[:11], vane, 120, line=0.002)
    root, bend, wrist = (0.02, 0.01), (0.12, -0.14), (0.27, -0.16)
    arm = bezier(*((x + side * dx, y + dy) for dx, dy in (root, bend, wrist)))
    easel.stroke(arm, easel.palette.light, 220, line=0.010)


def _fire_head(easel: Easel, x: float, y: float) -> None:
    palette = easel.palette
    for k in range(5):
        crest = petal(
            x - 0.015, y - 0.20, -math.pi / 2 - 0.15 - k * 0.32, long=0.15 - 0.014 * k, wide=0.016
        )
        easel.fill(crest, blend(palette.accent, palette.light, 0.15 * k))
    easel.fill(
        [
            (x + 0.022, y - 0.215),
            *bezier((x + 0.03, y - 0.212), (x + 0.075, y - 0.205), (x + 0.092, y - 0.165)),
            (x + 0.02, y - 0.172),
        ],
        palette.light,
    )
    easel.disc(x, y - 0.19, 0.042, blend(palette.accent, palette.far, 0.15))
    easel.disc(x + 0.016, y - 0.197, 0.011, palette.light)
    easel.disc(x + 0.018, y - 0.197, 0.006, palette.near)
