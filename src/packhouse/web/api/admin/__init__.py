"""The operators' JSON API, under ``/api/v1/admin``: for staff and owners, every call audited."""

from litestar import Router
from litestar.types import ControllerRouterHandler

from packhouse.web.api.admin.cards import CARD_HANDLERS
from packhouse.web.api.admin.imports import IMPORT_HANDLERS
from packhouse.web.api.admin.jobs import JOB_HANDLERS
from packhouse.web.api.admin.packs import PACK_HANDLERS
from packhouse.web.api.admin.shipping_requests import SHIPPING_HANDLERS
from packhouse.web.api.admin.shop import SHOP_HANDLERS
from packhouse.web.api.admin.users import USER_HANDLERS
from packhouse.web.staff import staff_only

ADMIN_HANDLERS: list[ControllerRouterHandler] = [
    Router(
        path="/api/v1/admin",
        guards=[staff_only],
        tags=["admin"],
        route_handlers=[
            *IMPORT_HANDLERS,
            *CARD_HANDLERS,
            *PACK_HANDLERS,
            *SHIPPING_HANDLERS,
            *USER_HANDLERS,
            *SHOP_HANDLERS,
            *JOB_HANDLERS,
        ],
    )
]
"""One router: nothing under it can be reached without its guard."""

__all__ = ["ADMIN_HANDLERS"]
