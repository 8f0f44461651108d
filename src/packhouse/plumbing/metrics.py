"""Every metric of the shop: its name, what it tells, and the labels that it may have.

A metric is counted where it happens, by naming its constant here::

    CACHE_LOOKUPS.of("catalogue", "hit").add()

Names end in their unit, counters in ``_total``. A label's values are declared, or how many there
may be; see ``plumbing/meters.py``. ``docs/reference/metrics.md`` tells owners what each is for.

Law held here: no metric has anybody's name, address, number or token.
"""

from typing import Any, Final

from packhouse import __version__
from packhouse.foundation.limits import REPLICAS_MAX
from packhouse.plumbing.meter_memory import (
    MeterMemory,
    Reading,
    make_meter_memory,
)
from packhouse.plumbing.meter_text import metrics_text
from packhouse.plumbing.meters import TALLY, Counter, Family, Gauge

CACHES: Final = ("pages", "feed", "catalogue", "sessions", "settings")
REPLICA_STATES: Final = ("in_rotation", "away", "behind", "promoted", "diverged", "unrelated")
JOB_KINDS_MAX: Final = 40
PACKS_MAX: Final = 100

BUILD_INFO: Final = Gauge(
    "packhouse_build_info",
    "The running version.",
    {"version": 3},
    across="max",
)
DRAW_DRIFT: Final = Gauge(
    "packhouse_draw_drift_p_value",
    "How often honest draws differ from a version's odds at least as much as its cards do.",
    {"pack": PACKS_MAX, "version": PACKS_MAX},
    series_max=PACKS_MAX,
    across="max",
)
CACHE_LOOKUPS: Final = Counter(
    "packhouse_cache_lookups_total",
    "Look-ups in a cache, by what came of them: found near (in this process) or far (in Valkey),"
    " found old and renewed behind the answer, or not found.",
    {"cache": CACHES, "outcome": ("near", "far", "stale", "miss")},
)
CACHE_ERRORS: Final = Counter(
    "packhouse_cache_errors_total",
    "Times that Valkey did not answer, or not in time, and the shop went on without.",
    {"cache": (*CACHES, "limits", "wake_up")},
)
REPLICA_LAG: Final = Gauge(
    "packhouse_replica_lag_seconds",
    "How long ago the primary was where this replica is now; the worst that any process sees.",
    {"replica": REPLICAS_MAX},
    across="max",
)
REPLICA_LAG_BYTES: Final = Gauge(
    "packhouse_replica_lag_bytes",
    "How much of the primary's log this replica has not replayed.",
    {"replica": REPLICAS_MAX},
    across="max",
)
REPLICA_READERS: Final = Gauge(
    "packhouse_replica_readers",
    "Processes that see this replica so; only those in rotation are read from.",
    {"replica": REPLICAS_MAX, "state": REPLICA_STATES},
    across="sum",
)
REPLICA_READS: Final = Counter(
    "packhouse_replica_reads_total",
    "Reads that a replica may answer, by who did: a replica, or the primary because none was in"
    " rotation, because the one in turn was behind, or because it failed.",
    {"answered": ("replica", "none_in_rotation", "behind", "failed")},
)
QUEUE_JOBS: Final = Gauge(
    "packhouse_queue_jobs",
    "Jobs that wait, run, or were given up, by kind.",
    {"kind": JOB_KINDS_MAX, "state": ("waiting", "running", "dead")},
    across="max",
)
QUEUE_AGE: Final = Gauge(
    "packhouse_queue_age_seconds",
    "How long the oldest job of a kind has been due.",
    {"kind": JOB_KINDS_MAX},
    across="max",
)
JOBS: Final = Counter(
    "packhouse_jobs_total",
    "Jobs done, tried again later, or given up, by kind.",
    {"kind": JOB_KINDS_MAX, "outcome": ("done", "retried", "dead")},
)

FAMILIES: Final[tuple[Family[Any], ...]] = tuple(
    each for each in list(globals().values()) if isinstance(each, Family)
)
"""All of the above."""

SERIES_MAX: Final = sum(family.series_max for family in FAMILIES)
"""The most series that one process can count, whatever it is asked and whatever it keeps."""


class Meters:
    """What the processes of this shop have counted together, for whoever asks this one."""

    def __init__(self) -> None:
        self._memory: MeterMemory | None = None

    def begin(self, *, role: str, memory: MeterMemory | None = None) -> None:
        """Count from now on as one of the processes that share ``memory``; first thing, and once.

        Without a memory this process is counted alone. What it counted before is not told.
        """
        self._memory = memory or make_meter_memory()
        slot = self._memory.claim(role=role)
        if slot is None:
            raise MemoryError("more processes share one memory for metrics than it has places")
        TALLY.slot = slot
        for family in FAMILIES:
            family.move()

    def text(self) -> str:
        """All metrics of all processes, as Prometheus reads them."""
        BUILD_INFO.of(__version__).set(1)
        if self._memory is None:
            alone = Reading(role="", place=0, is_running=True, entries=TALLY.slot.entries())
            return metrics_text(FAMILIES, [alone])
        return metrics_text(FAMILIES, self._memory.read())


METERS: Final = Meters()
