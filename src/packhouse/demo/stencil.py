"""Metal, stencils and lettering: the hard-edged things on cards, backs and wrappers.

A stencil is drawn in design units, at twice the size, and reduced, so that its edges are smooth
when paint is laid through it.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from packhouse.demo.easel import gradient
from packhouse.demo.palettes import Colour

_OVERSAMPLING: Final = 2


def sheen(size: tuple[int, int], stops: Sequence[Colour], *, degrees: float = 35) -> Image.Image:
    """A metal surface: ``stops`` as slanting bands of reflected light."""
    side = round(max(size) * 1.5)
    bands = gradient((side, side), stops, rows=256).rotate(degrees, Image.Resampling.BILINEAR)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    return bands.crop((left, top, left + size[0], top + size[1]))


@lru_cache(maxsize=64)
def lettering(pixels: float) -> ImageFont.FreeTypeFont:
    """The typeface that Pillow brings along, at a size."""
    font = ImageFont.load_default(size=pixels)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise TypeError("Pillow was built without FreeType, so it has no lettering of any size")
    return font


class Stencil:
    """A stencil drawn larger than needed, so that its edges are smooth when it is laid on."""

    def __init__(self, size: tuple[float, float], scale: float) -> None:
        self._scale = scale * _OVERSAMPLING
        width, height = (round(v * scale) * _OVERSAMPLING for v in size)
        self._picture = Image.new("L", (width, height))
        self._brush = ImageDraw.Draw(self._picture)

    def _at(self, values: Sequence[float]) -> list[float]:
        return [v * self._scale for v in values]

    def box(self, box: Sequence[float], *, line: float = 0, value: int = 255) -> None:
        """A rectangle: filled, or its outline when ``line`` is given."""
        left, top, right, bottom = self._at(box)
        pixels = round(line * self._scale)
        if pixels:
            self._brush.rectangle((left, top, right, bottom), outline=value, width=pixels)
        else:
            self._brush.rectangle((left, top, right, bottom), fill=value)

    def shape(self, points: Sequence[tuple[float, float]], *, value: int = 255) -> None:
        """A filled polygon."""
        self._brush.polygon([(x * self._scale, y * self._scale) for x, y in points], fill=value)

    def stroke(
        self, points: Sequence[tuple[float, float]], line: float, *, value: int = 255
    ) -> None:
        """An open line through ``points``."""
        scaled = [(x * self._scale, y * self._scale) for x, y in points]
        self._brush.line(scaled, fill=value, width=max(1, round(line * self._scale)), joint="curve")

    def ring(self, x: float, y: float, r: float, line: float, *, value: int = 255) -> None:
        """The outline of a circle."""
        box = self._at((x - r, y - r, x + r, y + r))
        self._brush.ellipse(box, outline=value, width=max(1, round(line * self._scale)))

    def disc(self, x: float, y: float, r: float, *, value: int = 255) -> None:
        """A filled circle."""
        self._brush.ellipse(self._at((x - r, y - r, x + r, y + r)), fill=value)

    def picture(self) -> Image.Image:
        """The stencil as an ``L`` picture of the final size."""
        return self._picture.reduce(_OVERSAMPLING)


def lay(sheet: Image.Image, stencil: Stencil, paint: Image.Image) -> None:
    """Add ``paint`` to a transparent sheet where the stencil is open."""
    layer = paint.convert("RGBA")
    layer.putalpha(stencil.picture())
    sheet.alpha_composite(layer)
