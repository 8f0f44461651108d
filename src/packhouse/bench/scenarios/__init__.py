"""The scenarios of ``packhouse bench``, by name, in the order in which they run.

How to add one
--------------
1. Write ``scenarios/NAME.py``. Its docstring says what is measured. At its end stands::

       SCENARIO = Scenario(name="live", measures="One sentence for the report.", run=run)

2. Import it below and put it into ``_ALL``. Nothing else needs to know of it.

A scenario is one coroutine, ``async def run(workbench: Workbench, outcome: Outcome) -> None``. It
measures and puts what it finds into ``outcome`` at once, because Ctrl-C ends it anywhere and keeps
what is there: ``outcome.measurements`` (``Measurement``, the first is the headline),
``outcome.ratios`` (``ratio_of(...)``), ``outcome.targets`` (``Target``: at most so much),
``outcome.plots`` (``Plot``), ``outcome.notes`` (sentences for the report) and ``outcome.figures``
(single numbers by name, such as ``kib_per_stream``; they appear in the JSON beside the
headline's). All of them are in ``packhouse.bench.model``.

What a ``Workbench`` offers (``packhouse.bench.workbench``):

- ``workbench.options``: ``rounds``, ``seconds``, ``warm_up_seconds``, ``collectors``, ``is_quick``.
  A quick run only tries whether everything works: take small numbers then.
- ``workbench.stage`` (``packhouse.bench.stage``): the shop under test, already running and filled.
  ``host``, ``port``, ``settings``, ``house`` (an open ``House`` on the same database, for reads,
  flows and COPY), ``collectors`` (``Collector``: ``user_id``, ``token`` of a session, ``email``),
  ``web_pid`` and ``worker_pid`` (parents of the processes whose memory and time one may look at),
  ``folder`` (temporary, removed at the end), ``start_program(arguments, **overrides)`` to run a
  further role such as ``("serve", "live")`` under other settings; it is stopped with the stage.
- ``get(path, token=…)`` and ``post(path, body, token=…)`` from ``packhouse.bench.requests`` make
  prebuilt requests; a POST carries a fresh ``Idempotency-Key`` each time it is sent.
- ``LoadPlan(requests=…, clients=…, rate=None, is_once=False, expected=(…))`` from
  ``packhouse.bench.load`` says what is sent. ``rate=None`` is the closed model: each client sends
  its next request when the answer is there. With a ``rate`` (requests a second over all clients)
  arrivals are scheduled by chance, like people's, and latency counts from the scheduled time, so
  that a stalled server is not excused by the requests it kept from being sent. ``is_once`` sends
  each request at most once. ``expected`` names refusals that are no errors, such as ``{409}``.
- ``await workbench.load(plan, seconds=…)`` runs it once, in processes of its own, and gives a
  ``Sample`` (requests, latencies by route, statuses, codes). Pages of one route in the closed model
  are asked for by wrk when it is installed; ``workbench.note_sender(plan)`` notes who sends.
- ``workbench.web(plan)``, ``workbench.server("express", plan, port=…)``: contenders that send a
  plan to the shop or to another server on 127.0.0.1; a ``Contender`` may also wrap any coroutine.
- ``await workbench.take_turns(contenders)``: rounds in which the contenders take turns, after a
  warm-up; one ``Measurement`` each. Between turns the relay is waited for.
- ``await workbench.generator_alone(plan, like=measurement)``: the load generator's own ceiling
  against a trivial server; pass it to ``ratio_of``.
- ``workbench.say("…")``: one line of progress.

What others have already: ``opening.opening_plan`` and ``stock_for`` (enough copies before a turn),
``vault.vault_plan``, ``ship.shipping_requests``, ``feed.feed_plan`` and ``feed.Spent`` (processor
time of a server over its turns), ``bench.packs.publish_lot`` and ``publish_last_copies``,
``bench.stock``, ``bench.population.fill`` (more collectors), ``bench.portions``, ``bench.nginx``,
``bench.processor``, ``bench.memory``, ``bench.audience`` (many open streams),
``bench.crowd`` (thousands with think time, by the mix of
``bench.activities``), ``bench.statement_samples`` (percentiles of queries), ``flows.check_laws``
(every law), ``bench.latencies.Latencies`` for a program of your own,
``bench.bulk.load_bulk`` (rows by the million), ``bench.explain`` (what an execution costs the
server), and ``bench.load.measurement_of`` for samples that did not come from ``take_turns``.

Peers (``scenarios/peers.py``) are started by ``packhouse.bench.peers`` and held to the shop's work
by ``packhouse.bench.same_work``; ``bench/peers/README.md`` says what a peer must be.
"""

from collections.abc import Mapping
from typing import Final

from packhouse.bench.scenario import Scenario
from packhouse.bench.scenarios import (
    drop,
    feed,
    hot,
    live,
    opening,
    pack_page,
    peers,
    replica,
    scale,
    ship,
    sign_in,
    soak,
    users,
    vault,
)

_ALL: Final[tuple[Scenario, ...]] = (
    opening.SCENARIO,
    hot.SCENARIO,
    vault.SCENARIO,
    feed.SCENARIO,
    pack_page.SCENARIO,
    sign_in.SCENARIO,
    ship.SCENARIO,
    users.SCENARIO,
    drop.SCENARIO,
    soak.SCENARIO,
    scale.SCENARIO,
    peers.SCENARIO,
    live.SCENARIO,
    replica.SCENARIO,
)

SCENARIOS: Final[Mapping[str, Scenario]] = {scenario.name: scenario for scenario in _ALL}
"""Every scenario by its name on the command line."""
