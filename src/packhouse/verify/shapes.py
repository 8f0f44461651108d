"""The forms that receipts and configurations share, and reading a tree into them."""

from typing import Annotated, Literal, TypeVar

import msgspec

from packhouse.verify.findings import Differs
from packhouse.verify.plain_json import NUMBER_MAX

# \Z and not $, which would also match before a last line break.
Hash = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
UserKey = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]
Id = Annotated[
    str, msgspec.Meta(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
]
Moment = Annotated[
    str,
    msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?Z\Z"),
]
Slug = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*\Z")]
WholeNumber = Annotated[int, msgspec.Meta(ge=0, le=NUMBER_MAX)]
Count = Annotated[int, msgspec.Meta(ge=1, le=NUMBER_MAX)]
Tier = Literal["D", "C", "B", "A", "S", "SS", "SSS"]

Shape = TypeVar("Shape")


def take_shape(tree: object, shape: type[Shape], *, name: str) -> Shape:
    """Read a tree as ``shape``: every field there, none besides. Raises ``Differs``."""
    try:
        return msgspec.convert(tree, shape)
    except msgspec.ValidationError as error:
        raise shape_error(error, name=name) from error


def shape_error(error: msgspec.ValidationError, *, name: str) -> Differs:
    """What is wrong with the form of ``name``, and at which field of it."""
    complaint, _, path = str(error).partition(" - at `$")
    field = path.rstrip("`").removeprefix(".")
    joint = "." if name.endswith("]") else " "
    return Differs(
        f"{name}{joint}{field}" if field else name,
        expected="the fields and forms of its kind",
        found=complaint,
    )
