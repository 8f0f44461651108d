"""The tables of the job queue: made and brought up to date by PgQueuer's own planner.

They are in a schema of their own, ``jobs``, so ``schema.sql`` and the numbered migrations say
nothing of them, and a test holds both to their places. What is there is what the installed
version of PgQueuer declares, and the schema's comment says which version that was. It only adds, so
workers of the version before go on beside it; and an older one leaves a newer one's tables alone.
"""

from importlib.metadata import version
from typing import Final

import msgspec

from packhouse.plumbing.jobs import JOBS_SCHEMA, queue_on
from packhouse.plumbing.postgres import Connection

PGQUEUER_VERSION: Final = version("pgqueuer")
_COMMENT: Final = "PgQueuer "


class JobQueueState(msgspec.Struct, frozen=True):
    """Which version's tables are there, which this code needs, and what is still to be run."""

    installed: str | None
    needed: str
    pending: tuple[str, ...]

    @property
    def is_up_to_date(self) -> bool:
        """Whether nothing is to be done: this version's tables are there, or a later one's."""
        return not self.pending and _is_recent_enough(self.installed)


async def install_job_queue(connection: Connection) -> tuple[str, ...]:
    """Bring the tables up to date; gives the statements that were run, none mostly.

    Two at once wait for each other. Locks nothing but the queue's tables, and no table of the shop.
    """
    state = await read_job_queue_state(connection)
    if state.is_up_to_date:
        return ()
    ran = (await queue_on(connection).apply_upgrade()).statements
    # No statement of another's: the text is a version number of an installed package.
    await connection.execute(f"COMMENT ON SCHEMA {JOBS_SCHEMA} IS '{_COMMENT}{PGQUEUER_VERSION}'")
    return ran


async def read_job_queue_state(connection: Connection) -> JobQueueState:
    """What of the queue a database has; changes nothing."""
    installed = await _find_installed_version(connection)
    pending: tuple[str, ...] = ()
    if not _is_recent_enough(installed) or installed == PGQUEUER_VERSION:
        pending = (await queue_on(connection).plan_upgrade()).statements
    return JobQueueState(installed=installed, needed=PGQUEUER_VERSION, pending=pending)


async def has_job_queue(connection: Connection) -> bool:
    """Whether workers of this version, or a later one, find their tables."""
    return _is_recent_enough(await _find_installed_version(connection))


async def _find_installed_version(connection: Connection) -> str | None:
    comment = await connection.fetchval(
        "SELECT obj_description(to_regnamespace($1), 'pg_namespace')", JOBS_SCHEMA
    )
    if not isinstance(comment, str) or not comment.startswith(_COMMENT):
        return None
    return comment.removeprefix(_COMMENT)


def _is_recent_enough(installed: str | None) -> bool:
    return installed is not None and _parts(installed) >= _parts(PGQUEUER_VERSION)


def _parts(number: str) -> tuple[int, ...]:
    return tuple(int(part) for part in number.split(".") if part.isdecimal())
