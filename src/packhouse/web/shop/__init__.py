"""The collector's pages."""

from litestar import Router
from litestar.types import ControllerRouterHandler

from packhouse.accounts import NotSignedIn
from packhouse.web.shop.account import ACCOUNT_HANDLERS
from packhouse.web.shop.closure import CLOSURE_HANDLERS
from packhouse.web.shop.drift import DRIFT_HANDLERS
from packhouse.web.shop.fairness import FAIRNESS_HANDLERS
from packhouse.web.shop.feed import FEED_HANDLERS
from packhouse.web.shop.frame import to_sign_in
from packhouse.web.shop.openings import OPENING_HANDLERS
from packhouse.web.shop.packs import PACK_HANDLERS
from packhouse.web.shop.shipping import SHIPPING_HANDLERS
from packhouse.web.shop.vault import VAULT_HANDLERS
from packhouse.web.shop.verify import VERIFY_HANDLERS
from packhouse.web.shop.wallet import WALLET_HANDLERS

SHOP_HANDLERS: list[ControllerRouterHandler] = [
    Router(
        path="/",
        route_handlers=[
            *PACK_HANDLERS,
            *OPENING_HANDLERS,
            *FEED_HANDLERS,
            *VAULT_HANDLERS,
            *WALLET_HANDLERS,
            *SHIPPING_HANDLERS,
            *FAIRNESS_HANDLERS,
            *DRIFT_HANDLERS,
            *VERIFY_HANDLERS,
            *ACCOUNT_HANDLERS,
            *CLOSURE_HANDLERS,
        ],
        exception_handlers={NotSignedIn: to_sign_in},
        include_in_schema=False,
    )
]
