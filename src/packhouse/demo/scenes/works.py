"""Scenes of things built to measure heaven: a clock, an orrery, a gate."""

import math

from packhouse.demo.easel import Easel, petal
from packhouse.demo.palettes import blend
from packhouse.demo.scenes.strokes import arc, draw_gear, draw_globe


def paint_clock(easel: Easel) -> None:
    """A great dial among its gears, the sky showing through."""
    chance, palette, tall = easel.chance, easel.palette, easel.tall
    x, y, r = 0.5, tall * 0.46, 0.30 + 0.008 * easel.rank
    easel.heavens(x, y, glow=0.6, fog=90)
    metal = blend(palette.accent, palette.far, 0.40)
    for k in range(7):
        angle = k * math.tau / 7 + chance.uniform(-0.2, 0.2)
        size = chance.uniform(0.08, 0.17)
        gx, gy = x + math.cos(angle) * (r + size * 0.55), y + math.sin(angle) * (r + size * 0.55)
        draw_gear(
            easel,
            gx,
            gy,
            size,
            chance.choice((12, 15, 18)),
            blend(metal, palette.near, chance.uniform(0.15, 0.5)),
            chance.random(),
        )
    easel.glow(x, y, r * 1.5, palette.light, 0.35)
    easel.disc(x, y, r * 1.04, blend(metal, palette.near, 0.5))
    easel.disc(x, y, r, blend(palette.zenith, palette.near, 0.35))
    easel.ring(x, y, r, blend(palette.accent, palette.light, 0.3), line=0.012)
    for k in range(60):
        angle = k * math.tau / 60
        inner = 0.86 if k % 5 == 0 else 0.92
        points = [(x + math.sin(angle) * r * s, y - math.cos(angle) * r * s) for s in (inner, 0.95)]
        easel.stroke(points, palette.accent, line=0.007 if k % 5 == 0 else 0.0025)
    for reach in (0.80, 0.62, 0.44):
        easel.ring(x, y, r * reach, palette.accent, 150, line=0.002)
    for k in range(12):
        angle = k * math.tau / 12
        easel.ring(
            x + math.sin(angle) * r * 0.31,
            y - math.cos(angle) * r * 0.31,
            r * 0.31,
            palette.horizon,
            90,
            line=0.002,
        )
        easel.sparkle(
            x + math.sin(angle) * r * 0.71,
            y - math.cos(angle) * r * 0.71,
            r * (0.09 if k % 3 == 0 else 0.05),
            palette.light,
        )
    for long, wide, paint in ((0.56, 0.05, palette.accent), (0.84, 0.035, palette.light)):
        angle = chance.uniform(0, math.tau)
        for end, share in ((angle, 1.0), (angle + math.pi, 0.3)):
            easel.fill(petal(x, y, end, long=r * long * share, wide=r * wide), paint)
    easel.disc(x, y, r * 0.05, palette.accent)
    easel.glow(x, y, r * 0.35, palette.light, 0.55)


def paint_orrery(easel: Easel) -> None:
    """A model of the heavens in brass: orbits, planets, and a small sun."""
    chance, palette, tall = easel.chance, easel.palette, easel.tall
    x, y = 0.5, tall * 0.46
    easel.heavens(x, y, glow=0.6, fog=110)
    metal = blend(palette.accent, palette.light, 0.2)
    easel.fill(
        [(x - 0.012, y), (x + 0.012, y), (x + 0.02, tall), (x - 0.02, tall)],
        blend(metal, palette.near, 0.55),
    )
    draw_gear(easel, x, tall * 0.96, 0.15, 24, blend(metal, palette.near, 0.4), chance.random())
    tilt = chance.uniform(-0.35, 0.35)
    orbits = [
        (0.13 + 0.062 * k, tilt + chance.uniform(-0.28, 0.28), chance.uniform(0.25, 0.5))
        for k in range(6)
    ]
    for reach, lean, squash in orbits:
        easel.stroke(
            arc(x, y, reach, reach * squash, lean, math.pi, math.tau), metal, 130, line=0.004
        )
    for reach in (0.44, 0.455):
        easel.ring(x, y, reach, metal, 200, line=0.004)
    for k in range(72):
        angle = k * math.tau / 72
        inner = 0.425 if k % 6 == 0 else 0.436
        easel.stroke(
            [(x + math.cos(angle) * s, y + math.sin(angle) * s) for s in (inner, 0.44)],
            metal,
            210,
            line=0.003,
        )
    easel.glow(x, y, 0.26, palette.accent, 0.9)
    draw_globe(easel, x, y, 0.075, blend(palette.accent, palette.light, 0.5))
    easel.glow(x, y, 0.13, palette.light, 1.0)
    for k, (reach, lean, squash) in enumerate(orbits):
        front = arc(x, y, reach, reach * squash, lean, 0, math.pi)
        easel.stroke(front, metal, 220, line=0.005)
        px, py = front[chance.randint(5, 55)]
        size = chance.uniform(0.018, 0.042)
        easel.glow(px, py, size * 2, palette.light, 0.35)
        tone = (palette.far, palette.accent, palette.horizon, palette.sky)[k % 4]
        draw_globe(easel, px, py, size, blend(tone, palette.light, 0.3), bands=4)
        if k % 3 == 1:
            easel.stroke(
                arc(px, py, size * 1.7, size * 0.5, lean, 0, math.tau),
                palette.light,
                200,
                line=0.003,
            )


def paint_gate(easel: Easel) -> None:
    """Arches within arches, steps, and the light of elsewhere."""
    chance, palette, tall = easel.chance, easel.palette, easel.tall
    x, y = 0.5, tall * 0.50
    easel.heavens(x, y, glow=0.65, fog=120)
    easel.ridge(tall * 0.78, 0.16, blend(palette.far, palette.horizon, 0.4), mist=palette.far)
    easel.ridge(tall * 0.86, 0.07, blend(palette.far, palette.near, 0.4))
    floor, rings = tall * 0.88, 6
    for k in range(rings):
        share = k / (rings - 1)
        half, spring = 0.34 - 0.20 * share, tall * 0.44 + 0.06 * share
        arch = [
            (x - half, floor),
            *arc(x, spring, half, half * 1.25, 0, math.pi, math.tau),
            (x + half, floor),
        ]
        tone = blend(blend(palette.near, palette.far, 0.25), palette.accent, 0.75 * share)
        easel.shade(arch, (blend(tone, palette.light, 0.30), tone, blend(tone, palette.near, 0.4)))
        easel.stroke(arch, blend(palette.light, palette.accent, 0.4), 190, line=0.004)
        for step in range(0, 61, 4):
            px, py = arch[1 + step]
            easel.disc(px + (x - px) * 0.06, py + (spring - py) * 0.06, 0.005, palette.accent, 210)
    inner = [
        (x - 0.12, floor),
        *arc(x, tall * 0.50, 0.12, 0.15, 0, math.pi, math.tau),
        (x + 0.12, floor),
    ]
    easel.shade(inner, (palette.light, blend(palette.light, palette.accent, 0.5), palette.light))
    easel.glow(x, y + 0.06, 0.34, palette.light, 0.8)
    for k in range(7):
        wide, sy = 0.14 + 0.055 * k, floor + 0.034 * k
        tone = blend(palette.light, palette.near, 0.35 + 0.09 * k)
        easel.fill(
            [
                (x - wide, sy),
                (x + wide, sy),
                (x + wide + 0.03, sy + 0.036),
                (x - wide - 0.03, sy + 0.036),
            ],
            tone,
        )
        easel.stroke([(x - wide, sy), (x + wide, sy)], palette.light, 190, line=0.003)
    easel.sparkle(x, tall * 0.44 - 0.43, 0.04, palette.light)
    for _ in range(30 + 10 * easel.rank):
        easel.disc(
            x + chance.gauss(0, 0.16),
            floor - chance.random() * 0.5,
            chance.uniform(0.001, 0.005),
            palette.light,
            200,
        )
