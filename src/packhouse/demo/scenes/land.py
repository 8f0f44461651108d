"""Scenes of strange country: dunes, crystals, a city, a tree."""

import math

from packhouse.demo.easel import Easel, Point, bezier, petal
from packhouse.demo.palettes import Colour, blend
from packhouse.demo.scenes.strokes import arc, draw_globe


def paint_dunes(easel: Easel) -> None:
    """Dunes, lit on one side, under a heavy sun."""
    chance, palette, tall = easel.chance, easel.palette, easel.tall
    x, y = chance.uniform(0.3, 0.7), tall * chance.uniform(0.30, 0.38)
    easel.heavens(x, y, glow=0.65, fog=80)
    easel.disc(x, y, 0.14 + 0.01 * easel.rank, blend(palette.light, palette.accent, 0.35))
    easel.disc(x, y, 0.125 + 0.01 * easel.rank, palette.light)
    easel.ridge(tall * 0.58, 0.14, blend(palette.far, palette.horizon, 0.55), mist=palette.horizon)
    for depth in range(5):
        base = tall * (0.60 + 0.085 * depth)
        peak = chance.uniform(0.15, 0.85)
        high = 0.05 + 0.035 * depth
        left = bezier((-0.1, base + 0.03), (peak - 0.2, base), (peak, base - high), steps=24)
        right = bezier((peak, base - high), (peak + 0.2, base + 0.02), (1.1, base + 0.05), steps=24)
        lit = blend(palette.horizon, palette.far, 0.25 + 0.14 * depth)
        dark = blend(palette.far, palette.near, 0.15 + 0.17 * depth)
        easel.shade(
            [*left, *right, (1.1, easel.bottom), (-0.1, easel.bottom)],
            (lit, blend(lit, dark, 0.7), dark),
        )
        spur = bezier(
            (peak, base - high), (peak - 0.06, base + 0.05), (peak + 0.12, base + 0.26), steps=24
        )
        easel.shade([*spur, (1.1, base + 0.3), *reversed(right)], (blend(dark, lit, 0.25), dark))
        easel.stroke(left, palette.light, 110, line=0.003)
        for k in range(4):
            ripple = [
                (px, py + 0.02 + 0.018 * k + 0.004 * math.sin(px * 40 + k)) for px, py in left[4:-3]
            ]
            easel.stroke(ripple, palette.near, 30, line=0.002)
    px, py = 0.5 + chance.uniform(-0.2, 0.2), tall * 0.80
    for k in range(4):
        wx = px + 0.038 * k
        cloak = bezier((wx - 0.013, py + 0.012), (wx - 0.004, py - 0.02), (wx, py - 0.04))
        easel.fill(
            [*cloak, *bezier((wx, py - 0.04), (wx + 0.005, py - 0.02), (wx + 0.011, py + 0.012))],
            palette.near,
        )
        easel.disc(wx, py - 0.034, 0.006, palette.near)
        easel.fill(
            [(wx, py + 0.012), (wx + 0.06, py + 0.03), (wx + 0.012, py + 0.014)], palette.near, 90
        )


def paint_crystal(easel: Easel) -> None:
    """A cluster of crystals lit from within."""
    chance, palette, tall = easel.chance, easel.palette, easel.tall
    x, y = 0.5, tall * 0.55
    easel.heavens(x, tall * 0.42, glow=0.6, fog=120)
    easel.ridge(tall * 0.80, 0.20, blend(palette.far, palette.horizon, 0.25), mist=palette.far)
    easel.ridge(tall * 0.90, 0.06, palette.near)
    easel.glow(x, y, 0.5, palette.accent, 0.55)
    count = 11 + easel.rank
    leans = sorted((chance.uniform(-1.05, 1.05) for _ in range(count)), key=abs, reverse=True)
    for lean in [*leans, chance.uniform(-0.08, 0.08)]:
        long = (0.62 - 0.32 * abs(lean)) * chance.uniform(0.75, 1.05) * (1 + 0.03 * easel.rank)
        _shard(easel, x + lean * 0.16, tall * 0.90, lean * 0.8, long, chance.uniform(0.028, 0.055))
    for _ in range(7):
        _shard(
            easel,
            x + chance.uniform(-0.36, 0.36),
            tall * 0.94,
            chance.uniform(-0.4, 0.4),
            chance.uniform(0.08, 0.18),
            0.022,
        )
    easel.ridge(tall * 0.97, 0.04, palette.near)
    for _ in range(12 + 4 * easel.rank):
        px, py = x + chance.gauss(0, 0.22), tall * 0.55 + chance.gauss(0, 0.22)
        easel.sparkle(px, py, chance.uniform(0.006, 0.020), palette.light, 220)


def _shard(easel: Easel, x: float, y: float, lean: float, long: float, wide: float) -> None:
    palette, chance = easel.palette, easel.chance
    ax, ay = math.sin(lean), -math.cos(lean)

    def at(along: float, across: float) -> Point:
        return x + ax * along - ay * across, y + ay * along + ax * across

    ridge, shoulder = wide * chance.uniform(-0.35, 0.35), long * chance.uniform(0.80, 0.88)
    tone = blend(
        palette.far,
        chance.choice((palette.accent, palette.horizon, palette.light)),
        chance.uniform(0.25, 0.6),
    )
    tip = at(long, ridge * 0.5)
    bright, dim = blend(tone, palette.light, 0.55), blend(tone, palette.near, 0.45)
    easel.shade(
        [at(0, -wide * 0.8), at(shoulder, -wide), at(shoulder * 0.96, ridge), at(0, ridge)],
        (bright, tone, dim),
    )
    easel.shade(
        [at(0, ridge), at(shoulder * 0.96, ridge), at(shoulder, wide), at(0, wide * 0.8)],
        (tone, dim, palette.near),
    )
    easel.fill(
        [at(shoulder, -wide), tip, at(shoulder * 0.96, ridge)], blend(bright, palette.light, 0.5)
    )
    easel.fill([at(shoulder * 0.96, ridge), tip, at(shoulder, wide)], tone)
    easel.stroke([at(0, ridge), at(shoulder * 0.96, ridge), tip], palette.light, 170, line=0.002)
    easel.stroke(
        [at(0, -wide * 0.8), at(shoulder, -wide), tip, at(shoulder, wide)],
        palette.light,
        90,
        line=0.002,
    )


def paint_spires(easel: Easel) -> None:
    """A city of domes and towers, its windows lit."""
    chance, palette, tall = easel.chance, easel.palette, easel.tall
    x = chance.uniform(0.35, 0.65)
    easel.heavens(x, tall * 0.34, glow=0.6, fog=110)
    easel.moon(x, tall * 0.30, 0.13 + 0.012 * easel.rank)
    for depth in range(3):
        tone = blend(blend(palette.far, palette.horizon, 0.5), palette.near, 0.1 + 0.4 * depth)
        base = tall * (0.82 + 0.10 * depth)
        slots = 9 - 2 * depth
        for k in range(slots):
            tx = (k + chance.uniform(0.2, 0.8)) / slots
            _tower(
                easel,
                tx,
                base,
                chance.uniform(0.16, 0.46) * (0.9 + 0.1 * depth),
                (0.03 + 0.014 * depth) * chance.uniform(0.7, 1.3),
                tone,
            )
        corners = [(0.0, base - 0.03), (1.0, base - 0.03), (1.0, easel.bottom), (0.0, easel.bottom)]
        easel.shade(corners, (tone, blend(tone, palette.near, 0.6)))
    for k in range(4):
        wire = bezier(
            (-0.1, tall * (0.16 + 0.05 * k)),
            (0.5, tall * (0.34 + 0.06 * k)),
            (1.1, tall * (0.12 + 0.05 * k)),
        )
        easel.stroke(wire, palette.near, 110, line=0.002)
        px, py = wire[chance.randint(4, 12)]
        easel.glow(px, py + 0.02, 0.05, palette.accent, 0.8)
        easel.disc(px, py + 0.02, 0.010, palette.light)


def _tower(easel: Easel, x: float, base: float, high: float, half: float, tone: Colour) -> None:
    palette, chance = easel.palette, easel.chance
    top = base - high
    easel.shade(
        [(x - half, base), (x - half * 0.9, top), (x + half * 0.9, top), (x + half, base)],
        (tone, blend(tone, palette.far, 0.4)),
    )
    if chance.random() < 0.6:
        easel.fill([*arc(x, top, half * 1.05, half * 1.25, 0, math.pi, math.tau)], tone)
        easel.stroke(
            arc(x, top, half * 1.05, half * 1.25, 0, math.pi * 1.5, math.tau),
            palette.light,
            140,
            line=0.003,
        )
        easel.stroke([(x, top - half * 1.2), (x, top - half * 2.2)], tone, line=0.004)
        easel.disc(x, top - half * 2.2, half * 0.14, palette.accent)
    else:
        easel.fill([(x - half * 1.2, top), (x, top - half * 3), (x + half * 1.2, top)], tone)
        easel.stroke([(x, top - half * 3), (x + half * 1.2, top)], palette.light, 130, line=0.003)
    for row in range(int(high / 0.045)):
        for column in (-0.45, 0.0, 0.45):
            if chance.random() < 0.45:
                wx, wy = x + column * half, top + 0.03 + row * 0.04
                easel.fill(
                    [
                        (wx - half * 0.10, wy),
                        (wx + half * 0.10, wy),
                        (wx + half * 0.10, wy + 0.014),
                        (wx - half * 0.10, wy + 0.014),
                    ],
                    palette.accent,
                    230,
                )


def paint_tree(easel: Easel) -> None:
    """A tree on its hill with light for leaves."""
    chance, palette, tall = easel.chance, easel.palette, easel.tall
    x = 0.5
    easel.heavens(x, tall * 0.40, glow=0.6, fog=110)
    easel.moon(x + chance.uniform(-0.05, 0.05), tall * 0.38, 0.22 + 0.012 * easel.rank)
    easel.ridge(tall * 0.84, 0.13, blend(palette.far, palette.horizon, 0.35), mist=palette.far)
    tips: list[Point] = []
    _branch(easel, x, tall * 0.90, -math.pi / 2, 0.155 + 0.004 * easel.rank, 7, tips)
    for px, py in tips:
        tone = chance.choice((palette.accent, palette.accent, palette.light, palette.horizon))
        for _ in range(2):
            lx, ly = px + chance.gauss(0, 0.012), py + chance.gauss(0, 0.012)
            easel.fill(
                petal(
                    lx, ly, chance.uniform(0, math.tau), long=chance.uniform(0.02, 0.04), wide=0.011
                ),
                tone,
                215,
            )
    for px, py in tips[:: max(1, 24 - 3 * easel.rank)]:
        easel.stroke([(px, py), (px, py + 0.05)], palette.near, 160, line=0.002)
        easel.glow(px, py + 0.06, 0.06, palette.accent, 0.75)
        draw_globe(
            easel,
            px,
            py + 0.062,
            0.014 + 0.002 * easel.rank,
            blend(palette.accent, palette.light, 0.4),
        )
    hill = [
        *bezier((-0.1, tall * 0.98), (0.5, tall * 0.80), (1.1, tall * 0.98)),
        (1.1, easel.bottom),
        (-0.1, easel.bottom),
    ]
    easel.shade(hill, (blend(palette.near, palette.far, 0.35), palette.near))
    for _ in range(60):
        gx = chance.random()
        gy = tall * (0.89 + 0.36 * (gx - 0.5) ** 2)
        easel.stroke(
            [(gx, gy + 0.02), (gx + chance.gauss(0, 0.01), gy - 0.02)],
            palette.near,
            200,
            line=0.002,
        )
    for _ in range(24):
        easel.disc(
            chance.random(),
            tall * chance.uniform(0.5, 0.98),
            chance.uniform(0.002, 0.005),
            palette.accent,
            180,
        )


def _branch(
    easel: Easel, x: float, y: float, angle: float, long: float, left: int, tips: list[Point]
) -> None:
    tip = (x + math.cos(angle) * long, y + math.sin(angle) * long)
    easel.stroke([(x, y), tip], easel.palette.near, line=0.0012 * left**1.75)
    if left <= 3:
        tips.append(tip)
    if left == 1:
        return
    for turn in (-0.42, 0.42):
        bend = angle + turn * easel.chance.uniform(0.5, 1.4)
        _branch(easel, *tip, bend, long * easel.chance.uniform(0.70, 0.86), left - 1, tips)
