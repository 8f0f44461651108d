"""The collector's pages."""

from litestar.types import ControllerRouterHandler

SHOP_HANDLERS: list[ControllerRouterHandler] = []
