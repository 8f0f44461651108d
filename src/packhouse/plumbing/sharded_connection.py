"""A connection to a sharded database: the same statements, in the form that finds its shard."""

from collections.abc import AsyncIterable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import asyncpg

from packhouse.plumbing.written_out import ROWS_WRITTEN_OUT_MAX, insert_of_rows, write_out

if TYPE_CHECKING:
    PlainConnection = asyncpg.Connection[asyncpg.Record]
else:
    # The stubs know a type parameter that the class itself does not have.
    PlainConnection = asyncpg.Connection


class ShardedConnection(PlainConnection):
    """Leads to the coordinator of a Citus cluster over which the shop's users are distributed.

    Arrays of one user's rows are written out on the way, see ``written_out``.
    """

    __slots__ = ()

    async def execute(self, query: str, *args: Any, **options: Any) -> str:  # noqa: ANN401 - asyncpg's
        """Run a statement."""
        if not args:
            return await super().execute(query, **options)
        text, arguments = write_out(query, args)
        return await super().execute(text, *arguments, **options)

    async def fetch(self, query: str, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - asyncpg's
        """All rows of a statement."""
        text, arguments = write_out(query, args)
        return await super().fetch(text, *arguments, **options)

    async def fetchrow(self, query: str, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - asyncpg's
        """Its first row."""
        text, arguments = write_out(query, args)
        return await super().fetchrow(text, *arguments, **options)

    async def fetchval(self, query: str, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - asyncpg's
        """A value of its first row."""
        text, arguments = write_out(query, args)
        return await super().fetchval(text, *arguments, **options)

    async def copy_records_to_table(
        self,
        table_name: str,
        *,
        records: Iterable[Sequence[object]] | AsyncIterable[Sequence[object]],
        columns: Iterable[str] | None = None,
        **options: Any,  # noqa: ANN401 - asyncpg's
    ) -> str:
        """Write rows: few of them without a ``COPY``, which costs three times as much there."""
        if columns is None or isinstance(records, AsyncIterable):
            return await super().copy_records_to_table(
                table_name, records=records, columns=columns, **options
            )
        rows, names = list(records), tuple(columns)
        if not 1 <= len(rows) <= ROWS_WRITTEN_OUT_MAX:
            return await super().copy_records_to_table(
                table_name, records=rows, columns=names, **options
            )
        text = insert_of_rows(table_name, names, rows=len(rows))
        return await super().execute(text, *(value for row in rows for value in row))


def is_sharded(connection: object) -> bool:
    """Whether what is asked on this connection has its users on several servers.

    A statement there is about one user, or about what is not theirs.
    """
    # asyncpg's connections say of each other that they are instances.
    return type(connection) is ShardedConnection
