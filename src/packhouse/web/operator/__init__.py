"""The operator's pages."""

from litestar.types import ControllerRouterHandler

OPERATOR_HANDLERS: list[ControllerRouterHandler] = []
