# ruff: noqa: INP001 - a script beside the product, no part of a package
"""A million openings against their odds, and how long one pack takes to decide.

    python bench/simulate_draws.py [--openings 1000000] [--processes 2]

Draws a pack of the shape that real shops sell (two layouts, five slots, rates to three decimals of
a percent) under a fixed seed, so that a run always gives the same counts, and compares every card
of every slot with its published odds by chi-square. Then times one pack of eight cards in one
thread. Prints JSON; ends with 1 when the odds do not fit or a pack takes too long.
"""

import argparse
import json
import math
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from packhouse.draws import PackConfig, canonical_config, compile_config, decide, hash_of
from packhouse.draws.drift import chi_square_tail
from worlds.four_packs import GUARANTEED_HIT_PACK, RARE_LAYOUT_PACK, config_of

SERVER_SEED: Final = b"a million packs, one fixed seed".ljust(32, b".")
USER_KEY: Final = b"simulated drawer"
EXPECTED_MIN: Final = 5
P_VALUE_MIN: Final = 1e-4
MICROSECONDS_MAX: Final = 100
TIMED_OPENINGS: Final = 2_000
TIMED_ROUNDS: Final = 7

Place = tuple[str, str, str]
"""A layout, a slot and a card; the layout alone stands with an empty slot and card."""


def count_openings(first_and_last: tuple[int, int]) -> Counter[Place]:
    """Draw the packs with these nonces, the last one left out."""
    config = config_of(RARE_LAYOUT_PACK)
    compiled = compile_config(config, hash_of(canonical_config(config)))
    counts: Counter[Place] = Counter()
    for nonce in range(*first_and_last):
        outcome = decide(
            compiled,
            server_seed=SERVER_SEED,
            user_key=USER_KEY,
            nonce=nonce,
            client_seed="a client seed",
        )
        counts[outcome.layout, "", ""] += 1
        for card in outcome.cards:
            counts[outcome.layout, card.slot, str(card.card)] += 1
    return counts


def tables_of(config: PackConfig) -> list[dict[Place, Fraction]]:
    """Every table of the pack: its places with their exact chances, which add up to 1."""
    total = sum(layout.weight for layout in config.layouts)
    layouts = {(each.name, "", ""): Fraction(each.weight, total) for each in config.layouts}
    tables: list[dict[Place, Fraction]] = [layouts]
    for layout in config.layouts:
        for slot in layout.slots:
            weight = sum(tier.weight for tier in slot.odds)
            tables.append(
                {
                    (layout.name, slot.name, str(card.card)): Fraction(tier.weight, weight)
                    * Fraction(card.weight, sum(other.weight for other in tier.cards))
                    for tier in slot.odds
                    for card in tier.cards
                }
            )
    return tables


def chi_square_of(
    counts: Mapping[Place, int], table: Mapping[Place, Fraction]
) -> tuple[float, int]:
    """Pearson's statistic and its degrees of freedom; the rarest places are joined first."""
    drawn = sum(counts.get(place, 0) for place in table)
    statistic, cells = Fraction(0), 0
    came, expected = 0, Fraction(0)
    left = sorted(table, key=table.__getitem__)
    for index, place in enumerate(left):
        came += counts.get(place, 0)
        expected += drawn * table[place]
        rest = drawn * sum(table[other] for other in left[index + 1 :])
        if expected >= EXPECTED_MIN and (rest == 0 or rest >= EXPECTED_MIN):
            statistic += (came - expected) ** 2 / expected
            cells += 1
            came, expected = 0, Fraction(0)
    return float(statistic), max(0, cells - 1)


def microseconds_a_pack() -> float:
    """The best of several rounds over a pack of eight cards, in this thread."""
    config = config_of(GUARANTEED_HIT_PACK)
    compiled = compile_config(config, hash_of(canonical_config(config)))
    best = math.inf
    for round_number in range(TIMED_ROUNDS):
        started = time.perf_counter()
        for nonce in range(TIMED_OPENINGS):
            decide(
                compiled,
                server_seed=SERVER_SEED,
                user_key=USER_KEY,
                nonce=round_number * TIMED_OPENINGS + nonce,
                client_seed="a client seed",
            )
        best = min(best, time.perf_counter() - started)
    return best / TIMED_OPENINGS * 1e6


def main() -> int:
    """Simulate, time, and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--openings", type=int, default=1_000_000)
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    chosen = parser.parse_args()
    each = math.ceil(chosen.openings / chosen.processes)
    parts = [
        (first, min(first + each, chosen.openings)) for first in range(0, chosen.openings, each)
    ]
    started = time.perf_counter()
    with multiprocessing.Pool(chosen.processes) as pool:
        counts = sum(pool.map(count_openings, parts), Counter[Place]())
    seconds = time.perf_counter() - started
    fits = [chi_square_of(counts, table) for table in tables_of(config_of(RARE_LAYOUT_PACK))]
    statistic, degrees = sum(fit[0] for fit in fits), sum(fit[1] for fit in fits)
    p_value = chi_square_tail(statistic, degrees=degrees)
    microseconds = microseconds_a_pack()
    passed = p_value >= P_VALUE_MIN and microseconds < MICROSECONDS_MAX
    sys.stdout.write(
        json.dumps(
            {
                "openings": chosen.openings,
                "cards": sum(count for place, count in counts.items() if place[1]),
                "layouts": {place[0]: count for place, count in counts.items() if not place[1]},
                "chi_square": round(statistic, 3),
                "degrees_of_freedom": degrees,
                "p_value": p_value,
                "seconds": round(seconds, 1),
                "processes": chosen.processes,
                "microseconds_to_decide_eight_cards": round(microseconds, 1),
                "passed": passed,
            },
            indent=2,
        )
        + "\n"
    )
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
