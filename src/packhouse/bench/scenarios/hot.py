"""``hot``: contention. All clients on one finite lot, and on the last copies of one card.

A lot numbers its draws one after another under its own row's lock, so its pace is that of one
transaction after another. The last copies are the opposite: nobody waits for a lock that is held,
until there is nothing else left. Both must end with exactly as many sold as there were.
"""

import time
from typing import Final

import msgspec

from packhouse.bench.load import LoadPlan, Sample, measurement_of, merge_samples
from packhouse.bench.model import Outcome
from packhouse.bench.packs import publish_last_copies, publish_lot
from packhouse.bench.requests import post
from packhouse.bench.scenario import Scenario
from packhouse.bench.workbench import Workbench

CLIENTS: Final = 64
REFUSED: Final = frozenset({409})
LOT_PACKS: Final = 2_000
QUICK_LOT_PACKS: Final = 200
LAST_COPIES: Final = 500
QUICK_LAST_COPIES: Final = 50


async def run(workbench: Workbench, outcome: Outcome) -> None:
    """A fresh lot, and a fresh card with few copies, for each round."""
    is_quick = workbench.options.is_quick
    packs = QUICK_LOT_PACKS if is_quick else LOT_PACKS
    copies = QUICK_LAST_COPIES if is_quick else LAST_COPIES
    lots: list[Sample] = []
    cards: list[Sample] = []
    for number in range(workbench.options.rounds):
        # Short, because cards are numbered after it, and new in each run on a stage.
        run_id = f"{int(time.time()) % 1_000_000}-{number}"
        slug = await publish_lot(workbench.stage, slug=f"lot-{run_id}", packs=packs)
        lots.append(await _sell_out(workbench, slug, count=packs, said=f"lot {number + 1}"))
        slug = await publish_last_copies(workbench.stage, slug=f"card-{run_id}", copies=copies)
        cards.append(await _sell_out(workbench, slug, count=copies, said=f"card {number + 1}"))
    outcome.measurements += [
        measurement_of("packhouse, one lot", clients=CLIENTS, samples=lots),
        measurement_of("packhouse, last copies of a card", clients=CLIENTS, samples=cards),
    ]
    outcome.figures["lot_packs_offered"] = packs * len(lots)
    outcome.figures["lot_packs_sold"] = _sold(lots)
    outcome.figures["last_copies_offered"] = copies * len(cards)
    outcome.figures["last_copies_openings"] = _sold(cards)
    outcome.notes.append(
        "One opening beyond the last copy may be answered with the card's value, and rests the"
        " pack; a sold-out lot refuses with 409."
    )


async def _sell_out(workbench: Workbench, slug: str, *, count: int, said: str) -> Sample:
    stage = workbench.stage
    await stage.wait_for_relay()
    path = f"/api/v1/packs/{slug}/openings"
    requests = [post(path, {"quantity": 1}, token=each.token) for each in stage.collectors]
    # A tenth more than there is, so that the end is seen too; everybody may come again.
    wanted = count + count // 10
    repeated = (requests * (wanted // len(requests) + 1))[:wanted]
    workbench.show(f"{CLIENTS} clients, {said}")
    plan = LoadPlan(requests=repeated, clients=CLIENTS, is_once=True, expected=REFUSED)
    return await workbench.load(
        msgspec.structs.replace(plan, clients=min(CLIENTS, len(requests))),
        seconds=max(30.0, workbench.options.seconds),
    )


def _sold(samples: list[Sample]) -> int:
    whole = merge_samples(samples)
    return sum(route.statuses.get(201, 0) for route in whole.routes.values())


SCENARIO = Scenario(
    name="hot",
    measures="All clients on one finite lot, and on the last copies of one card.",
    run=run,
)
