"""JSON with one reading only: each name once, whole numbers in their plain spelling.

Readers differ about repeated names, ``1.0``, ``-0`` and numbers beyond 2^53, so a file could show
one thing to one verifier and another to the next. Such a file is refused.
"""

import json
from typing import Final, NoReturn

import msgspec

from packhouse.verify.findings import Differs

NUMBER_MAX: Final = 2**53 - 1
"""Up to here every reader of JSON keeps whole numbers exact."""


class _NotPlain(ValueError):
    """A spelling with more than one reading."""


def parse_plain_json(content: bytes, *, name: str) -> object:
    """The tree of a JSON text in UTF-8. Raises ``Differs`` about the file called ``name``.

    Fractions and numbers from 2^53 on are left to the forms, which take no such number.
    """
    tree = _read_if_compact(content)
    return _read_slowly(content, name=name) if tree is None else tree


def canonical_bytes(tree: object) -> bytes:
    """RFC 8785 JSON of a tree of objects, lists, texts, whole numbers, booleans and nulls.

    For these Python's own writer agrees with the RFC: it escapes the same characters in the same
    way, and field names are ASCII, so that every order of characters sorts them alike.
    """
    text = json.dumps(tree, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8")


def _read_if_compact(content: bytes) -> object:
    """The tree when writing it again gives the same bytes, as it does with what the shop wrote.

    That is three times as fast as looking at each name and number, and shows as much: a repeated
    name or a second spelling would not come back.
    """
    try:
        tree: object = msgspec.json.decode(content)
    except (ValueError, RecursionError):
        return None
    return tree if msgspec.json.encode(tree) == content else None


def _read_slowly(content: bytes, *, name: str) -> object:
    """The tree of JSON that somebody laid out anew."""
    try:
        tree: object = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_object,
            parse_int=_whole_number,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
        if b"\\u" in content:
            # Half of a surrogate pair can be spelt so, and has no UTF-8.
            canonical_bytes(tree)
    except (ValueError, RecursionError) as error:
        raise Differs(name, expected="plain JSON in UTF-8", found=str(error)) from error
    return tree


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _NotPlain(f"the field {twice!r} twice in one object")
    return made


def _whole_number(text: str) -> int:
    number = int(text) if len(text) <= len(str(NUMBER_MAX)) else NUMBER_MAX + 1
    if text == "-0" or not -NUMBER_MAX <= number <= NUMBER_MAX:
        _refuse_number(text)
    return number


def _refuse_number(text: str) -> NoReturn:
    raise _NotPlain(f"the number {text[:40]}, which is no plain whole number below 2^53")
