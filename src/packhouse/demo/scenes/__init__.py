"""What may be seen on a demo card: one function for each motif.

Each paints a whole scene on the easel it is given, from the sky forward.
"""

from collections.abc import Callable
from typing import Final

from packhouse.demo.easel import Easel
from packhouse.demo.scenes.beings import paint_bloom, paint_firebird, paint_moth, paint_stag
from packhouse.demo.scenes.deep import paint_jellyfish, paint_serpent, paint_whale
from packhouse.demo.scenes.lamps import paint_lanterns, paint_lighthouse, paint_storm
from packhouse.demo.scenes.land import paint_crystal, paint_dunes, paint_spires, paint_tree
from packhouse.demo.scenes.shore import paint_birds, paint_reef, paint_shell
from packhouse.demo.scenes.sky import paint_aurora, paint_comet, paint_constellation, paint_planet
from packhouse.demo.scenes.water import paint_isles, paint_moon, paint_ship, paint_waves
from packhouse.demo.scenes.works import paint_clock, paint_gate, paint_orrery

__all__ = ["SCENES"]

SCENES: Final[dict[str, Callable[[Easel], None]]] = {
    "isles": paint_isles,
    "ship": paint_ship,
    "waves": paint_waves,
    "moon": paint_moon,
    "lanterns": paint_lanterns,
    "lighthouse": paint_lighthouse,
    "storm": paint_storm,
    "birds": paint_birds,
    "reef": paint_reef,
    "shell": paint_shell,
    "jellyfish": paint_jellyfish,
    "whale": paint_whale,
    "serpent": paint_serpent,
    "planet": paint_planet,
    "constellation": paint_constellation,
    "comet": paint_comet,
    "aurora": paint_aurora,
    "clock": paint_clock,
    "orrery": paint_orrery,
    "gate": paint_gate,
    "dunes": paint_dunes,
    "crystal": paint_crystal,
    "spires": paint_spires,
    "tree": paint_tree,
    "moth": paint_moth,
    "bloom": paint_bloom,
    "stag": paint_stag,
    "firebird": paint_firebird,
}
"""By the name that a card's ``motif`` has."""
