"""Reading what clients send: strictly, with every bad field named, and nothing a query chokes on.

The framework would take ``"5"`` for 5 in a body and stop at the first bad field, so bodies are
decoded here, once, straight into the type that a handler asks for.
"""

import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.exceptions import ValidationException
from litestar.handlers import BaseRouteHandler
from litestar.params import QueryParameter
from litestar.typing import FieldDefinition

from packhouse.accounts import SessionUser
from packhouse.foundation.errors import FieldError, InvalidInput
from packhouse.web.errors import Malformed

WRONG_FIELDS: Final = "The request has fields that are missing, unknown or wrong."

# How msgspec words its errors: "what is wrong - at `$.path`", the path only below the root.
_PLACE: Final = re.compile(r" - at `(?:key in )?\$\.?(.*)`$", re.DOTALL)
_NAMED: Final = re.compile(r"^Object (missing required|contains unknown) field `(.*)`$", re.DOTALL)


class StrictRequest(Request[SessionUser, None, State]):
    """A request whose JSON body is decoded strictly into the type that its handler takes."""

    async def json(self) -> Any:  # noqa: ANN401 - of the type that the handler asks for
        """The decoded body. Raises ``Malformed`` or ``InvalidInput``."""
        field = self.route_handler.parsed_data_field
        return decode_body(await self.body(), Any if field is None else field.annotation)


def decode_body(body: bytes, wanted: Any) -> Any:  # noqa: ANN401 - any type, and a value of it
    """``body`` as the ``wanted`` type. Raises ``Malformed``, or ``InvalidInput`` with every field.

    PostgreSQL's text cannot hold a NUL, so no text may have one.
    """
    try:
        decoded = msgspec.json.decode(body, type=wanted)
    except msgspec.ValidationError as error:
        errors = tuple(_list_errors(_decode_any(body), wanted, path=""))
        raise InvalidInput(WRONG_FIELDS, errors or (_field_error(str(error)),)) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise _malformed() from error
    # The escape is the only way to write one, so nearly no body is looked through.
    if rb"\u0000" in body:
        errors = tuple(_list_nuls(_decode_any(body), path=""))
        if errors:
            raise InvalidInput(WRONG_FIELDS, errors)
    return decoded


def describe_invalid(error: ValidationException, request: Request[Any, Any, Any]) -> InvalidInput:
    """The framework's complaint about query, headers or a body that is not there, as ours."""
    entries = error.extra if isinstance(error.extra, list) else []
    errors = [
        _parameter_error(str(entry.get("key", "")), str(entry.get("message", "")), request)
        for entry in entries
        if isinstance(entry, dict)
    ]
    return InvalidInput(WRONG_FIELDS, errors or list(_list_missing(request)))


async def refuse_unreadable(
    connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler
) -> None:
    """A guard: path and query have to be UTF-8 without NUL, or nothing could be looked up by them.

    Raises ``Malformed``.
    """
    query: bytes = connection.scope.get("query_string", b"")
    path: str = connection.scope["path"]
    try:
        path.encode()
        text = unquote_to_bytes(query).decode() if b"%" in query or not query.isascii() else ""
    except UnicodeError as error:
        raise Malformed("The address is not valid UTF-8.") from error
    if "\x00" in path or "\x00" in text or b"\x00" in query:
        raise Malformed("The address has a NUL character in it.")


def _parameter_error(key: str, message: str, request: Request[Any, Any, Any]) -> FieldError:
    if key.partition(".")[0] == "data":
        return FieldError("", "This request needs a JSON object as its body.")
    parameter = request.route_handler.parsed_fn_signature.parameters.get(key)
    return FieldError(key if parameter is None else _client_name(parameter), message)


def _list_missing(request: Request[Any, Any, Any]) -> Iterator[FieldError]:
    """Of a missing parameter the framework tells only in a sentence, and only of the first."""
    for parameter in request.route_handler.parsed_fn_signature.parameters.values():
        name = _client_name(parameter)
        is_asked = isinstance(parameter.kwarg_definition, QueryParameter)
        if is_asked and parameter.is_required and name not in request.query_params:
            yield FieldError(name, "This parameter is missing.")


def _client_name(parameter: FieldDefinition) -> str:
    """What clients call a handler's argument."""
    return getattr(parameter.kwarg_definition, "name", None) or parameter.name


def _decode_any(body: bytes) -> Any:  # noqa: ANN401 - whatever JSON holds
    try:
        return msgspec.json.decode(body)
    except msgspec.ValidationError as error:
        raise InvalidInput(WRONG_FIELDS, [_field_error(str(error))]) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise _malformed() from error


def _malformed() -> Malformed:
    return Malformed("The request could not be read: it has to be valid JSON in UTF-8.")


def _list_errors(raw: Any, wanted: Any, *, path: str) -> Iterator[FieldError]:  # noqa: ANN401 - JSON
    """Every bad field of an object, and of the objects in it."""
    is_struct = isinstance(wanted, type) and issubclass(wanted, msgspec.Struct)
    if not is_struct or not isinstance(raw, dict):
        try:
            msgspec.convert(raw, wanted, str_keys=True)
        except msgspec.ValidationError as error:
            yield _field_error(str(error), path=path)
        return
    known = {field.encode_name: field for field in msgspec.structs.fields(wanted)}
    for name, field in known.items():
        if name in raw:
            yield from _list_errors(raw[name], field.type, path=_join(path, name))
        elif field.required:
            yield FieldError(_join(path, name), "This field is missing.")
    if wanted.__struct_config__.forbid_unknown_fields:
        for name in raw:
            if name not in known:
                yield FieldError(_join(path, name), "There is no such field.")


def _list_nuls(raw: Any, *, path: str) -> Iterator[FieldError]:  # noqa: ANN401 - whatever JSON holds
    if isinstance(raw, str) and "\x00" in raw:
        yield FieldError(path, "Text has no NUL characters.")
    elif isinstance(raw, dict):
        for name, value in raw.items():
            yield from _list_nuls(name, path=path)
            yield from _list_nuls(value, path=_join(path, name))
    elif isinstance(raw, list):
        for index, value in enumerate(raw):
            yield from _list_nuls(value, path=f"{path}[{index}]")


def _field_error(text: str, *, path: str = "") -> FieldError:
    place = _PLACE.search(text)
    message = text[: place.start()] if place else text
    where = _join(path, place.group(1)) if place else path
    named = _NAMED.match(message)
    if named is None:
        return FieldError(where, message)
    is_missing = named.group(1) == "missing required"
    return FieldError(
        _join(where, named.group(2)),
        "This field is missing." if is_missing else "There is no such field.",
    )


def _join(path: str, name: str) -> str:
    if not path or not name:
        return path or name
    return f"{path}{name}" if name.startswith("[") else f"{path}.{name}"
