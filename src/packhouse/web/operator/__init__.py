"""The operator's pages under ``/admin``: for people who stock, pack and answer for the shop."""

from litestar import Router
from litestar.types import ControllerRouterHandler

from packhouse.web.operator.audit import AUDIT_HANDLERS
from packhouse.web.operator.cards import CARD_HANDLERS
from packhouse.web.operator.imports import IMPORT_HANDLERS
from packhouse.web.operator.jobs import JOB_HANDLERS
from packhouse.web.operator.overview import OVERVIEW_HANDLERS
from packhouse.web.operator.packs import PACK_HANDLERS
from packhouse.web.operator.readiness import READINESS_HANDLERS
from packhouse.web.operator.settings import SETTINGS_HANDLERS
from packhouse.web.operator.shipping import SHIPPING_HANDLERS
from packhouse.web.operator.stock import STOCK_HANDLERS
from packhouse.web.operator.users import USER_HANDLERS
from packhouse.web.staff import staff_only

OPERATOR_HANDLERS: list[ControllerRouterHandler] = [
    Router(
        path="/admin",
        guards=[staff_only],
        include_in_schema=False,
        route_handlers=[
            *OVERVIEW_HANDLERS,
            *SHIPPING_HANDLERS,
            *STOCK_HANDLERS,
            *CARD_HANDLERS,
            *IMPORT_HANDLERS,
            *PACK_HANDLERS,
            *USER_HANDLERS,
            *JOB_HANDLERS,
            *SETTINGS_HANDLERS,
            *READINESS_HANDLERS,
            *AUDIT_HANDLERS,
        ],
    )
]
"""Everything here is behind ``staff_only``: one guard for the whole floor."""

__all__ = ["OPERATOR_HANDLERS"]
