"""What one execution of a prepared statement costs PostgreSQL, by its own EXPLAIN.

``EXPLAIN EXECUTE`` of a statement prepared in the session plans and runs it just as an
application's prepared statement is, with a custom or the generic plan as ``plan_cache_mode`` says,
and counts on the server: neither network nor client is in its times. What would be sent to the
client is made (``SERIALIZE``), and long values are read for it, though nothing is sent.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from packhouse.plumbing.postgres import Connection

PlanMode = Literal["auto", "force_generic_plan", "force_custom_plan"]

PLAN_MODES: Final[tuple[PlanMode, ...]] = ("force_custom_plan", "force_generic_plan")


class Explained(msgspec.Struct, frozen=True):
    """One execution: its plan tree as PostgreSQL tells it, and its times.

    ``buffers`` are pages, one that is asked for twice counting twice; ``missed`` are those of them
    that were not in ``shared_buffers``.
    """

    plan: Mapping[str, Any]
    planning_ms: float
    execution_ms: float
    buffers: int
    missed: int

    @property
    def total_ms(self) -> float:
        """Planning and execution."""
        return self.planning_ms + self.execution_ms

    def nodes(self) -> Iterator[Mapping[str, Any]]:
        """Every node of the plan, from the top down."""
        return _nodes(self.plan)


async def prepare_named(connection: Connection, name: str, statement: str) -> None:
    """Prepare a statement under a name, for this session."""
    await connection.execute(f'PREPARE "{name}" AS {statement}')


async def explain_prepared(
    connection: Connection, name: str, arguments: Sequence[Any], *, with_buffers: bool = True
) -> Explained:
    """Run a prepared statement, for real, and tell what it cost.

    Without ``with_buffers`` its times are freer of the counting, and ``buffers`` is 0.
    """
    values = f"({', '.join(map(literal, arguments))})" if arguments else ""
    counted = "on" if with_buffers else "off"
    text = await connection.fetchval(
        f"EXPLAIN (ANALYZE, SERIALIZE BINARY, TIMING OFF, BUFFERS {counted}, FORMAT JSON)"
        f' EXECUTE "{name}"{values}'
    )
    (told,) = json.loads(text)
    top = told["Plan"]
    return Explained(
        plan=top,
        planning_ms=told["Planning Time"],
        execution_ms=told["Execution Time"],
        buffers=top.get("Shared Hit Blocks", 0) + top.get("Shared Read Blocks", 0),
        missed=top.get("Shared Read Blocks", 0),
    )


def literal(value: Any) -> str:  # noqa: ANN401 - whatever a statement takes
    """A value as an SQL literal of no type, to become the parameter's. Raises ``ValueError``."""
    if value is None:
        return "NULL"
    if isinstance(value, bool | int):
        return str(value).upper()
    return "'" + _text(value).replace("'", "''") + "'"


def _text(value: Any) -> str:  # noqa: ANN401 - the same
    if isinstance(value, str):
        return value
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, dict):
        return json.dumps(value)
    if isinstance(value, list | tuple):
        return "{" + ",".join(map(_element, value)) + "}"
    raise ValueError(f"There is no literal for a {type(value).__name__}.")


def _element(value: Any) -> str:  # noqa: ANN401 - the same
    if value is None:
        return "NULL"
    if isinstance(value, bool | int):
        return str(value)
    quoted = _text(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"'


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)
