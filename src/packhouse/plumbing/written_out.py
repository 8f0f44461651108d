"""Statements over arrays, written out row by row for a database that is sharded.

The shop's statements take sets as arrays: ``FROM unnest($1::uuid[], $2::text[]) AS e (user_id,
key)``. Citus sees whose rows are meant only where single values stand: an array is asked of every
shard, and what an ``INSERT`` takes from one is gathered on the coordinator and copied. As rows,
``VALUES ($1::uuid, $2::text)``, the same statement goes to the one shard that it is about.

The words stay those of ``queries.sql``. What is done with them here is the same for all, so that no
statement has to be kept twice.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache, partial
from typing import Final, cast

import msgspec

ROWS_WRITTEN_OUT_MAX: Final = 200
"""As many cards as one request can make; the relay's hundreds stay arrays."""

PARAMETERS_MAX: Final = 32_767
"""Of one statement: PostgreSQL counts them in two bytes."""

TEXTS_KEPT_MAX: Final = 2_000

_ARRAYS: Final = re.compile(
    r"unnest\((?P<parameters>\$\d+::\w+\[\](?:,\s*\$\d+::\w+\[\])*)\)"
    r"(?P<name>\s+AS (?P<alias>\w+) \((?P<columns>[^)]*)\))"
)
_ARRAY: Final = re.compile(r"\$(\d+)::(\w+)\[\]")
_PARAMETER: Final = re.compile(r"\$(\d+)")
_INSERT_FROM: Final = re.compile(r"(INSERT INTO \w+ \([^)]*\))\s+SELECT ([^()]*)\s+FROM ")
_CHANGE_FROM: Final = re.compile(r"((?:UPDATE|DELETE FROM) .*)\s+(?:FROM|USING) ", re.DOTALL)
_AFTER_CHANGE: Final = re.compile(r"\s+WHERE\b.*", re.DOTALL)
_AFTER_INSERT: Final = re.compile(r"\s*(?:(?:ON CONFLICT|RETURNING)\b.*)?", re.DOTALL)


class SetStatement(msgspec.Struct, frozen=True):
    """A statement over one set of arrays, and what stands before and after them.

    ``arrays`` are the parameters that are arrays with the type of their elements, ``columns`` what
    the statement calls those, ``singles`` all other parameters. ``head`` and ``values`` are there
    when it is an ``INSERT`` that takes all from them, ``head`` alone when it changes one table.
    """

    before: str
    name: str
    after: str
    arrays: tuple[tuple[int, str], ...]
    columns: tuple[str, ...]
    singles: tuple[int, ...]
    head: str
    values: tuple[str, ...]


class WrittenOut(msgspec.Struct, frozen=True):
    """The same for so many rows; single parameters come first, then those of each row."""

    text: str
    statement: SetStatement

    def arguments(self, given: Sequence[object]) -> list[object]:
        """What was given for the arrays, in the order that this text takes it."""
        columns = [_elements(given, number) for number, _ in self.statement.arrays]
        singles = [given[number - 1] for number in self.statement.singles]
        return singles + [value for row in zip(*columns, strict=True) for value in row]


def write_out(query: str, given: Sequence[object]) -> tuple[str, Sequence[object]]:
    """The statement and its arguments with arrays as rows, where that helps; else as they are."""
    statement = _read(query)
    if statement is None:
        return query, given
    rows = len(_elements(given, statement.arrays[0][0]))
    written = _written_out(statement, rows)
    return (query, given) if written is None else (written.text, written.arguments(given))


@lru_cache(maxsize=TEXTS_KEPT_MAX)
def insert_of_rows(table: str, columns: Sequence[str], *, rows: int) -> str:
    """An ``INSERT`` for what would have been copied: for few rows it costs less."""
    width = len(columns)
    places = range(1, width + 1)
    values = [_row(f"${row * width + place}" for place in places) for row in range(rows)]
    head = f"INSERT INTO {table} ({', '.join(columns)})"
    return f"{head} VALUES {', '.join(values)}"


@lru_cache(maxsize=TEXTS_KEPT_MAX)
def _read(query: str) -> SetStatement | None:
    found = _ARRAYS.search(query)
    if found is None or _ARRAYS.search(query, found.end()) is not None:
        return None
    before, after = query[: found.start()], query[found.end() :]
    arrays = tuple((int(number), kind) for number, kind in _ARRAY.findall(found["parameters"]))
    singles = tuple(sorted({int(number) for number in _PARAMETER.findall(before + after)}))
    if {number for number, _ in arrays} & set(singles):
        return None
    insert = _INSERT_FROM.fullmatch(before) if _AFTER_INSERT.fullmatch(after) else None
    change = _CHANGE_FROM.fullmatch(before) if _AFTER_CHANGE.fullmatch(after) else None
    columns = tuple(f"{found['alias']}.{each.strip()}" for each in found["columns"].split(","))
    return SetStatement(
        before=before,
        name=found["name"],
        after=after,
        arrays=arrays,
        columns=columns,
        singles=singles,
        head=(insert or change or [""] * 2)[1],
        values=() if insert is None else tuple(each.strip() for each in insert[2].split(",")),
    )


@lru_cache(maxsize=TEXTS_KEPT_MAX)
def _written_out(statement: SetStatement, rows: int) -> WrittenOut | None:
    width, first = len(statement.arrays), len(statement.singles) + 1
    # Several rows that are not inserted have no one shard; arrays are one text for any number.
    rows_max = ROWS_WRITTEN_OUT_MAX if statement.values else 1
    if not 1 <= rows <= rows_max or first + rows * width > PARAMETERS_MAX:
        return None
    places = {f"{number}": f"${place}" for place, number in enumerate(statement.singles, start=1)}
    again = partial(_PARAMETER.sub, lambda parameter: places[parameter[1]])
    written = [
        [f"${first + row * width + at}::{kind}" for at, (_, kind) in enumerate(statement.arrays)]
        for row in range(rows)
    ]
    before, after = again(statement.before), again(statement.after)
    if statement.values:
        lines = [
            _row(_put_in(again(value), statement.columns, row) for value in statement.values)
            for row in written
        ]
        text = f"{statement.head} VALUES {', '.join(lines)}{after}"
    elif statement.head:
        # Without a join: of a table alone and its key, Citus keeps the plan.
        text = _put_in(f"{again(statement.head)}{after}", statement.columns, written[0])
    else:
        text = f"{before}(VALUES {_row(written[0])}){statement.name}{after}"
    return WrittenOut(text, statement)


def _put_in(text: str, columns: Sequence[str], values: Sequence[str]) -> str:
    of = dict(zip(columns, values, strict=True))
    return re.sub(r"\b\w+\.\w+\b", lambda name: of.get(name[0], name[0]), text)


def _row(values: Iterable[str]) -> str:
    return f"({', '.join(values)})"


def _elements(given: Sequence[object], number: int) -> Sequence[object]:
    return cast("Sequence[object]", given[number - 1])
