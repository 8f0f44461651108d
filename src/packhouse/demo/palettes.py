"""The colours of the demo worlds: ten elements, each at dusk, at night and by day.

A palette runs from the top of the sky down to the ink of the foreground, so that every scene
painted with it sits in one light. Low tiers may be painted by day; from B up it is always dusk or
night, where lamps, moons and foil shine best.
"""

import random
from typing import Final, TypeAlias

import msgspec

Colour: TypeAlias = tuple[int, int, int]
"""Red, green, blue; 0 to 255 each."""


class Palette(msgspec.Struct, frozen=True):
    """One light to paint in; ``night`` says whether stars may be seen in it."""

    zenith: Colour
    sky: Colour
    horizon: Colour
    far: Colour
    near: Colour
    accent: Colour
    light: Colour
    night: bool


def colour(hexadecimal: str) -> Colour:
    """``"f4b860"`` as a colour."""
    red, green, blue = bytes.fromhex(hexadecimal)
    return red, green, blue


def blend(first: Colour, second: Colour, share: float) -> Colour:
    """``first`` with a ``share`` (0 to 1) of ``second`` stirred in."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def _palette(line: str, *, night: bool) -> Palette:
    zenith, sky, horizon, far, near, accent, light = map(colour, line.split())
    return Palette(zenith, sky, horizon, far, near, accent, light, night)


_DARK: Final = {
    "tide": (
        "0b2545 1f6f8b a7d8de 2a7f9e 072a40 f4b860 fdf6e3",
        "1b1b4b 4a5fa5 f2a6a0 42538f 14163a ffd6a5 fff4e6",
    ),
    "lantern": (
        "2a1a3e 8a3b5c f6a55c 6b3358 1d1029 ffcf6b fff2d0",
        "13293d 3e6c78 f2c57c 2f5561 0c1b2a ff9f45 ffeccc",
    ),
    "moon": (
        "0d1030 2c3a78 9fa8da 3a4685 0a0c26 dfe6ff f8f9ff",
        "1a1038 5b3f8c d9a6d6 4a3580 120a2a ffe3f3 fff7fb",
    ),
    "storm": (
        "10151f 37485a 93a9b5 3d5161 0b1018 ffe27a f3fbff",
        "161226 40406b b39bb0 444068 0d0b1a 9be8ff f4f0ff",
    ),
    "reef": (
        "04293a 0a6c74 7fd8be 0f7c80 032430 ff7f6b f7fff2",
        "1b0f3b 27598f 6fd6d0 2a5f98 120a2c ff9ecb f2fffd",
    ),
    "star": (
        "070b24 1f2a6b 7a6cc9 2d3380 060818 ffd97d fffdf2",
        "08141f 12405a 49a39c 1a4d60 050d15 ffe6a3 f5fffb",
    ),
    "ember": (
        "33111f 9c2f2f f9a03f a03c34 2a0c16 ffdd78 fff3d6",
        "2b1238 a13c63 ffb27a 84345e 200b29 ffe08a fff1dc",
    ),
    "glass": (
        "0e2038 3e7ca8 d6ecf5 5b93b8 0d2a44 a6f0ff ffffff",
        "221547 6a5acd e3c9f7 6d5fc0 1a1038 ffc4ec fffaff",
    ),
    "bloom": (
        "10302a 3c7a5b e6e3a1 4a8560 0b231e ff9fb0 fffbe8",
        "2c1236 9a4a80 fbc6b5 834577 220c2b ffe19c fff6ec",
    ),
    "brass": (
        "1d140e 6b4a2b e2b96f 735232 160e09 ffd88a fff4d9",
        "0d1f22 35605a d5b471 3f645c 09181a f3c567 fff6de",
    ),
}

_DAY: Final = {
    "tide": "8cc6d7 c4e3e0 f7ecd0 79b0bd 1f5f73 f08a5d fffdf5",
    "lantern": "e7b58b f3d3a4 fbeed0 c98a6b 6e3b3a d9482b fffaf0",
    "moon": "a9b2d8 d0d3ea f1e9ef 8f97c4 39406f 6a5fb0 ffffff",
    "storm": "8796a3 b4bfc5 e0e1da 7a8893 2c3843 d9a92e fbfdfb",
    "reef": "7fcdbb b6e3cf f4f3d0 5fb3a4 175e5c ef6f5e fffff5",
    "star": "8f9bd1 c1bfe3 f3dfe0 7b84bd 2b3066 e0a93a fffdf7",
    "ember": "e79a6b f4c28b fbe6b8 cf7a55 6b2a2e b5302f fffaf0",
    "glass": "a9cfe3 d3e8f0 f6f6f2 86b4cf 2c5f80 3fa9cc ffffff",
    "bloom": "a8cf9f d8e4b3 fbf0cf 82b184 2d5c46 e2718a fffdf2",
    "brass": "d9bd8b ead7ad f8eed4 b8945f 5a3e22 a8442a fffaf0",
}

ELEMENTS: Final = tuple(_DARK)
"""The names that a card's ``element`` may have."""

PALETTES: Final[dict[str, tuple[Palette, Palette, Palette]]] = {
    element: (
        _palette(_DARK[element][0], night=True),
        _palette(_DARK[element][1], night=True),
        _palette(_DAY[element], night=False),
    )
    for element in ELEMENTS
}
"""Dusk, night and day of each element."""


def choose_palette(element: str, *, rank: int, chance: random.Random) -> Palette:
    """A light of ``element`` for a card of this tier ``rank`` (0 is D): by day below B only.

    From S up the sky is deeper, since its own foil and rays will brighten it again.
    """
    lights = PALETTES[element]
    palette = chance.choice(lights if rank < 2 else lights[:2])
    if rank < 4:
        return palette
    return msgspec.structs.replace(
        palette,
        zenith=blend(palette.zenith, palette.near, 0.55),
        sky=blend(palette.sky, palette.zenith, 0.45),
        horizon=blend(palette.horizon, palette.sky, 0.40),
    )
