"""The published OpenAPI document: what the code says of itself, and what all answers share."""

from collections.abc import Iterator
from functools import lru_cache
from inspect import cleandoc
from typing import Any, Final

import msgspec
from litestar import Litestar, Response, Router
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from litestar.routes import HTTPRoute

from packhouse import __version__
from packhouse.foundation.errors import NotFound
from packhouse.foundation.tiers import TIERS
from packhouse.web.errors import PROBLEM, TITLES, Problem
from packhouse.web.session import NAME

DESCRIPTION: Final = """\
Money is a whole number of the minor unit of the shop's credits; time is RFC 3339 in UTC; ids are
UUIDs of version 7. Whatever is paid for or cannot be undone wants an `Idempotency-Key`, so that
repeating a request never does it twice. Every error is an RFC 9457 problem with a stable `code`;
all codes are listed at `/docs/errors`. Lists are paged by cursor. `RateLimit-*` headers say how
many more requests you may make."""

JSON: Final = "application/json"

DONE: Final = {"200": "Here it is.", "201": "Done, and this came of it.", "204": "Done."}
"""What the good answers are called, instead of the phrases of RFC 9110."""

PROBLEMS_OF_READS: Final = (400, 401, 403, 404, 422, 429, 500, 503)
PROBLEMS_OF_WRITES: Final = (400, 401, 402, 403, 404, 409, 413, 415, 422, 429, 500, 503)


async def _nobody(_: ASGIConnection[Any, Any, Any, Any], __: BaseRouteHandler) -> None:
    raise NotFound("There is nothing at this address.")


def openapi_config() -> OpenAPIConfig:
    """How the framework describes the API; it serves none of it, ``docs.py`` does.

    Its own pages would fetch scripts from elsewhere, which our content security policy forbids, so
    they are walled up.
    """
    return OpenAPIConfig(
        title="Packhouse",
        version=__version__,
        description=DESCRIPTION,
        use_handler_docstrings=True,
        components=Components(
            security_schemes={
                "session": SecurityScheme(
                    type="apiKey",
                    name=NAME,
                    security_scheme_in="cookie",
                    description="Set by signing in; over TLS its name begins with `__Host-`.",
                )
            }
        ),
        openapi_router=Router(
            "/api/v1/-", route_handlers=[], guards=[_nobody], include_in_schema=False
        ),
    )


@lru_cache(maxsize=1)
def document_of(app: Litestar) -> dict[str, Any]:
    """The whole document as JSON values; built once for an application."""
    document: dict[str, Any] = app.openapi_schema.to_schema()
    paths = {path: item for path, item in document["paths"].items() if path.startswith("/api/")}
    schemas = _describe_bodies(app, paths)
    paths["/api/v1/feed/live"] = {"get": _live_feed()}
    for item in paths.values():
        for method, operation in item.items():
            _complete(operation, PROBLEMS_OF_READS if method == "get" else PROBLEMS_OF_WRITES)
    document["components"]["schemas"] = schemas
    document["components"]["responses"] = {
        _problem_name(status): {
            "description": title,
            "content": {
                PROBLEM.decode(): {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}
            },
        }
        for status, title in TITLES.items()
    }
    # Public calls take the session too: it lifts the rate limit.
    document["security"] = [{"session": []}, {}]
    return document | {"paths": dict(sorted(paths.items()))}


@lru_cache(maxsize=1)
def encoded_document_of(app: Litestar) -> bytes:
    """The document's bytes."""
    return msgspec.json.encode(document_of(app))


def _describe_bodies(app: Litestar, paths: dict[str, Any]) -> dict[str, Any]:
    """Describe the JSON of every call by msgspec, which also reads it; gives the named schemas.

    The framework's own descriptions lose bounds and descriptions, and whether a field may be new.
    """
    places: list[dict[str, Any]] = []
    types: list[Any] = []
    for operation, handler in _list_operations(app, paths):
        returned = handler.parsed_fn_signature.return_type
        answer = operation["responses"][str(handler.status_code)].get("content", {})
        taken = handler.parsed_data_field
        body = operation.get("requestBody", {}).get("content", {})
        if JSON in answer:
            is_response = returned.is_subclass_of(Response)
            places.append(answer[JSON])
            types.append(returned.inner_types[0].annotation if is_response else returned.annotation)
        if JSON in body and taken is not None:
            places.append(body[JSON])
            types.append(taken.annotation)
    described, schemas = msgspec.json.schema_components(
        [Problem, *types], ref_template="#/components/schemas/{name}"
    )
    for place, schema in zip(places, described[1:], strict=True):
        place["schema"] = schema
    for schema in schemas.values():
        schema["description"] = _markdown(schema.get("description", ""))
    return schemas


def _list_operations(
    app: Litestar, paths: dict[str, Any]
) -> Iterator[tuple[dict[str, Any], HTTPRouteHandler]]:
    for route in app.routes:
        if isinstance(route, HTTPRoute) and route.path_format in paths:
            for method, (handler, _) in route.route_handler_map.items():
                operation = paths[route.path_format].get(method.lower())
                if operation is not None:
                    yield operation, handler


def _complete(operation: dict[str, Any], statuses: tuple[int, ...]) -> None:
    for status, answer in operation["responses"].items():
        answer["description"] = DONE.get(status, answer["description"])
    operation["description"] = _markdown(operation.get("description", ""))
    # Over what the framework wrote: it knows neither our statuses nor our problems.
    operation["responses"] |= {
        str(status): {"$ref": f"#/components/responses/{_problem_name(status)}"}
        for status in statuses
    }


def _markdown(docstring: str) -> str:
    return cleandoc(docstring).replace("``", "`")


def _problem_name(status: int) -> str:
    return f"Problem{status}"


def _live_feed() -> dict[str, Any]:
    """The edge answers this one before the framework, so the framework does not know it."""
    return {
        "tags": ["feed"],
        "summary": "FollowFeed",
        "operationId": "followFeed",
        "description": "Everybody's pulls as they happen, as server-sent events: `id` is the"
        " sequence, `data` a pull in JSON. `Last-Event-ID` goes on where you were, without loss;"
        " `after` begins behind a sequence that you know from elsewhere. A comment line comes at"
        " least every 15 seconds.",
        "parameters": [
            {"name": "tier", "in": "query", "schema": {"type": "string", "enum": list(TIERS)}},
            {"name": "after", "in": "query", "schema": {"type": "integer", "minimum": 0}},
            {"name": "Last-Event-ID", "in": "header", "schema": {"type": "string"}},
        ],
        "responses": {
            "200": {
                "description": "A stream that goes on until you leave.",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            },
        },
    }
