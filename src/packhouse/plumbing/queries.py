"""Named SQL: each room keeps its statements in ``queries.sql`` and asks for them by name.

A statement starts with ``-- name: find_user`` and may be followed by comment lines that say what it
is for, which lock it takes and which index serves it. The text keeps PostgreSQL's own parameters
(``$1``), so that the very same words can be prepared, explained and replayed by ``pgbench``.
"""

import re
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType

_NAME = re.compile(r"^-- name: ([a-z_][a-z0-9_]*)$", re.MULTILINE)
_ALMOST_A_NAME = re.compile(r"^[ \t]*--[ \t]*name[ \t]*:.*$", re.MULTILINE | re.IGNORECASE)


def load_queries(package: str) -> Mapping[str, str]:
    """The statements of ``package``'s ``queries.sql`` by name, without their comments.

    Raises ``ValueError`` when a name is used twice or malformed, has no statement, or when a
    statement stands before the first name.
    """
    return parse_queries((files(package) / "queries.sql").read_text(encoding="utf-8"))


def parse_queries(text: str) -> Mapping[str, str]:
    """Split the text of a ``queries.sql`` into its statements; see ``load_queries``."""
    # Taken for a comment, a misspelt name would glue its statement to the one before.
    for line in _ALMOST_A_NAME.findall(text):
        if not _NAME.fullmatch(line):
            raise ValueError(f"queries.sql has a malformed name: {line!r}")
    preface, *parts = _NAME.split(text)
    if _without_comments(preface):
        raise ValueError("queries.sql has a statement before the first '-- name:' line")
    queries: dict[str, str] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        if name in queries:
            raise ValueError(f"queries.sql names {name!r} twice")
        statement = _without_comments(body).rstrip(";").rstrip()
        if not statement:
            raise ValueError(f"queries.sql names {name!r} and has no statement for it")
        queries[name] = statement
    return MappingProxyType(queries)


def _without_comments(text: str) -> str:
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("--"))
    return "\n".join(lines).strip()
