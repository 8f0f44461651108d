"""Maintenance: while an operator has closed the shop, collectors can look but change nothing."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from packhouse.house import House
from packhouse.plumbing.shop_settings import find_shop_settings
from packhouse.plumbing.single_flight import SingleFlight
from packhouse.web.context import context_of
from packhouse.web.errors import ShopClosed

REMEMBERED_SECONDS_MAX: Final = 1.0
"""How long after the switch this process may still let somebody in."""

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
OPEN_PATHS: Final = (
    "/api/v1/admin/",
    "/admin",
    "/api/v1/session",
    "/sign-in",
    "/sign-out",
)
"""Operators work on, and everybody may sign in and out."""


class ShopDoor:
    """Whether the shop is closed, as this process saw it a second ago at most."""

    def __init__(self, *, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._looked_at = float("-inf")
        self._is_closed = False
        self._house: House | None = None
        self._looking: SingleFlight[None] = SingleFlight()

    async def require_open(self, house: House) -> None:
        """Raise ``ShopClosed`` during maintenance."""
        if self._is_stale(house):
            # One looks for all: thousands may come in the same moment.
            await self._looking.ask(partial(self._look, house))
        if self._is_closed:
            raise ShopClosed(
                "The shop is closed for maintenance; nothing was done. Your cards and credits are"
                " safe. Try again in a few minutes."
            )

    async def _look(self, house: House) -> None:
        now = self._seconds()
        async with house.database.connection() as connection:
            self._is_closed = (await find_shop_settings(connection)).maintenance
        self._looked_at = now
        self._house = house

    def _is_stale(self, house: House) -> bool:
        age = self._seconds() - self._looked_at
        return house is not self._house or age >= REMEMBERED_SECONDS_MAX

    async def guard(
        self, connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler
    ) -> None:
        """A Litestar guard for every route: closed to whatever would change something."""
        scope = connection.scope
        if scope.get("method") in SAFE_METHODS or scope["path"].startswith(OPEN_PATHS):
            return
        await self.require_open(context_of(scope).house)
