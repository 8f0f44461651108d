"""What several scenes draw: wave crests, flocks, globes, gears and slanted arcs."""

import math

from PIL import Image, ImageDraw

from packhouse.demo.easel import Easel, Point, bezier, gradient, petal, spot
from packhouse.demo.palettes import Colour, blend


def draw_crests(easel: Easel, y: float, wide: float, depth: float) -> None:
    """One row of waves on trochoids: the curve that a point on a rolling wheel draws."""
    palette, shift = easel.palette, easel.chance.random()
    radius = wide / math.tau
    points = []
    for k in range(-10, 240):
        angle = k * math.tau / 24
        sharp = radius * 0.92
        px = angle * radius - sharp * math.sin(angle) - shift * wide
        points.append((px, y - radius * 0.8 * math.cos(angle)))
    points = [p for p in points if p[0] < 1.2]
    top = blend(palette.far, palette.near, depth)
    top = blend(top, palette.horizon, 0.12)
    easel.shade(
        [*points, (1.2, easel.bottom), (-0.3, easel.bottom)], (top, blend(top, palette.near, 0.7))
    )
    easel.stroke(points, palette.light, 210, line=0.005)
    inner = [(px + 0.006, py + 0.016) for px, py in points]
    easel.stroke(inner, palette.horizon, 110, line=0.003)


def draw_flock(easel: Easel, x: float, y: float, count: int, size: float) -> None:
    """``count`` distant birds about (x, y), each two strokes of the brush."""
    paint = easel.palette.near
    for _ in range(count):
        bx, by = x + easel.chance.gauss(0, 0.17), y + easel.chance.gauss(0, 0.08)
        span = size * easel.chance.uniform(0.6, 1.5)
        lift = span * easel.chance.uniform(0.25, 0.7)
        for side in (-1, 1):
            wing = bezier(
                (bx, by),
                (bx + side * span * 0.5, by - lift * 1.4),
                (bx + side * span, by - lift * 0.2),
            )
            easel.stroke(wing, paint, 235, line=0.0045)


def draw_globe(
    easel: Easel, x: float, y: float, r: float, paint: Colour, *, bands: int = 0
) -> None:
    """A lit ball; ``bands`` strips of weather across it."""
    palette, chance = easel.palette, easel.chance
    across = max(4, round(2 * r * easel.width))
    ball = gradient(
        (across, across),
        (blend(paint, palette.light, 0.35), paint, blend(paint, palette.near, 0.5)),
    )
    brush = ImageDraw.Draw(ball, "RGBA")
    for k in range(bands):
        top = across * k / bands
        tone = blend(
            paint,
            chance.choice((palette.light, palette.accent, palette.near, palette.far)),
            chance.uniform(0.1, 0.55),
        )
        shift, swing = chance.uniform(0, 6), across / bands * chance.uniform(0.15, 0.4)
        upper = [
            (px, top + swing * math.sin(px / across * 9 + shift)) for px in range(0, across + 9, 8)
        ]
        lower = [(px, py + across / bands * chance.uniform(0.5, 1.0)) for px, py in reversed(upper)]
        brush.polygon([*upper, *lower], fill=(*tone, 150))
    shadow = Image.new("L", ball.size, 235)
    light = spot(across * 2, strength=1.0).point([min(235, v * 2) for v in range(256)])
    shadow.paste(0, (-round(across * 0.72), -round(across * 0.72)), light)
    ball.paste(Image.new("RGB", ball.size, palette.near), (0, 0), shadow)
    mask = Image.new("L", ball.size)
    ImageDraw.Draw(mask).ellipse((0, 0, across - 1, across - 1), fill=255)
    easel.picture.paste(ball, (round((x - r) * easel.width), round((y - r) * easel.width)), mask)


def draw_gear(
    easel: Easel, x: float, y: float, r: float, teeth: int, paint: Colour, turn: float
) -> None:
    """A toothed wheel with spokes, ``turn`` radians round."""
    outline: list[Point] = []
    for k in range(teeth * 4):
        angle = turn + k * math.tau / (teeth * 4)
        reach = r if k % 4 in (1, 2) else r * 0.89
        outline.append((x + math.cos(angle) * reach, y + math.sin(angle) * reach))
    palette = easel.palette
    easel.shade(outline, (blend(paint, palette.light, 0.4), paint, blend(paint, palette.near, 0.6)))
    easel.stroke([*outline, outline[0]], blend(paint, palette.near, 0.7), 200, line=0.003)
    easel.ring(x, y, r * 0.78, palette.near, 130, line=0.003)
    spokes = 5 if teeth % 2 else 6
    for k in range(spokes):
        angle = turn + (k + 0.5) * math.tau / spokes
        hole = petal(
            x + math.cos(angle) * r * 0.24,
            y + math.sin(angle) * r * 0.24,
            angle,
            long=r * 0.48,
            wide=r * 0.30,
        )
        easel.fill(hole, palette.near, 190)
        easel.stroke(hole, blend(paint, palette.light, 0.5), 150, line=0.002)
    easel.disc(x, y, r * 0.14, blend(paint, palette.light, 0.6))
    easel.disc(x, y, r * 0.06, palette.near)


def arc(
    x: float, y: float, rx: float, ry: float, tilt: float, start: float, end: float
) -> list[Point]:
    """Part of an ellipse leaning by ``tilt``, from angle ``start`` to ``end`` (radians)."""
    points = []
    for k in range(61):
        angle = start + (end - start) * k / 60
        px, py = math.cos(angle) * rx, math.sin(angle) * ry
        points.append(
            (
                x + px * math.cos(tilt) - py * math.sin(tilt),
                y + px * math.sin(tilt) + py * math.cos(tilt),
            )
        )
    return points
