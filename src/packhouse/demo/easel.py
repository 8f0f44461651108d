"""The easel: a canvas, a light to paint in and the strokes that all scenes of the demo share.

Lengths are in canvas widths, so a scene is composed once and painted at any size: x runs from 0 to
1, y from 0 to ``tall``, the part that a frame leaves free. What lies below, down to ``bottom``, is
covered by the name plate of a full-art card, so ground and sea simply go on into it.
Everything is a function of the ``random.Random`` that comes in: the same seed, the same picture.
"""

import math
import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, TypeAlias

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from packhouse.demo.palettes import Colour, Palette, blend

Point: TypeAlias = tuple[float, float]

_ATMOSPHERE_REDUCTION: Final = 4
"""Soft things (sky, fog, rays) are painted at a quarter of the size: nobody sees the difference."""

_SPOT: Final = Image.radial_gradient("L").point([max(0, 255 - v * 255 // 181) for v in range(256)])


def spot(diameter: int, *, strength: float) -> Image.Image:
    """A round, soft mask: ``strength`` (0 to 1) in the middle, nothing at the rim."""
    falloff = [round(strength * 255 * (v / 255) ** 2) for v in range(256)]
    return _SPOT.point(falloff).resize((diameter, diameter), Image.Resampling.BILINEAR)


def gradient(size: tuple[int, int], stops: Sequence[Colour], *, rows: int = 32) -> Image.Image:
    """A picture of ``size`` running evenly from the first stop at the top to the last.

    ``rows`` is how finely it is worked out before it is stretched: more for many stops.
    """
    column = Image.new("RGB", (1, rows))
    for row in range(rows):
        place = row / (rows - 1) * (len(stops) - 1)
        index = min(int(place), len(stops) - 2)
        column.putpixel((0, row), blend(stops[index], stops[index + 1], place - index))
    return column.resize(size, Image.Resampling.BILINEAR)


def noise(size: tuple[int, int], chance: random.Random, *, cells: int, octaves: int) -> Image.Image:
    """Smooth noise as an ``L`` picture: ``cells`` lumps across, then finer ones on top."""
    picture = Image.new("L", size, 128)
    for octave in range(octaves):
        across = cells * 2**octave
        down = max(2, round(across * size[1] / size[0]))
        lumps = Image.frombytes("L", (across, down), chance.randbytes(across * down))
        layer = lumps.resize(size, Image.Resampling.BICUBIC)
        picture = layer if octave == 0 else Image.blend(picture, layer, 0.5**octave / 1.6)
    return picture


class Easel:
    """One picture being painted. ``rank`` is the tier's (0 is D): it makes the heavens richer."""

    def __init__(
        self,
        *,
        size: tuple[int, int],
        stage: int,
        palette: Palette,
        chance: random.Random,
        rank: int,
    ) -> None:
        self.width, height = size
        self.tall = stage / self.width
        self.bottom = height / self.width
        self.palette = palette
        self.chance = chance
        self.rank = rank
        self.picture = Image.new("RGB", size, palette.near)
        self._brush = ImageDraw.Draw(self.picture, "RGBA")

    # Strokes ------------------------------------------------------------------------------------

    def _scaled(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self.width, y * self.width) for x, y in points]

    def fill(self, points: Sequence[Point], paint: Colour, alpha: int = 255) -> None:
        """A filled polygon."""
        self._brush.polygon(self._scaled(points), fill=(*paint, alpha))

    def stroke(
        self, points: Sequence[Point], paint: Colour, alpha: int = 255, *, line: float = 0.003
    ) -> None:
        """An open line through ``points``."""
        pixels = max(1, round(line * self.width))
        self._brush.line(self._scaled(points), fill=(*paint, alpha), width=pixels, joint="curve")

    def disc(self, x: float, y: float, r: float, paint: Colour, alpha: int = 255) -> None:
        """A filled circle."""
        self.oval(x, y, r, r, paint, alpha)

    def oval(
        self, x: float, y: float, rx: float, ry: float, paint: Colour, alpha: int = 255
    ) -> None:
        """A filled ellipse with level axes."""
        box = [v * self.width for v in (x - rx, y - ry, x + rx, y + ry)]
        self._brush.ellipse(box, fill=(*paint, alpha))

    def ring(
        self, x: float, y: float, r: float, paint: Colour, alpha: int = 255, *, line: float = 0.003
    ) -> None:
        """The outline of a circle."""
        box = [v * self.width for v in (x - r, y - r, x + r, y + r)]
        pixels = max(1, round(line * self.width))
        self._brush.ellipse(box, outline=(*paint, alpha), width=pixels)

    def glow(self, x: float, y: float, r: float, paint: Colour, strength: float = 0.7) -> None:
        """Light around a point, laid over what is there."""
        diameter = max(2, round(2 * r * self.width))
        corner = (round((x - r) * self.width), round((y - r) * self.width))
        self.picture.paste(
            Image.new("RGB", (diameter, diameter), paint), corner, spot(diameter, strength=strength)
        )

    def motes(self, count: int, x: float, y: float, *, spread: float, paint: Colour) -> None:
        """``count`` specks of light scattered about a point."""
        for _ in range(count):
            px, py = self.chance.gauss(x, spread), self.chance.gauss(y, spread)
            self.disc(px, py, self.chance.uniform(0.001, 0.005), paint, 195)

    def sparkle(self, x: float, y: float, r: float, paint: Colour, alpha: int = 255) -> None:
        """A four-pointed star."""
        points = [
            (x + math.sin(k * math.pi / 4) * r * reach, y - math.cos(k * math.pi / 4) * r * reach)
            for k, reach in enumerate((1, 0.16) * 4)
        ]
        self.fill(points, paint, alpha)

    def shade(self, points: Sequence[Point], stops: Sequence[Colour]) -> None:
        """A polygon filled from the first stop at its top to the last at its bottom."""
        scaled = self._scaled(points)
        height = self.picture.height
        top = max(0, int(min(y for _, y in scaled)))
        end = min(height, int(max(y for _, y in scaled)) + 1)
        left = max(0, int(min(x for x, _ in scaled)))
        right = min(self.width, int(max(x for x, _ in scaled)) + 1)
        if end <= top or right <= left:
            return
        mask = Image.new("L", (right - left, end - top))
        ImageDraw.Draw(mask).polygon([(x - left, y - top) for x, y in scaled], fill=255)
        self.picture.paste(gradient(mask.size, stops), (left, top), mask)

    # The heavens --------------------------------------------------------------------------------

    def heavens(
        self, x: float, y: float, *, glow: float = 0.6, fog: int = 90, starry: bool = True
    ) -> None:
        """Sky with its light at (x, y): clouds, and from S up rays, halo and more stars.

        ``glow`` is the light's reach in widths, ``fog`` the most that clouds may cover (0-255).
        """
        palette, small = self.palette, self.width // _ATMOSPHERE_REDUCTION
        size = (small, self.picture.height // _ATMOSPHERE_REDUCTION)
        stage = round(self.tall * small)
        sky = Image.new("RGB", size, palette.near)
        under = (small, max(1, size[1] - stage))
        sky.paste(gradient(under, (palette.horizon, palette.far, palette.near)), (0, stage))
        sky.paste(gradient((small, stage), (palette.zenith, palette.sky, palette.horizon)))
        self._lay_fog(sky, palette.horizon, fog)
        if self.rank >= 4:
            self._lay_fog(sky, palette.accent, 70)
        if self.rank >= 5:
            self._lay_rays(sky, x, y)
        diameter = max(2, round(2 * glow * small))
        corner = (round((x - glow) * small), round((y - glow) * small))
        light = Image.new("RGB", (diameter, diameter), palette.light)
        sky.paste(light, corner, spot(diameter, strength=0.75 if palette.night else 0.6))
        self.picture.paste(sky.resize(self.picture.size, Image.Resampling.BICUBIC))
        if starry and palette.night:
            self.stars(70 + 45 * self.rank)
        if self.rank == 6:
            self._lay_halo(x, y)

    def _lay_fog(self, sky: Image.Image, paint: Colour, most: int) -> None:
        lumps = noise(sky.size, self.chance, cells=3, octaves=4)
        curve = [max(0, min(most, round((v - 105) * most / 90))) for v in range(256)]
        sky.paste(Image.new("RGB", sky.size, paint), (0, 0), lumps.point(curve))

    def _lay_rays(self, sky: Image.Image, x: float, y: float) -> None:
        mask = Image.new("L", sky.size)
        brush = ImageDraw.Draw(mask)
        count, turn = (26, 0.10) if self.rank == 6 else (14, 0.07)
        start = self.chance.random() * math.tau
        cx, cy, reach = x * sky.width, y * sky.width, sky.width * 1.7
        for index in range(count):
            angle = start + index * math.tau / count
            spread = turn * (0.5 + self.chance.random())
            ends = [
                (cx + math.cos(a) * reach, cy + math.sin(a) * reach)
                for a in (angle - spread, angle + spread)
            ]
            brush.polygon([(cx, cy), *ends], fill=self.chance.randint(22, 80))
        mask = mask.filter(ImageFilter.GaussianBlur(2))
        rays = blend(self.palette.light, self.palette.accent, 0.55)
        sky.paste(Image.new("RGB", sky.size, rays), (0, 0), mask)

    def _lay_halo(self, x: float, y: float) -> None:
        accent, light = self.palette.accent, self.palette.light
        for index, reach in enumerate((0.30, 0.335, 0.42, 0.435)):
            self.ring(x, y, reach, light if index % 2 else accent, 120, line=0.0025)
        for index in range(48):
            angle = index * math.tau / 48
            far = 0.415 if index % 2 else 0.395
            dx, dy = math.cos(angle), math.sin(angle)
            self.stroke(
                [(x + dx * 0.34, y + dy * 0.34), (x + dx * far, y + dy * far)],
                light,
                90,
                line=0.002,
            )
            if index % 4 == 0:
                self.sparkle(x + dx * 0.47, y + dy * 0.47, 0.022, accent, 210)

    def stars(self, count: int) -> None:
        """``count`` stars, thinner towards the horizon; a few of them twinkle."""
        for index in range(count):
            x, y = self.chance.random(), self.chance.random() ** 1.5 * self.tall * 0.85
            size = 0.0012 + 0.002 * self.chance.random() ** 3
            self.disc(x, y, size, self.palette.light, self.chance.randint(70, 230))
            if index % 24 == 0:
                self.sparkle(x, y, 0.008 + 0.010 * self.chance.random(), self.palette.light, 190)

    def moon(self, x: float, y: float, r: float, *, phase: float = 1.0) -> None:
        """A moon with its seas; ``phase`` 1 is full, 0 is new."""
        palette = self.palette
        self.glow(x, y, r * 2.2, palette.light, 0.5)
        disc = Image.new("RGB", (round(2 * r * self.width),) * 2, palette.light)
        seas = noise(disc.size, self.chance, cells=3, octaves=3)
        stain = Image.new("RGB", disc.size, blend(palette.light, palette.sky, 0.30))
        disc.paste(stain, (0, 0), seas.point([max(0, min(160, (v - 118) * 4)) for v in range(256)]))
        mask = Image.new("L", disc.size)
        ImageDraw.Draw(mask).ellipse((0, 0, disc.width - 1, disc.width - 1), fill=255)
        if phase < 1:
            shadow = Image.new("L", disc.size)
            shift = round(2 * r * self.width * phase)
            box = (shift, 0, shift + disc.width - 1, disc.width - 1)
            ImageDraw.Draw(shadow).ellipse(box, fill=225)
            mask = ImageChops.subtract(mask, shadow)
        self.picture.paste(disc, (round((x - r) * self.width), round((y - r) * self.width)), mask)

    # Land and water -----------------------------------------------------------------------------

    def ridge(
        self, y: float, rise: float, paint: Colour, *, mist: Colour | None = None
    ) -> list[Point]:
        """Hills from ``rise`` above ``y`` down to the bottom; answers their crest."""
        heights = [self.chance.uniform(0, 1), self.chance.uniform(0, 1)]
        swing = 0.55
        for _ in range(6):
            finer = [heights[0]]
            for left, right in pairwise(heights):
                finer += [(left + right) / 2 + self.chance.uniform(-swing, swing), right]
            heights, swing = finer, swing * 0.5
        crest = [(k / (len(heights) - 1), y - rise * v) for k, v in enumerate(heights)]
        outline = [*crest, (1.0, self.bottom), (0.0, self.bottom)]
        if mist is None:
            self.fill(outline, paint)
        else:
            self.shade(outline, (paint, blend(paint, mist, 0.75), mist))
        return crest

    def sea(self, horizon: float, light_x: float) -> None:
        """Water from ``horizon`` down, with the light's road glittering under ``light_x``."""
        palette, chance = self.palette, self.chance
        shallow = blend(palette.horizon, palette.far, 0.5)
        corners = [(0.0, horizon), (1.0, horizon), (1.0, self.bottom), (0.0, self.bottom)]
        self.shade(corners, (shallow, palette.far, palette.near))
        for _ in range(190):
            depth = chance.random() ** 1.6
            y = horizon + 0.004 + depth * (self.tall - horizon)
            long = 0.008 + 0.05 * depth * chance.random()
            on_road = chance.random() < 0.55
            x = light_x + chance.gauss(0, 0.03 + 0.10 * depth) if on_road else chance.random()
            paint = palette.light if on_road else palette.horizon
            alpha = chance.randint(90, 210) if on_road else chance.randint(25, 80)
            self.oval(x, y, long, 0.0012 + 0.0022 * depth, paint, alpha)


def bezier(start: Point, bend: Point, end: Point, *, steps: int = 16) -> list[Point]:
    """The quadratic curve from ``start`` to ``end`` pulled towards ``bend``."""
    points = []
    for step in range(steps + 1):
        t = step / steps
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t**2
        points.append(
            (a * start[0] + b * bend[0] + c * end[0], a * start[1] + b * bend[1] + c * end[1])
        )
    return points


def petal(x: float, y: float, angle: float, *, long: float, wide: float) -> list[Point]:
    """A leaf shape from (x, y) pointing along ``angle`` (radians)."""
    along, across = (math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))
    tip = (x + along[0] * long, y + along[1] * long)
    sides = [
        (x + along[0] * long * 0.55 + across[0] * s, y + along[1] * long * 0.55 + across[1] * s)
        for s in (wide, -wide)
    ]
    return bezier((x, y), sides[0], tip, steps=10) + bezier(tip, sides[1], (x, y), steps=10)
