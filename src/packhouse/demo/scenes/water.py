"""Scenes of open water: islands, ships, waves and the moon over them."""

from packhouse.demo.easel import Easel, bezier
from packhouse.demo.palettes import Colour, blend
from packhouse.demo.scenes.strokes import draw_crests, draw_flock


def paint_isles(easel: Easel) -> None:
    """Sea stacks, one behind another in the mist, and a few birds."""
    chance, palette, tall = easel.chance, easel.palette, easel.tall
    x, y = chance.uniform(0.25, 0.75), tall * chance.uniform(0.26, 0.38)
    easel.heavens(x, y, glow=0.55, fog=120)
    easel.moon(x, y, chance.uniform(0.07, 0.11))
    easel.sea(tall * 0.60, x)
    for depth in range(4):
        paint = blend(blend(palette.far, palette.horizon, 0.45), palette.near, depth / 3)
        base = tall * (0.62 + 0.10 * depth)
        for _ in range(3 if depth < 2 else 2):
            _stack(easel, chance.random(), base, (0.12 + 0.07 * depth), paint)
    draw_flock(easel, x, y, 9, 0.016)


def _stack(easel: Easel, x: float, base: float, size: float, paint: Colour) -> None:
    chance = easel.chance
    high, wide = size * chance.uniform(1.3, 2.6), size * chance.uniform(0.35, 0.7)
    left, right = [], []
    for step in range(9):
        share = step / 8
        girth = wide * (0.24 + 0.76 * (1 - share) ** 1.2)
        left.append((x - girth * chance.uniform(0.8, 1.1), base - high * share))
        right.append((x + girth * chance.uniform(0.8, 1.1), base - high * share * 0.96))
    easel.shade([*left, *reversed(right)], (paint, blend(paint, easel.palette.far, 0.55)))
    lit = blend(paint, easel.palette.light, 0.35)
    easel.stroke(right[4:], lit, 150, line=0.004)
    easel.oval(x, base, wide * 1.25, 0.006, easel.palette.light, 90)
    crown = (left[-1][0] + right[-1][0]) / 2
    roof, eaves = base - high - size * 0.16, base - high - size * 0.05
    easel.fill(
        [
            (crown - size * 0.08, base - high * 0.98),
            (crown - size * 0.08, eaves),
            (crown + size * 0.08, eaves),
            (crown + size * 0.08, base - high * 0.98),
        ],
        paint,
    )
    easel.fill([(crown - size * 0.12, eaves), (crown, roof), (crown + size * 0.12, eaves)], paint)
    easel.glow(crown, eaves + size * 0.03, size * 0.5, easel.palette.accent, 0.8)
    easel.disc(crown, eaves + size * 0.03, size * 0.03, easel.palette.light)


def paint_ship(easel: Easel) -> None:
    """A sailing boat before the light, with her image in the water."""
    chance, palette, tall = easel.chance, easel.palette, easel.tall
    x, horizon = chance.uniform(0.40, 0.60), tall * 0.66
    easel.heavens(x, tall * 0.40, glow=0.6)
    easel.moon(x + chance.uniform(-0.06, 0.06), tall * 0.38, chance.uniform(0.17, 0.24))
    easel.ridge(horizon + 0.01, 0.06, blend(palette.far, palette.horizon, 0.35))
    easel.sea(horizon, x)
    size, lean = chance.uniform(0.20, 0.26), chance.choice((-1, 1))
    cloth = blend(palette.light, palette.accent, chance.uniform(0.1, 0.6))
    base = horizon + 0.035
    for mast, high in ((-0.38, 1.35), (0.12, 1.75), (0.55, 1.15)):
        mx = x + lean * mast * size
        easel.stroke([(mx, base), (mx, base - high * size)], palette.near, line=0.006)
        for top, low, wide in ((0.98, 0.56, 0.36), (0.53, 0.14, 0.46)):
            upper, lower = (mx, base - high * size * top), (mx, base - high * size * low)
            clew = (mx + lean * wide * size, base - high * size * low + 0.006)
            belly = bezier(upper, (mx + lean * wide * size * 1.15, upper[1] + 0.02), clew)
            easel.shade(
                [*belly, *bezier(clew, lower, lower)], (cloth, blend(cloth, palette.far, 0.45))
            )
    hull = [
        *bezier((x - size, base - 0.035), (x, base + 0.02), (x + size * 1.05, base - 0.05)),
        *bezier((x + size * 0.8, base + 0.035), (x, base + 0.055), (x - size * 0.75, base + 0.035)),
    ]
    easel.shade(hull, (blend(palette.near, palette.accent, 0.25), palette.near))
    for k in range(22):
        wide = size * (1 - k / 26) * chance.uniform(0.5, 1.0)
        easel.oval(x, base + 0.045 + 0.009 * k, wide, 0.0024, palette.near, 120 - 4 * k)
    for lamp in (-0.9, 0.95):
        easel.glow(x + lamp * size, base - 0.06, 0.06, palette.accent, 0.9)
        easel.disc(x + lamp * size, base - 0.06, 0.006, palette.light)


def paint_waves(easel: Easel) -> None:
    """Row upon row of waves, and one that rises above them."""
    chance, tall = easel.chance, easel.tall
    x, y = chance.uniform(0.58, 0.74), tall * chance.uniform(0.22, 0.30)
    easel.heavens(x, y, glow=0.6, fog=110)
    easel.moon(x, y, chance.uniform(0.10, 0.15))
    horizon = tall * 0.52
    easel.sea(horizon, x)
    for depth in range(3):
        draw_crests(easel, tall * (0.60 + 0.06 * depth), 0.10 + 0.03 * depth, 0.1 + 0.18 * depth)
    _breaker(easel, tall * (0.34 - 0.012 * easel.rank))
    for depth in range(3):
        draw_crests(easel, tall * (0.80 + 0.08 * depth), 0.22 + 0.05 * depth, 0.55 + 0.2 * depth)


def _breaker(easel: Easel, top: float) -> None:
    palette, chance, tall = easel.palette, easel.chance, easel.tall
    back = bezier((-0.1, tall * 0.80), (0.12, top + 0.02), (0.40, top))
    lip = bezier((0.40, top), (0.64, top + 0.02), (0.63, top + 0.20))
    face = bezier((0.63, top + 0.20), (0.50, top + 0.08), (0.42, tall * 0.62))
    foot = bezier((0.42, tall * 0.62), (0.50, tall * 0.80), (1.1, tall * 0.84))
    body = [*back, *lip, *face, *foot, (1.1, tall), (-0.1, tall)]
    easel.shade(body, (blend(palette.horizon, palette.far, 0.3), palette.far, palette.near))
    for k in range(7):
        share = k / 7
        line = bezier(
            (0.02 + 0.05 * k, tall * 0.86),
            (0.16 + 0.035 * k, top + 0.10),
            (0.40 + 0.03 * share, top + 0.015 + 0.012 * k),
        )
        easel.stroke(line, palette.light, 120 - 8 * k, line=0.004)
    for px, py in [*back[8:], *lip]:
        for _ in range(7):
            sx, sy = px + chance.gauss(0.012, 0.020), py + chance.gauss(0, 0.014)
            easel.disc(
                sx, sy, chance.uniform(0.002, 0.013), palette.light, chance.randint(120, 240)
            )


def paint_moon(easel: Easel) -> None:
    """The moon itself, very large, over cloud and water."""
    chance, palette, tall = easel.chance, easel.palette, easel.tall
    x, y, r = 0.5, tall * 0.40, 0.24 + 0.012 * easel.rank
    easel.heavens(x, y, glow=0.7, fog=100)
    easel.moon(x, y, r, phase=chance.choice((0.35, 0.6, 1.0)) if easel.rank < 3 else 1.0)
    easel.sea(tall * 0.74, x)
    for _ in range(5):
        cx, cy = x + chance.uniform(-0.4, 0.4), y + r * chance.uniform(0.2, 1.1)
        for k in range(7):
            wide = chance.uniform(0.05, 0.16)
            easel.oval(
                cx + chance.gauss(0, 0.10), cy + 0.006 * k, wide, 0.008, palette.horizon, 110
            )
    if easel.rank >= 3:
        for k in range(3 + easel.rank):
            easel.ring(x, y, r + 0.03 + 0.022 * k, palette.light, 110 - 10 * k, line=0.002)
    for depth in range(2):
        draw_crests(easel, tall * (0.90 + 0.07 * depth), 0.22, 0.6 + 0.2 * depth)
