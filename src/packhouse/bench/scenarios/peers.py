"""``peers``: the same shop as others would write it, measured beside ours in the same run.

Each peer of ``bench/peers`` (Express with pg, FastAPI with SQLAlchemy) runs on the shop's own
database: the same tables, indexes, foreign keys and durability, as many processes and database
connections. Before anything is measured, an opening and the pages of each are held against the
shop's, and one that does less is refused. All take turns, at 64 clients: opening a pack, the first
page of the vault, and the newest page of the feed, also as a peer serves it from a cache.
"""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final

import msgspec

from packhouse.bench.load import LoadPlan
from packhouse.bench.model import Outcome, ratio_of
from packhouse.bench.peer_folders import PeerUnusable
from packhouse.bench.peers import RunningPeer, list_peers, running_peer
from packhouse.bench.same_work import FEED_PATH, PeerDiffers, require_every_law, require_same_work
from packhouse.bench.scenario import Scenario
from packhouse.bench.scenarios.feed import Spent, feed_plan
from packhouse.bench.scenarios.opening import opening_plan, stock_for
from packhouse.bench.scenarios.vault import vault_plan
from packhouse.bench.stage import PACK, Stage
from packhouse.bench.stock import restock
from packhouse.bench.workbench import Contender, Workbench

CLIENTS: Final = 64
FIRST_OPENINGS: Final = 100
"""So many openings there is stock for when peers are compared with the shop."""
TARGETS: Final = {
    "open/express": (9.0, 25.0),
    "open/fastapi": (18.0, 50.0),
    "vault/express": (6.0, 10.0),
    "vault/fastapi": (12.0, 20.0),
}
"""What a ratio must reach, and what it aims at."""


class Entrant(msgspec.Struct, frozen=True):
    """Who takes turns at a measure: under which name, at which port, sent what."""

    name: str
    port: int
    pid: int
    plan: LoadPlan


async def run(workbench: Workbench, outcome: Outcome) -> None:
    """Every peer that can run here, at each measure. Raises ``PeerDiffers`` at the end."""
    stage = workbench.stage
    async with AsyncExitStack() as running:
        peers, refused = await _start_peers(workbench, outcome, running)
        await _measure(workbench, outcome, "open", opening_entrants(stage, peers), has_stock=True)
        await _measure(workbench, outcome, "vault", vault_entrants(stage, peers))
        await _measure(workbench, outcome, "feed", feed_entrants(stage, peers))
        await require_every_law(stage, "the peers")
    if refused:
        raise PeerDiffers(" ".join(refused))


async def _start_peers(
    workbench: Workbench, outcome: Outcome, running: AsyncExitStack
) -> tuple[list[RunningPeer], list[str]]:
    """Those that run and do the same work, and what is to be said of those that do not."""
    stage = workbench.stage
    await restock(stage.house, slug=PACK, openings=FIRST_OPENINGS)
    peers: list[RunningPeer] = []
    refused: list[str] = []
    found = list_peers()
    if not found:
        outcome.notes.append("There are no peers here: they come with the repository.")
    for each in found:
        name, cached_by = each.peer.name, each.peer.cached_by
        workbench.say(f"Starting the peer {name} (it is installed the first time) …")
        try:
            peer = await running.enter_async_context(running_peer(each, stage))
            await require_same_work(stage, peer)
        except PeerUnusable as error:
            outcome.notes.append(f"The peer {name} was not measured: {error.message}")
            workbench.say(outcome.notes[-1])
        except PeerDiffers as error:
            refused.append(error.message)
            workbench.say(error.message)
        else:
            peers.append(peer)
            if cached_by is not None:
                outcome.notes.append(f"caching_{name} answers from a cache: {cached_by}.")
    return peers, refused


async def _measure(
    workbench: Workbench,
    outcome: Outcome,
    measure: str,
    entrants: Sequence[Entrant],
    *,
    has_stock: bool = False,
) -> None:
    """Let all take turns; the first is ours, and its ratio to each other one is taken."""
    prepare = stock_for(workbench) if has_stock else None
    spent = {each.name: Spent(each.pid) for each in entrants}
    contenders: list[Contender] = [
        spent[each.name].counting(
            workbench.server(f"{each.name}, {measure}", each.plan, port=each.port, prepare=prepare)
        )
        for each in entrants
    ]
    ours, *others = await workbench.take_turns(contenders)
    outcome.measurements += [ours, *others]
    plan = entrants[0].plan
    alone = msgspec.structs.replace(
        await workbench.generator_alone(plan, like=ours), name=f"generator alone, {measure}"
    )
    outcome.measurements.append(alone)
    for entrant, theirs in zip(entrants[1:], others, strict=True):
        name = f"{measure}/{entrant.name}"
        must, aim = TARGETS.get(name, (None, None))
        outcome.ratios.append(ratio_of(name, ours, theirs, generator=alone, must=must, aim=aim))
    for name, each in spent.items():
        figure = f"{measure}_{name}_processor_us_per_answer"
        outcome.figures[figure] = each.microseconds_per_answer
    workbench.note_sender(plan)


def opening_entrants(stage: Stage, peers: Sequence[RunningPeer]) -> list[Entrant]:
    """Ours and each peer, sent openings."""
    return [
        _ours(stage, opening_plan(stage, clients=CLIENTS)),
        *(
            _theirs(peer, opening_plan(stage, clients=CLIENTS, cookies=peer.cookies))
            for peer in peers
        ),
    ]


def vault_entrants(stage: Stage, peers: Sequence[RunningPeer]) -> list[Entrant]:
    """Ours and each peer, asked for vaults."""
    return [
        _ours(stage, vault_plan(stage, clients=CLIENTS)),
        *(
            _theirs(peer, vault_plan(stage, clients=CLIENTS, cookies=peer.cookies))
            for peer in peers
        ),
    ]


def feed_entrants(stage: Stage, peers: Sequence[RunningPeer]) -> list[Entrant]:
    """Ours and each peer, asked for the feed; a peer with a cache twice."""
    entrants = [_ours(stage, feed_plan(FEED_PATH))]
    for peer in peers:
        cached = peer.peer.cached_feed
        if cached is not None:
            entrants.append(_theirs(peer, feed_plan(cached), name=f"caching_{peer.peer.name}"))
        entrants.append(_theirs(peer, feed_plan(FEED_PATH)))
    return entrants


def _ours(stage: Stage, plan: LoadPlan) -> Entrant:
    return Entrant("packhouse", stage.port, stage.web_pid, plan)


def _theirs(peer: RunningPeer, plan: LoadPlan, *, name: str | None = None) -> Entrant:
    return Entrant(name or peer.peer.name, peer.port, peer.pid, plan)


SCENARIO = Scenario(
    name="peers",
    measures="Openings, vault and feed beside plain servers that others would write for the job.",
    run=run,
)
