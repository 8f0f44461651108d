"""``ship``: shipping requests a second over the API at 64 clients, one card each, until none is
left that could be shipped.
"""

from itertools import chain, zip_longest
from typing import Final

from packhouse.bench.load import LoadPlan, measurement_of
from packhouse.bench.model import Outcome
from packhouse.bench.requests import WireRequest, post
from packhouse.bench.scenario import Scenario
from packhouse.bench.stage import Stage
from packhouse.bench.workbench import Workbench

CLIENTS: Final = 64

ADDRESS: Final = {
    "name": "Bench Collector",
    "line1": "1 Quay Street",
    "city": "Portland",
    "region": "OR",
    "postal_code": "97201",
    "country": "US",
}


async def run(workbench: Workbench, outcome: Outcome) -> None:
    """The cards are shared out among the rounds, because each can be shipped once."""
    requests = shipping_requests(workbench.stage)
    rounds = workbench.options.rounds
    samples = []
    for number in range(rounds):
        await workbench.stage.wait_for_relay()
        plan = LoadPlan(requests=requests[number::rounds], clients=CLIENTS, is_once=True)
        workbench.show(f"packhouse, {CLIENTS} clients, round {number + 1} of {rounds}")
        samples.append(await workbench.load(plan, seconds=workbench.options.seconds))
    outcome.measurements.append(measurement_of("packhouse", clients=CLIENTS, samples=samples))


def shipping_requests(stage: Stage) -> list[WireRequest]:
    """One request for each card: everybody's first, then everybody's second, and so on."""
    by_collector = [
        [
            post(
                "/api/v1/shipping-requests",
                {"user_card_ids": [card], "address": ADDRESS},
                token=collector.token,
            )
            for card in collector.cards
        ]
        for collector in stage.collectors
    ]
    return [each for each in chain.from_iterable(zip_longest(*by_collector)) if each is not None]


SCENARIO = Scenario(
    name="ship", measures="Shipping requests a second over the API, one card each.", run=run
)
