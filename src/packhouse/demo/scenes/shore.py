"""Scenes of what lives by the shore: birds, a reef, a shell."""

import math
from itertools import pairwise

from packhouse.demo.easel import Easel, Point, bezier, petal
from packhouse.demo.palettes import Colour, blend
from packhouse.demo.scenes.strokes import draw_flock


def paint_birds(easel: Easel) -> None:
    """A great low sun, cliffs, and sea birds turning before it."""
    chance, palette, tall = easel.chance, easel.palette, easel.tall
    x, y = chance.uniform(0.40, 0.60), tall * 0.42
    easel.heavens(x, y, glow=0.65, fog=120)
    easel.disc(x, y, 0.235, blend(palette.light, palette.accent, 0.55))
    easel.disc(x, y, 0.222, blend(palette.light, palette.accent, 0.25))
    for k in range(7):
        bar = y + 0.05 + 0.028 * k
        easel.oval(
            x + chance.uniform(-0.15, 0.15), bar, 0.22, 0.004 + 0.001 * k, palette.horizon, 200
        )
    easel.sea(tall * 0.72, x)
    for _ in range(5):
        draw_flock(easel, x + chance.uniform(-0.3, 0.3), y + chance.uniform(-0.18, 0.1), 4, 0.03)
    for bx, by, span in ((x - 0.10, y - 0.03, 0.26), (x + 0.20, y + 0.12, 0.15)):
        _gull(easel, bx, by, span)
    side = chance.choice((0.0, 1.0))
    crest = [
        (abs(side - k * 0.05), tall * (0.70 + 0.020 * k + chance.uniform(0, 0.02)))
        for k in range(10)
    ]
    easel.shade(
        [*crest, (abs(side - 0.5), easel.bottom), (side, easel.bottom)], (palette.far, palette.near)
    )
    for bx, by in crest[:7]:
        reed = bezier(
            (bx, by + 0.03), (bx, by - 0.05), (bx + chance.uniform(-0.05, 0.05), by - 0.10)
        )
        easel.stroke(reed, palette.near, 220, line=0.003)


def _gull(easel: Easel, x: float, y: float, span: float) -> None:
    palette, tilt = easel.palette, easel.chance.uniform(-0.12, 0.12)
    pale = blend(palette.light, palette.far, 0.10)
    for side in (-1, 1):
        lift = 0.34 + side * tilt
        wrist = (x + side * span * 0.38, y - span * lift)
        tip = (x + side * span, y - span * (lift - 0.22))
        front = bezier((x, y - span * 0.04), (x + side * span * 0.18, y - span * lift), wrist)
        front += bezier(wrist, (x + side * span * 0.7, y - span * (lift + 0.02)), tip)
        back = bezier(
            tip,
            (x + side * span * 0.55, y - span * (lift - 0.16)),
            (x + side * span * 0.36, y - span * (lift - 0.19)),
        )
        back += bezier(back[-1], (x + side * span * 0.18, y - span * 0.06), (x, y + span * 0.07))
        easel.fill([*front, *back], blend(pale, palette.far, 0.35 if side < 0 else 0.1))
        easel.stroke(front, pale, line=0.004)
        easel.fill(
            [*bezier(wrist, wrist, tip)[11:], *bezier(tip, back[8], back[8])[:9]], palette.near
        )
    easel.fill(
        petal(x - span * 0.30, y + span * 0.02, 0.12, long=span * 0.56, wide=span * 0.11), pale
    )
    easel.disc(x + span * 0.2, y + span * 0.055, span * 0.05, pale)
    easel.disc(x + span * 0.215, y + span * 0.045, span * 0.010, palette.near)
    beak = x + span * 0.24
    easel.fill(
        [(beak, y + 0.04 * span), (beak + span * 0.09, y + 0.075 * span), (beak, y + 0.09 * span)],
        palette.accent,
    )


def paint_reef(easel: Easel) -> None:
    """Under water: shafts of light, coral fans, weed and a school of fish."""
    chance, palette, tall = easel.chance, easel.palette, easel.tall
    x = chance.uniform(0.3, 0.7)
    easel.heavens(x, -0.05, glow=0.75, fog=60, starry=False)
    for _ in range(9):
        top, low = x + chance.gauss(0, 0.2), x + chance.gauss(0, 0.45)
        wide = chance.uniform(0.02, 0.07)
        easel.fill(
            [(top, 0), (top + wide, 0), (low + wide * 3, tall), (low, tall)], palette.light, 16
        )
    _school(easel, x, tall * 0.40)
    floor = blend(palette.far, palette.near, 0.45)
    for depth in range(3):
        paint = blend(palette.far, palette.near, 0.25 + 0.35 * depth)
        easel.ridge(tall * (0.80 + 0.08 * depth), 0.07, paint)
        for _ in range(5):
            fx, fy = chance.random(), tall * (0.84 + 0.08 * depth)
            tint = chance.choice((palette.accent, palette.horizon, floor, palette.accent))
            tint = blend(tint, palette.near, 0.45 - 0.2 * depth)
            _coral(easel, fx, fy, -math.pi / 2, 0.075 + 0.02 * depth, 5, tint)
    for _ in range(9):
        wx, sway = chance.random(), chance.uniform(-0.08, 0.08)
        high = chance.uniform(0.25, 0.55)
        stem = [(wx + sway * math.sin(k / 4), tall + 0.03 - high * k / 14) for k in range(15)]
        paint = blend(palette.near, palette.far, 0.25)
        easel.stroke(stem, paint, line=0.006)
        for k in range(2, 15):
            leaf = petal(*stem[k], -1.1 if k % 2 else -2.0, long=0.055 - 0.002 * k, wide=0.013)
            easel.fill(leaf, paint)
    for _ in range(26):
        bx, by = x + chance.gauss(0, 0.25), chance.random() * tall * 0.8
        easel.ring(bx, by, chance.uniform(0.003, 0.011), palette.light, 130, line=0.002)


def _coral(
    easel: Easel, x: float, y: float, angle: float, long: float, left: int, paint: Colour
) -> None:
    tip = (x + math.cos(angle) * long, y + math.sin(angle) * long)
    easel.stroke([(x, y), tip], paint, line=0.0032 * left)
    if left == 1:
        easel.disc(*tip, 0.005, blend(paint, easel.palette.light, 0.4))
        return
    for turn in (-0.45, 0.4):
        bend = angle + turn * easel.chance.uniform(0.6, 1.3)
        _coral(easel, *tip, bend, long * easel.chance.uniform(0.68, 0.86), left - 1, paint)


def _school(easel: Easel, x: float, y: float) -> None:
    chance, palette = easel.chance, easel.palette
    heading = chance.choice((0.0, math.pi))
    for index in range(26):
        size = 0.016 + 0.05 * (index / 26) ** 2
        fx, fy = x + chance.gauss(0, 0.2), y + chance.gauss(0, 0.10)
        paint = blend(palette.accent, palette.light, chance.random() * 0.7)
        if index < 16:
            paint = blend(paint, palette.far, 0.6)
        easel.fill(petal(fx, fy, heading, long=size * 2, wide=size * 0.75), paint)
        for fork in (-0.5, 0.5):
            easel.fill(
                petal(fx, fy, heading + math.pi + fork, long=size * 0.7, wide=size * 0.2), paint
            )
        eye = fx + math.cos(heading) * size * 1.6
        easel.disc(eye, fy - size * 0.06, size * 0.09, palette.near)


def paint_shell(easel: Easel) -> None:
    """A nautilus cut open: chambers on a logarithmic spiral, with light in its heart."""
    chance, palette, tall = easel.chance, easel.palette, easel.tall
    x, y, mirror = 0.5, tall * 0.47, chance.choice((-1, 1))
    easel.heavens(x, y, glow=0.55, fog=110)
    easel.ridge(tall * 0.90, 0.05, palette.far)
    easel.ridge(tall * 0.98, 0.05, palette.near)
    easel.glow(x, y, 0.5, palette.accent, 0.45)
    growth, turns = 0.178, 2.6
    scale = 0.36 / math.exp(growth * turns * math.tau)
    start = chance.uniform(0, math.tau)

    def on_spiral(turn: float) -> Point:
        reach, angle = scale * math.exp(growth * turn), start + turn
        return x + mirror * math.cos(angle) * reach, y + math.sin(angle) * reach

    steps, chambers = 30, []
    angles = [turns * math.tau * k / (steps - 1) for k in range(steps)]
    for low, high in pairwise(angles):
        outer = [on_spiral(low + (high - low) * k / 6) for k in range(7)]
        inner = [on_spiral(a - math.tau) for a in (high, (low + high) / 2, low)]
        chambers.append([*outer, *inner])
    for index, chamber in enumerate(chambers):
        share = index / steps
        rind = blend(palette.accent, palette.far, 0.15 + 0.5 * share)
        pearl = blend(palette.light, palette.accent, 0.35 if index % 2 else 0.1)
        easel.shade(chamber, (pearl, rind) if index % 3 else (rind, pearl))
        easel.stroke(
            [chamber[6], chamber[8], chamber[7]], blend(palette.near, palette.accent, 0.3), 170
        )
    rim = [on_spiral(turns * math.tau * k / 200) for k in range(201)]
    easel.stroke(rim, blend(palette.near, palette.far, 0.3), 230, line=0.008)
    easel.stroke(rim, palette.light, 150, line=0.003)
    easel.glow(x, y, 0.13, palette.light, 0.95)
    for _ in range(16 + 6 * easel.rank):
        bx, by = x + chance.gauss(0, 0.25), y + chance.gauss(0, 0.28)
        easel.disc(bx, by, chance.uniform(0.002, 0.007), palette.light, 170)
