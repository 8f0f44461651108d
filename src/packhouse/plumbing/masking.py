"""Masking: the last step before a line of the log is written.

Law held here: no personal data in logs. It is a guard and no licence, so do not log such things in
the first place.
"""

import re
from collections.abc import Mapping, MutableMapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec

from packhouse.plumbing.setting_values import MASK, Secret, mask_url_passwords

DEPTH_MAX: Final = 6
"""How deep nested values are shown; nothing we log on purpose is deeper."""

_PERSONAL_PARTS: Final = (
    "password",
    "passphrase",
    "secret",
    "token",
    "cookie",
    "authorization",
    "credential",
    "api_key",
    "private_key",
    "seed",
    "email",
    "e_mail",
    "username",
    "display_name",
    "full_name",
    "recipient",
    "birth",
    "phone",
    "address",
    "postal",
)
_PERSONAL_KEYS: Final = frozenset(
    {"ip", "client_ip", "remote_ip", "forwarded", "x_forwarded_for", "line1", "line2", "body"}
)
_MEASURES: Final = ("_id", "_count", "_seconds", "_ms", "_bytes")
"""``seed_pair_id`` and ``seed_count`` hold no secret, as long as they are ids and numbers."""

_EMAIL: Final = re.compile(r"[^\s@<>()\"'=,;:/•]{1,64}@[^\s@<>()\"'=,;:/]+\.[^\s@<>()\"'=,;:/]+")
_CREDENTIAL: Final = re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{12,}", re.IGNORECASE)
_ROW_OF_POSTGRES: Final = re.compile(r"(DETAIL:\s*).*?(?=\n\s*HINT:|\n\n|\Z)", re.DOTALL)
"""PostgreSQL quotes whole rows in the detail of an error, a parcel's address among them."""


def mask_personal(
    _logger: object, _method: str, event_dict: MutableMapping[str, Any]
) -> dict[str, Any]:
    """A copy of a log line's fields without secrets and personal data, at any depth.

    Only plain values stay: of an unknown object its type is shown and no more, because its text
    could hold anything.
    """
    return {key: _masked_field(key, value, depth=0) for key, value in event_dict.items()}


def _masked_field(key: object, value: object, *, depth: int) -> object:
    if not _is_personal(key):
        return _masked(value, depth=depth)
    is_measure = str(key).endswith(_MEASURES) and isinstance(value, int | float | UUID)
    return _masked(value, depth=depth) if is_measure or value is None else MASK


def _is_personal(key: object) -> bool:
    name = str(key).lower().replace("-", "_")
    return name in _PERSONAL_KEYS or any(part in name for part in _PERSONAL_PARTS)


def _masked(value: object, *, depth: int) -> object:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**63 else str(value)
    if isinstance(value, Enum):
        return _masked(value.value, depth=depth)
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, UUID | datetime | date | Decimal | Fraction | Secret):
        return str(value)
    if isinstance(value, Path):
        return mask_text(str(value))
    if isinstance(value, BaseException):
        return mask_text(f"{type(value).__name__}: {value}")
    if depth >= DEPTH_MAX:
        return "…"
    return _masked_nested(value, depth=depth + 1)


def _masked_nested(value: object, *, depth: int) -> object:
    if isinstance(value, msgspec.Struct):
        value = msgspec.structs.asdict(value)
    if isinstance(value, Mapping):
        return {str(key): _masked_field(key, each, depth=depth) for key, each in value.items()}
    if isinstance(value, tuple | list) and len(value) == 2 and isinstance(value[0], str):
        # Headers come as pairs, so the first of two texts may be the name of the second.
        return [mask_text(value[0]), _masked_field(value[0], value[1], depth=depth)]
    if isinstance(value, tuple | list | set | frozenset):
        return [_masked(each, depth=depth) for each in value]
    return f"<{type(value).__name__}>"


def mask_text(text: str) -> str:
    """``text`` without what looks like an address, a password or a row of PostgreSQL."""
    # A lone surrogate, from a broken file name perhaps, is in no encoding of UTF-8.
    text = text.encode(errors="backslashreplace").decode()
    if "DETAIL:" in text:
        text = _ROW_OF_POSTGRES.sub(rf"\1{MASK}", text)
    if "://" in text:
        text = mask_url_passwords(text)
    if "@" in text:
        text = _EMAIL.sub(MASK, text)
    return _CREDENTIAL.sub(rf"\1 {MASK}", text)
