"""The API's documentation: the OpenAPI document, and pages for people made from it."""

from inspect import cleandoc
from typing import Any, Final

import msgspec
from litestar import Response, get

from packhouse.foundation.errors import Breach, Outage, PackhouseError, Refusal
from packhouse.web.api.document import document_of, encoded_document_of
from packhouse.web.api.public_answers import public_answer
from packhouse.web.api.requests import ApiRequest
from packhouse.web.api.shapes import find_shape, list_fields, name_type
from packhouse.web.errors import STATUSES, TITLES
from packhouse.web.pages import page

OPENAPI_MEDIA_TYPE: Final = "application/vnd.oai.openapi+json"
FRESH_FOR_A_MINUTE: Final = "public, max-age=60"


class ParameterRow(msgspec.Struct, frozen=True):
    """One parameter of a call, in words."""

    name: str
    place: str
    type: str
    is_required: bool
    description: str


class AnswerRow(msgspec.Struct, frozen=True):
    """One good answer of a call; ``shape`` names the described object that it holds, if any."""

    status: str
    description: str
    type: str
    shape: str | None


class Call(msgspec.Struct, frozen=True):
    """One method at one path, as the page shows it."""

    id: str
    method: str
    path: str
    description: str
    parameters: tuple[ParameterRow, ...]
    body: str | None
    body_shape: str | None
    answers: tuple[AnswerRow, ...]
    problems: tuple[str, ...]


class ErrorRow(msgspec.Struct, frozen=True):
    """One code that a problem can have."""

    code: str
    status: int
    title: str
    meaning: str


@get("/api/v1/openapi.json", include_in_schema=False)
async def get_openapi(request: ApiRequest) -> Response[bytes]:
    """The OpenAPI document of this very server."""
    return public_answer(
        request,
        encoded_document_of(request.app),
        cache_control=FRESH_FOR_A_MINUTE,
        media_type=OPENAPI_MEDIA_TYPE,
    )


@get("/api/v1/docs", include_in_schema=False)
async def show_api_docs(request: ApiRequest) -> Response[str]:
    """The same document for people."""
    document = document_of(request.app)
    groups: dict[str, list[Call]] = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            groups.setdefault(operation["tags"][0], []).append(_call(method, path, operation))
    schemas = document["components"]["schemas"]
    return await page(
        request,
        "api_docs.html",
        {
            "description": document["info"]["description"],
            "version": document["info"]["version"],
            "groups": sorted(groups.items(), key=lambda group: (group[0] == "admin", group[0])),
            "shapes": [
                (name, schemas[name].get("description", ""), list_fields(schemas[name]))
                for name in sorted(schemas)
            ],
        },
    )


@get("/docs/errors", include_in_schema=False)
async def show_errors(request: ApiRequest) -> Response[str]:
    """Every code of a problem, what it means and its status; problems link here."""
    return await page(request, "docs_errors.html", {"errors": _list_errors()})


def _call(method: str, path: str, operation: dict[str, Any]) -> Call:
    content = operation.get("requestBody", {}).get("content", {})
    body = next((media["schema"] for media in content.values()), None)
    responses = operation["responses"]
    return Call(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        description=operation.get("description", ""),
        parameters=tuple(_parameter(parameter) for parameter in operation.get("parameters", ())),
        body=None if body is None else name_type(body),
        body_shape=None if body is None else find_shape(body),
        answers=tuple(
            _answer(status, response)
            for status, response in sorted(responses.items())
            if "$ref" not in response
        ),
        problems=tuple(status for status, answer in sorted(responses.items()) if "$ref" in answer),
    )


def _parameter(parameter: dict[str, Any]) -> ParameterRow:
    schema = parameter.get("schema", {})
    return ParameterRow(
        name=parameter["name"],
        place=parameter["in"],
        type=name_type(schema),
        is_required=parameter.get("required", False),
        description=parameter.get("description") or schema.get("description", ""),
    )


def _answer(status: str, response: dict[str, Any]) -> AnswerRow:
    media: dict[str, Any] = next(iter(response.get("content", {}).values()), {})
    schema = media.get("schema")
    return AnswerRow(
        status=status,
        description=response["description"],
        type="" if schema is None else name_type(schema),
        shape=None if schema is None else find_shape(schema),
    )


def _list_errors() -> list[ErrorRow]:
    """Every refusal of the table, and every outage and breach of this process."""
    meanings = _list_meanings(Refusal)
    away = {code: (503, text) for code, text in _list_meanings(Outage).items()}
    broken = {code: (500, text) for code, text in _list_meanings(Breach).items()}
    # A refusal that this process never loaded, such as of the terminal's, has no words here.
    said = {code: (status, meanings.get(code, TITLES[status])) for code, status in STATUSES.items()}
    rows = [
        ErrorRow(code=code, status=status, title=TITLES[status], meaning=meaning)
        for code, (status, meaning) in (said | away | broken).items()
    ]
    return sorted(rows, key=lambda row: (row.status, row.code))


def _list_meanings(family: type[PackhouseError]) -> dict[str, str]:
    """What each code of a family means, by the first paragraph of its class's docstring."""
    meanings: dict[str, str] = {}
    for child in family.__subclasses__():
        meanings |= _list_meanings(child)
    return meanings | {family.code: cleandoc(family.__doc__ or "").split("\n\n")[0]}


DOCS_HANDLERS = [get_openapi, show_api_docs, show_errors]
