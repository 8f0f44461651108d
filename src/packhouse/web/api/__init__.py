"""The JSON API, as ``API.md`` promises it."""

from litestar.types import ControllerRouterHandler

from packhouse.web.api.openings import OPENING_HANDLERS

API_HANDLERS: list[ControllerRouterHandler] = [*OPENING_HANDLERS]
