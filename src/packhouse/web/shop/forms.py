"""Forms: what a browser sends becomes a struct, and what is wrong with it becomes sentences.

Only ``application/x-www-form-urlencoded`` in UTF-8 is read. Everything else that could be sent is
refused here, so that no page has to think of it.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, TypeVar, get_origin
from urllib.parse import parse_qsl
from uuid import uuid4

import msgspec
from litestar import Request

from packhouse.foundation.errors import FieldError, InvalidInput, Refusal
from packhouse.foundation.limits import IDEMPOTENCY_KEY_LENGTH_MAX
from packhouse.plumbing.idempotency import IdempotencyKeyRequired, IdempotencyKeyReused
from packhouse.web.errors import Malformed

FIELDS_MAX: Final = 1_000
FORM_TYPE: Final = b"application/x-www-form-urlencoded"

_GROUPED: Final = re.compile(r"([0-9]{1,3}(?:,[0-9]{3})*)(?:\.([0-9]{1,2}))?")
_PLAIN: Final = re.compile(r"([0-9]{1,12})(?:[.,]([0-9]{1,2}))?")

Parsed = TypeVar("Parsed", bound=msgspec.Struct)


class Form(msgspec.Struct, frozen=True):
    """The values of a form by field name, as they were typed."""

    values: Mapping[str, tuple[str, ...]] = {}

    def text(self, name: str) -> str:
        """The field's last value; empty when it was not sent."""
        return self.values[name][-1] if name in self.values else ""

    def texts(self, name: str) -> tuple[str, ...]:
        """All values of a field that may be sent more than once."""
        return self.values.get(name, ())


async def read_form(request: Request[Any, Any, Any]) -> Form:
    """The form that was posted. Raises ``Malformed`` for what no form of ours sends."""
    content_type = dict(request.scope["headers"]).get(b"content-type", b"")
    body = await request.body()
    if body and content_type.partition(b";")[0].strip().lower() != FORM_TYPE:
        raise Malformed("This address takes a form (application/x-www-form-urlencoded).")
    return parse_form_body(body)


def parse_form_body(body: bytes) -> Form:
    """The fields of an URL-encoded body. Raises ``Malformed``: not UTF-8, a NUL, too many."""
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX
        )
    except ValueError as error:
        raise Malformed("The form could not be read: it has to be UTF-8.") from error
    values: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        # PostgreSQL's text cannot hold it, and nobody types it.
        if "\x00" in value:
            raise Malformed("The form could not be read: it has an invisible NUL character.")
        values[name] = (*values.get(name, ()), value)
    return Form(values)


def parse_form(form: Form, form_type: type[Parsed], sentences: Mapping[str, str]) -> Parsed:
    """The form as a struct. Raises ``InvalidInput`` with every bad field at once.

    A field left empty has its default. ``sentences`` say for each field what would be right.
    """
    parsed: dict[str, Any] = {}
    errors: list[FieldError] = []
    for field in msgspec.structs.fields(form_type):
        is_many = get_origin(_bare(field.type)) is tuple
        value = form.texts(field.name) if is_many else form.text(field.name)
        if not value and not field.required:
            continue
        try:
            parsed[field.name] = msgspec.convert(value, field.type, strict=False)
        except msgspec.ValidationError:
            sentence = sentences.get(field.name, "Please look at this again.")
            errors.append(FieldError(field.name, sentence))
    if errors:
        raise InvalidInput("Some of this cannot be taken as it is.", errors)
    return form_type(**parsed)


def parse_amount(text: str) -> int | None:
    """What a person means by ``12.50``, ``12,50`` or ``1,250``, in minor units; None if unclear."""
    typed = text.strip().replace(" ", "")
    found = _GROUPED.fullmatch(typed) or _PLAIN.fullmatch(typed)
    if found is None or len(typed) > 20:
        return None
    whole, minor = found.group(1).replace(",", ""), found.group(2) or "0"
    return int(Decimal(f"{whole}.{minor}") * 100)


def problems_of(error: Refusal | None) -> dict[str, str]:
    """What ``problem_summary`` shows: sentences by field, or one sentence that is about all."""
    if error is None:
        return {}
    if isinstance(error, IdempotencyKeyReused | IdempotencyKeyRequired):
        return {"": "This form was sent before. If you want it once more, press the button again."}
    if isinstance(error, InvalidInput) and error.errors:
        return {each.field.removeprefix("address."): each.message for each in error.errors}
    return {"": error.message}


def key_of(form: Form, error: Refusal | None = None) -> str:
    """The idempotency key of a form: kept while nothing is recorded under it, else a new one."""
    key = form.text("idempotency_key")
    is_spent = isinstance(error, IdempotencyKeyReused | IdempotencyKeyRequired)
    if is_spent or not key or len(key) > IDEMPOTENCY_KEY_LENGTH_MAX:
        return str(uuid4())
    return key


def _bare(annotation: Any) -> Any:  # noqa: ANN401 - any annotation of a struct
    """The type without ``Annotated`` around it."""
    return getattr(annotation, "__origin__", annotation) if _has_meta(annotation) else annotation


def _has_meta(annotation: Any) -> bool:  # noqa: ANN401 - any annotation of a struct
    return hasattr(annotation, "__metadata__")
