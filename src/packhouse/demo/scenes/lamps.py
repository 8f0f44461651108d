"""Scenes of light on the sea: floating lamps, a lighthouse, lightning."""

from packhouse.demo.easel import Easel, bezier
from packhouse.demo.palettes import blend
from packhouse.demo.scenes.strokes import draw_crests


def paint_lanterns(easel: Easel) -> None:
    """Paper lamps rising from the water, each with its own road of light."""
    chance, palette, tall = easel.chance, easel.palette, easel.tall
    horizon = tall * 0.74
    easel.heavens(0.5, tall * 0.48, glow=0.5, fog=70)
    easel.ridge(horizon + 0.01, 0.10, blend(palette.far, palette.horizon, 0.3))
    easel.sea(horizon, 0.5)
    count = 13 + 3 * easel.rank
    for index in range(count):
        near = (index / count) ** 1.7
        x = 0.5 + (chance.random() - 0.5) * (0.75 + 0.25 * near)
        y = chance.uniform(0.07, 0.66) * tall
        _lamp(easel, x, y, 0.014 + 0.030 * near * chance.uniform(0.7, 1.1))
    _lamp(easel, 0.5 + chance.uniform(-0.05, 0.05), tall * 0.44, 0.085 + 0.006 * easel.rank)
    for _ in range(5):
        x, y = chance.uniform(0.08, 0.92), horizon + chance.uniform(0.05, 0.24)
        easel.oval(x, y + 0.02, 0.06, 0.008, palette.accent, 110)
        _lamp(easel, x, y, 0.022)


def _lamp(easel: Easel, x: float, y: float, size: float) -> None:
    palette = easel.palette
    warm = blend(palette.accent, palette.light, 0.25)
    easel.glow(x, y, size * 3.6, palette.accent, 0.75)
    body = [
        *bezier((x - size * 0.6, y - size), (x - size * 1.25, y), (x - size * 0.55, y + size)),
        *bezier((x + size * 0.55, y + size), (x + size * 1.25, y), (x + size * 0.6, y - size)),
    ]
    easel.shade(body, (blend(warm, palette.near, 0.18), warm, palette.light))
    rib = blend(palette.accent, palette.near, 0.45)
    for k in (-0.5, 0.0, 0.5):
        half = size * (0.9 - 0.25 * abs(k))
        bow = bezier((x - half, y + k * size), (x, y + (k + 0.22) * size), (x + half, y + k * size))
        easel.stroke(bow, rib, 90, line=size * 0.05)
    for end in (-1, 1):
        easel.oval(x, y + end * size, size * 0.58, size * 0.12, rib)
    easel.glow(x, y + size * 0.35, size * 0.9, palette.light, 0.9)


def paint_lighthouse(easel: Easel) -> None:
    """A tower on its rock, sweeping the sea with light."""
    chance, palette, tall = easel.chance, easel.palette, easel.tall
    x, top = chance.choice((0.34, 0.66)), tall * 0.27
    easel.heavens(x, top, glow=0.5, fog=120)
    horizon = tall * 0.70
    easel.ridge(horizon + 0.01, 0.05, blend(palette.far, palette.horizon, 0.4))
    easel.sea(horizon, x)
    swing = chance.uniform(-0.12, 0.05)
    for towards in (1, -1):
        for spread, alpha in ((0.16, 28), (0.11, 34), (0.07, 44), (0.03, 60)):
            ends = [(x + towards * 1.2, top + towards * swing + s * 1.2) for s in (-spread, spread)]
            easel.fill([(x, top), *ends], palette.light, alpha + 4 * easel.rank)
    for depth, base in ((0.35, 0.70), (0.8, 0.79)):
        rock = [
            (
                x - 0.42 + 0.84 * k / 16,
                tall * base + 0.10 * abs(k / 8 - 1) ** 2 + chance.uniform(-0.02, 0.02),
            )
            for k in range(17)
        ]
        shape = [*rock, (x + 0.5, easel.bottom), (x - 0.5, easel.bottom)]
        easel.shade(shape, (blend(palette.far, palette.near, depth), palette.near))
        easel.stroke(rock, palette.horizon, 90, line=0.003)
    low, foot, head = tall * 0.74, 0.075, 0.042
    for band in range(8):
        a, b = band / 8, (band + 1) / 8
        ya, yb = low + (top + 0.05 - low) * a, low + (top + 0.05 - low) * b
        wa, wb = foot + (head - foot) * a, foot + (head - foot) * b
        paint = (
            blend(palette.light, palette.far, 0.15)
            if band % 2
            else blend(palette.accent, palette.near, 0.30)
        )
        easel.fill([(x - wa, ya), (x - wb, yb), (x + wb, yb), (x + wa, ya)], paint)
        easel.fill(
            [(x + wa * 0.15, ya), (x + wb * 0.15, yb), (x + wb, yb), (x + wa, ya)], palette.near, 80
        )
    easel.fill(
        [
            (x - 0.058, top + 0.05),
            (x + 0.058, top + 0.05),
            (x + 0.05, top + 0.034),
            (x - 0.05, top + 0.034),
        ],
        palette.near,
    )
    easel.fill(
        [
            (x - 0.03, top + 0.034),
            (x + 0.03, top + 0.034),
            (x + 0.03, top - 0.03),
            (x - 0.03, top - 0.03),
        ],
        palette.light,
    )
    easel.fill([(x - 0.045, top - 0.03), (x, top - 0.085), (x + 0.045, top - 0.03)], palette.near)
    easel.glow(x, top, 0.26, palette.accent, 0.75)
    easel.glow(x, top, 0.10, palette.light, 1.0)


def paint_storm(easel: Easel) -> None:
    """Banks of cloud, lightning and rain over a running sea."""
    chance, palette, tall = easel.chance, easel.palette, easel.tall
    x = chance.uniform(0.35, 0.65)
    easel.heavens(x, tall * 0.40, glow=0.6, fog=170)
    for depth in range(3):
        paint = blend(palette.far, palette.zenith, 0.25 + 0.3 * depth)
        easel.fill(
            [(0, 0), (1, 0), (1, tall * (0.25 - 0.08 * depth)), (0, tall * (0.25 - 0.08 * depth))],
            paint,
        )
        for _ in range(16):
            cx, cy = (
                chance.uniform(-0.05, 1.05),
                tall * (0.25 - 0.08 * depth) + chance.gauss(0, 0.02),
            )
            r = chance.uniform(0.07, 0.13)
            easel.disc(cx, cy, r, blend(paint, palette.light, 0.10))
            easel.disc(cx + 0.008, cy - 0.012, r, paint)
    horizon = tall * 0.76
    easel.sea(horizon, x)
    for _ in range(1 + (easel.rank > 1) + (easel.rank > 2)):
        _bolt(easel, x + chance.uniform(-0.08, 0.08), tall * 0.27, horizon + 0.01)
        x = chance.uniform(0.15, 0.85)
    for _ in range(150):
        rx, ry = chance.random() * 1.1, chance.random() * tall
        easel.stroke([(rx, ry), (rx - 0.012, ry + 0.05)], palette.light, 50, line=0.0018)
    for depth in range(3):
        draw_crests(easel, tall * (0.84 + 0.06 * depth), 0.16 + 0.05 * depth, 0.4 + 0.3 * depth)


def _bolt(easel: Easel, x: float, y: float, end: float) -> None:
    palette, chance, points = easel.palette, easel.chance, [(x, y)]
    while y < end:
        x, y = x + chance.gauss(0, 0.032), y + chance.uniform(0.015, 0.04)
        points.append((x, min(y, end)))
        if chance.random() < 0.3:
            twig = [(x, y)]
            for _ in range(5):
                bx, by = twig[-1]
                twig.append((bx + chance.gauss(0.01, 0.025), by + chance.uniform(0.01, 0.03)))
            easel.stroke(twig, palette.light, 150, line=0.003)
    middle = points[len(points) // 2]
    easel.glow(*middle, 0.42, palette.accent, 0.45)
    easel.stroke(points, palette.accent, 110, line=0.018)
    easel.stroke(points, palette.light, line=0.007)
    easel.glow(*points[-1], 0.14, palette.light, 0.9)
