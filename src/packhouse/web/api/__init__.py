"""The JSON API, as ``API.md`` promises it."""

from litestar.types import ControllerRouterHandler

from packhouse.web.api.accounts import ACCOUNT_HANDLERS
from packhouse.web.api.admin import ADMIN_HANDLERS
from packhouse.web.api.closure import CLOSURE_HANDLERS
from packhouse.web.api.docs import DOCS_HANDLERS
from packhouse.web.api.document import openapi_config
from packhouse.web.api.drift import DRIFT_HANDLERS
from packhouse.web.api.fairness import FAIRNESS_HANDLERS
from packhouse.web.api.feed import FEED_HANDLERS
from packhouse.web.api.me import ME_HANDLERS
from packhouse.web.api.openings import OPENING_HANDLERS
from packhouse.web.api.packs import PACK_HANDLERS
from packhouse.web.api.published_configs import PUBLISHED_CONFIG_HANDLERS
from packhouse.web.api.session import SESSION_HANDLERS
from packhouse.web.api.shipping import SHIPPING_HANDLERS
from packhouse.web.api.vault import VAULT_HANDLERS
from packhouse.web.api.wallet import WALLET_HANDLERS

API_HANDLERS: list[ControllerRouterHandler] = [
    *ACCOUNT_HANDLERS,
    *SESSION_HANDLERS,
    *ME_HANDLERS,
    *CLOSURE_HANDLERS,
    *WALLET_HANDLERS,
    *PACK_HANDLERS,
    *PUBLISHED_CONFIG_HANDLERS,
    *OPENING_HANDLERS,
    *VAULT_HANDLERS,
    *SHIPPING_HANDLERS,
    *FEED_HANDLERS,
    *FAIRNESS_HANDLERS,
    *DRIFT_HANDLERS,
    *ADMIN_HANDLERS,
    *DOCS_HANDLERS,
]

__all__ = ["API_HANDLERS", "openapi_config"]
