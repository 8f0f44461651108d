"""Scenes of what lives in the deep: jellyfish, a whale, a serpent."""

import math

from packhouse.demo.easel import Easel, Point, bezier, petal
from packhouse.demo.palettes import blend
from packhouse.demo.scenes.strokes import draw_crests


def paint_jellyfish(easel: Easel) -> None:
    """Bells of light adrift, trailing their threads."""
    chance, palette, tall = easel.chance, easel.palette, easel.tall
    easel.heavens(0.5, tall * 0.35, glow=0.55, fog=100)
    for _ in range(4 + easel.rank):
        _bell(
            easel,
            chance.uniform(0.08, 0.92),
            tall * chance.uniform(0.12, 0.75),
            chance.uniform(0.03, 0.065),
            70,
        )
    _bell(easel, 0.5 + chance.uniform(-0.06, 0.06), tall * 0.38, 0.19 + 0.006 * easel.rank, 150)
    for _ in range(50):
        easel.disc(
            chance.random(),
            chance.random() * tall,
            chance.uniform(0.001, 0.004),
            palette.light,
            140,
        )


def _bell(easel: Easel, x: float, y: float, size: float, alpha: int) -> None:
    palette, chance = easel.palette, easel.chance
    easel.glow(x, y, size * 2.0, palette.accent, 0.5)
    for index in range(15):
        root = x + size * (index - 7) / 8
        sway, long = chance.uniform(-0.5, 0.5), size * chance.uniform(1.6, 3.2)
        thread = [
            (root + sway * size * math.sin(k / 4.5) * k / 18, y + long * k / 18) for k in range(19)
        ]
        easel.stroke(thread, palette.light, alpha // 2 + 20, line=max(0.0018, size * 0.016))
    for frill in (-0.35, 0.0, 0.35):
        ribbon = [
            (
                x + frill * size + size * 0.14 * math.sin(k * 0.24 + frill * 9),
                y + size * 2.1 * k / 60,
            )
            for k in range(61)
        ]
        easel.stroke(ribbon, palette.accent, alpha, line=size * 0.09)
        easel.stroke(ribbon, palette.light, alpha // 2, line=size * 0.03)
    dome = bezier((x - size, y), (x - size * 1.02, y - size * 1.2), (x, y - size * 1.2))
    dome += bezier((x, y - size * 1.2), (x + size * 1.02, y - size * 1.2), (x + size, y))
    hem = [(x + size * (1 - k / 8), y + size * (0.12 if k % 2 else 0.0)) for k in range(17)]
    for shrink, paint in ((1.0, palette.horizon), (0.8, palette.accent), (0.55, palette.light)):
        inner = [(x + (px - x) * shrink, y + (py - y) * shrink) for px, py in [*dome, *hem]]
        easel.fill(inner, paint, alpha * 2 // 3)
    easel.stroke(dome, palette.light, min(255, alpha + 70), line=max(0.002, size * 0.02))
    for k in range(-3, 4):
        rib = bezier(
            (x + k * size * 0.27, y), (x + k * size * 0.27, y - size * 0.8), (x, y - size * 1.15)
        )
        easel.stroke(rib, palette.light, alpha // 2 + 20, line=max(0.0015, size * 0.01))


def paint_whale(easel: Easel) -> None:
    """A whale swimming through the sky, constellations on her flank."""
    chance, palette, tall = easel.chance, easel.palette, easel.tall
    easel.heavens(0.55, tall * 0.36, glow=0.6, fog=110)
    easel.moon(0.66, tall * 0.28, 0.12 + 0.01 * easel.rank)
    easel.sea(tall * 0.76, 0.62)
    y = tall * 0.50
    back = bezier((0.10, y + 0.02), (0.28, y - 0.27), (0.62, y - 0.06), steps=30)
    back += bezier((0.62, y - 0.06), (0.78, y + 0.03), (0.86, y - 0.10))
    fluke = [(0.80, y - 0.19), (0.875, y - 0.15), (0.97, y - 0.20), (0.905, y - 0.09)]
    belly = bezier((0.90, y - 0.09), (0.80, y + 0.12), (0.55, y + 0.11), steps=20)
    belly += bezier((0.55, y + 0.11), (0.20, y + 0.17), (0.10, y + 0.02), steps=20)
    skin = blend(palette.near, palette.far, 0.35)
    easel.shade([*back, *fluke, *belly], (blend(skin, palette.horizon, 0.35), skin, palette.near))
    throat = [
        *bezier((0.10, y + 0.02), (0.24, y + 0.04), (0.42, y + 0.128)),
        *bezier((0.42, y + 0.128), (0.20, y + 0.155), (0.10, y + 0.02)),
    ]
    easel.fill(throat, blend(palette.light, palette.far, 0.35), 200)
    for k in range(6):
        groove = bezier(
            (0.13, y + 0.03 + 0.006 * k), (0.26, y + 0.05 + 0.012 * k), (0.40, y + 0.125)
        )
        easel.stroke(groove, palette.near, 110, line=0.002)
    fin = [
        *bezier((0.34, y + 0.09), (0.36, y + 0.25), (0.50, y + 0.28)),
        *bezier((0.50, y + 0.28), (0.50, y + 0.16), (0.45, y + 0.09)),
    ]
    easel.shade(fin, (skin, palette.near))
    easel.stroke(back[:31], palette.light, 150, line=0.004)
    easel.disc(0.235, y - 0.005, 0.009, palette.light)
    easel.disc(0.236, y - 0.005, 0.005, palette.near)
    marks = [
        (chance.uniform(0.26, 0.74), y - 0.06 + chance.uniform(-0.03, 0.08))
        for _ in range(7 + easel.rank)
    ]
    marks.sort()
    easel.stroke(marks, palette.accent, 100, line=0.002)
    for px, py in marks:
        easel.glow(px, py, 0.03, palette.accent, 0.8)
        easel.sparkle(px, py, 0.013, palette.light)
    for _ in range(40 + 10 * easel.rank):
        px, py = 0.20 + chance.gauss(0, 0.03), y - 0.13 - abs(chance.gauss(0, 0.07))
        easel.disc(px, py, chance.uniform(0.001, 0.005), palette.light, 170)


def paint_serpent(easel: Easel) -> None:
    """A sea serpent: two coils and a tall neck above the waves."""
    chance, tall = easel.chance, easel.tall
    easel.heavens(0.5, tall * 0.38, glow=0.55, fog=110)
    easel.moon(0.5, tall * 0.38, 0.17 + 0.008 * easel.rank)
    easel.sea(tall * 0.66, 0.5)
    facing, water = chance.choice((-1, 1)), tall * 0.80

    def place(across: float, above: float) -> Point:
        return 0.5 + facing * across, water - above * tall

    tail = bezier(place(-0.52, -0.02), place(-0.43, 0.42), place(-0.30, -0.04), steps=40)
    coil = bezier(place(-0.30, -0.04), place(-0.12, 0.72), place(0.04, -0.04), steps=60)
    neck = bezier(place(0.02, -0.04), place(0.36, 0.10), place(0.22, 0.36), steps=40)
    neck += bezier(place(0.22, 0.36), place(0.10, 0.60), place(0.25, 0.60), steps=40)[1:]
    for spine, first, last in ((tail, 0.026, 0.034), (coil, 0.040, 0.048), (neck, 0.056, 0.034)):
        _tube(easel, spine, first, last, facing)
    _serpent_head(easel, *neck[-1], 0.052, facing)
    for depth in range(3):
        draw_crests(easel, tall * (0.76 + 0.08 * depth), 0.16 + 0.04 * depth, 0.4 + 0.25 * depth)


def _tube(easel: Easel, spine: list[Point], first: float, last: float, facing: int) -> None:
    palette = easel.palette
    skin = blend(blend(palette.far, palette.horizon, 0.25), palette.near, 0.10)
    girths = [first + (last - first) * k / (len(spine) - 1) for k in range(len(spine))]
    joints = list(zip(spine, girths, strict=True))
    for (x, y), r in joints[2::3]:
        fin = petal(x, y - r * 0.5, -math.pi / 2 - facing * 0.7, long=r * 1.7, wide=r * 0.5)
        easel.fill(fin, palette.accent, 225)
    for (x, y), r in joints:
        easel.disc(x, y, r * 1.09, palette.near)
    for (x, y), r in joints:
        easel.disc(x, y, r, skin)
    for k, ((x, y), r) in enumerate(joints):
        easel.disc(x + facing * r * 0.30, y, r * 0.42, blend(skin, palette.light, 0.45), 60)
        if k % 2 == 0:
            for side in (-0.62, -0.2):
                easel.ring(x + facing * side * r, y, r * 0.30, palette.horizon, 80, line=0.002)


def _serpent_head(easel: Easel, x: float, y: float, size: float, facing: int) -> None:
    palette = easel.palette
    skin = blend(palette.far, palette.horizon, 0.35)
    for k in range(6):
        angle = math.pi * 1.5 - facing * (0.3 + 0.28 * k)
        easel.fill(
            petal(x, y, angle, long=size * (3.0 - 0.25 * k), wide=size * 0.30), palette.accent, 225
        )
    snout = 0.15 if facing > 0 else math.pi - 0.15
    easel.fill(
        petal(x - facing * size * 1.2, y - size * 0.1, snout, long=size * 4.0, wide=size * 1.5),
        palette.near,
    )
    easel.fill(
        petal(x - facing * size * 1.1, y - size * 0.1, snout, long=size * 3.7, wide=size * 1.25),
        skin,
    )
    easel.stroke(
        [(x + facing * size * 0.8, y + size * 0.42), (x + facing * size * 2.4, y + size * 0.44)],
        palette.near,
        line=0.004,
    )
    ex, ey = x + facing * size * 0.55, y - size * 0.12
    easel.glow(ex, ey, size * 1.3, palette.light, 0.9)
    easel.disc(ex, ey, size * 0.24, palette.light)
    easel.disc(ex + facing * size * 0.05, ey, size * 0.12, palette.near)
