"""Whether two servers did the same: the shapes of their answers and the rows that they wrote. Pure.

Identifiers, seeds and drawn cards differ from one opening to the next, so an opening is compared by
its shape; two pages of the same rows are the same but for how finely they tell time.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

Json = Any
"""Whatever JSON can say."""

_MOMENT: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,3})\d*)?(?:Z|\+00:00)")


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """What one opening did: its answer, and by how much tables and the wallet grew."""

    status: int
    answer: Json
    rows: Mapping[str, int]
    wallet: Mapping[str, int]


def shape_of(value: Json) -> Json:
    """The same value with every text, number, truth and nothing replaced by the word for it."""
    match value:
        case dict():
            return {name: shape_of(each) for name, each in value.items()}
        case list():
            return [shape_of(each) for each in value]
        case bool():
            return "true or false"
        case int() | float():
            return "number"
        case str():
            return "text"
        case _:
            return "null"


def with_whole_milliseconds(value: Json) -> Json:
    """The same value with its moments cut to milliseconds, the finest that JavaScript tells."""
    match value:
        case dict():
            return {name: with_whole_milliseconds(each) for name, each in value.items()}
        case list():
            return [with_whole_milliseconds(each) for each in value]
        case str() if found := _MOMENT.fullmatch(value):
            return f"{found[1]}.{found[2] or '':0<3}Z"
        case _:
            return value


def list_differences(ours: Opened, theirs: Opened) -> list[str]:
    """What a peer's opening lacks or has beyond ours, in sentences."""
    found = []
    if theirs.status != ours.status:
        found.append(f"it answers {theirs.status} instead of {ours.status}")
    elif shape_of(theirs.answer) != shape_of(ours.answer):
        found += compare(shape_of(ours.answer), shape_of(theirs.answer), at="the answer")
    for table, rows in ours.rows.items():
        if theirs.rows[table] != rows:
            found.append(f"{table} grows by {theirs.rows[table]} rows instead of {rows}")
    for column, step in ours.wallet.items():
        if theirs.wallet[column] != step:
            found.append(f"the wallet's {column} moves by {theirs.wallet[column]}, not by {step}")
    return found


def compare(ours: Json, theirs: Json, *, at: str) -> list[str]:
    """Where two values differ, each place in a few words; ``at`` is what they are called."""
    match ours, theirs:
        case dict(), dict():
            lacking = [f"{at} lacks {name}" for name in ours.keys() - theirs.keys()]
            beyond = [f"{at} has {name} beyond ours" for name in theirs.keys() - ours.keys()]
            return sorted(lacking + beyond) + [
                difference
                for name in ours.keys() & theirs.keys()
                for difference in compare(ours[name], theirs[name], at=f"{at}.{name}")
            ]
        case list(), list() if len(ours) == len(theirs):
            return [
                difference
                for index, (mine, other) in enumerate(zip(ours, theirs, strict=True))
                for difference in compare(mine, other, at=f"{at}[{index}]")
            ]
        case list(), list():
            return [f"{at} has {len(theirs)} instead of {len(ours)}"]
        case _:
            return [] if ours == theirs else [f"{at} is {theirs!r} instead of {ours!r}"]
