"""The web application: the edge around Litestar around the rooms."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from typing import Any, cast

import msgspec
from litestar import Litestar, Request, Response, get
from litestar.exceptions import (
    ClientException,
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    SerializationException,
    ValidationException,
)

from packhouse.foundation.errors import NotFound, PackhouseError
from packhouse.foundation.limits import ADMIN_CONNECTIONS
from packhouse.house import House, open_house
from packhouse.plumbing.database_roles import may_operate
from packhouse.plumbing.logging import flush_access_lines, get_log
from packhouse.plumbing.postgres import Database, open_database
from packhouse.plumbing.settings import Settings
from packhouse.web.api import API_HANDLERS, openapi_config
from packhouse.web.asgi import ASGIApp, Receive, Scope, Send
from packhouse.web.assets import media_files
from packhouse.web.context import context_of
from packhouse.web.edge import Edge
from packhouse.web.errors import Malformed, MethodNotAllowed
from packhouse.web.front import Front
from packhouse.web.live.hub import LiveHub
from packhouse.web.log import LogFiles
from packhouse.web.maintenance import ShopDoor
from packhouse.web.operator import OPERATOR_HANDLERS
from packhouse.web.pages import static_files
from packhouse.web.probes import metrics, probes
from packhouse.web.problems import problem_answer
from packhouse.web.roles import WebRole
from packhouse.web.shop import SHOP_HANDLERS
from packhouse.web.streams import live_streams
from packhouse.web.validation import StrictRequest, describe_invalid, refuse_unreadable

log = get_log(__name__)


class WebApp:
    """An ASGI application that opens its house with the server's lifespan."""

    def __init__(
        self,
        settings: Settings,
        house: House | None = None,
        *,
        role: WebRole = WebRole.WEB,
        operators_database: Database | None = None,
    ) -> None:
        self._settings = settings
        self._given_house = house
        self._role = role
        self._operators_database = operators_database
        self._edge: Edge | Front | None = None
        self._hub: LiveHub | None = None
        self._is_draining = False
        self._stack = AsyncExitStack()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one scope."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._edge is not None:
            await self._edge(scope, receive, send)

    @property
    def edge(self) -> Edge | Front:
        """What answers, while it is running."""
        if self._edge is None:
            raise RuntimeError("the web application is not running")
        return self._edge

    def drain(self) -> None:
        """Say no when asked for readiness; everything else goes on."""
        self._is_draining = True

    def close_streams(self) -> None:
        """End the live streams, which would never end by themselves and hold a stop up."""
        if self._hub is not None:
            self._hub.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Open the house and the live feed, for a server's lifespan or for a test."""
        async with self._stack:
            house = self._given_house
            if house is None:
                opening = open_house(self._settings, reads_replicas=True)
                house = await self._stack.enter_async_context(opening)
            hub = LiveHub(house.database, house.valkey, streams_max=house.settings.live_streams_max)
            await self._stack.enter_async_context(hub.running())
            self._hub = hub
            self._edge = await self._open_edge(house, hub)
            self._stack.push_async_callback(self._edge.finish)
            self._stack.callback(flush_access_lines)
            yield

    async def _open_edge(self, house: House, hub: LiveHub) -> Edge | Front:
        """One edge; two where operators are answered with a login of their own."""
        operators = self._operators_database or await self._open_operators_database(house)
        if operators is not None:
            return Front(
                self._edge_of(house, hub, WebRole.WEB),
                self._edge_of(msgspec.structs.replace(house, database=operators), hub, None),
            )
        if self._role is WebRole.WEB:
            async with house.database.connection() as connection:
                is_whole = await may_operate(connection)
            return self._edge_of(house, hub, None if is_whole else WebRole.WEB)
        return self._edge_of(house, hub, self._role)

    async def _open_operators_database(self, house: House) -> Database | None:
        url = house.settings.admin_database_url
        if url is None or self._role is not WebRole.WEB:
            return None
        return await self._stack.enter_async_context(
            open_database(
                url.reveal(),
                pool_size=ADMIN_CONNECTIONS,
                statement_timeout_ms=house.settings.database_statement_timeout_ms,
                connect_timeout_seconds=house.settings.database_connect_timeout_seconds,
            )
        )

    def _edge_of(self, house: House, hub: LiveHub, role: WebRole | None) -> Edge:
        return Edge(
            house,
            cast("ASGIApp", make_litestar()),
            shortcuts={
                "/health/": probes(house, is_draining=lambda: self._is_draining),
                "/metrics": metrics(house),
                "/static/": static_files(),
                "/media/": media_files(house),
                "/log/": LogFiles(house),
                "/api/v1/feed/live": live_streams(hub),
            },
            role=role,
        )

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            async with self.running():
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except PackhouseError as error:
            await send({"type": "lifespan.startup.failed", "message": error.message})
            return
        await send({"type": "lifespan.shutdown.complete"})


@cache
def make_litestar() -> Litestar:
    """The framework's part: routes, parsing, OpenAPI. It knows no house, so one serves them all."""
    return Litestar(
        route_handlers=[*API_HANDLERS, *SHOP_HANDLERS, *OPERATOR_HANDLERS, robots],
        exception_handlers={Exception: _answer_error},
        openapi_config=openapi_config(),
        request_class=StrictRequest,
        guards=[refuse_unreadable, ShopDoor().guard],
        logging_config=None,
        # The edge has already bounded every body by its route.
        request_max_body_size=None,
    )


@get("/robots.txt", media_type="text/plain", include_in_schema=False, sync_to_thread=False)
def robots() -> str:
    """Let everybody read what is public."""
    return "User-agent: *\nDisallow: /admin\nDisallow: /api/\n"


def _answer_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    translated = _translate(error, request)
    if translated is None:
        log.error("A request failed", exc_info=error)
    elif not isinstance(error, HTTPException):
        log.info("A request was refused", code=translated.code, **translated.fields)
    answer = problem_answer(translated, request.scope, context_of(request.scope))
    headers = {name.decode(): value.decode() for name, value in answer.headers}
    return Response(
        content=answer.body,
        status_code=answer.status,
        # The framework adds the character set itself.
        media_type=headers.pop("content-type").partition(";")[0],
        headers=headers,
    )


def _translate(error: Exception, request: Request[Any, Any, Any]) -> PackhouseError | None:
    """Ours as they are; the framework's as ours; None for what nobody foresaw."""
    match error:
        case PackhouseError():
            return error
        case NotFoundException():
            return NotFound("There is nothing at this address.")
        case MethodNotAllowedException():
            return MethodNotAllowed("This address does not take that method.")
        case ValidationException():
            return describe_invalid(error, request)
        case SerializationException() | ClientException():
            return Malformed("The request could not be read: it has to be valid JSON in UTF-8.")
    return None
