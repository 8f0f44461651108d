"""The shop as a whole, for operators: today's switches, figures, and the audit log."""

from uuid import UUID

import msgspec
from litestar import get, put
from litestar.params import FromQuery, JSONBody

from packhouse import accounts, feed, shipping, wallet
from packhouse.accounts import ROLES, Role
from packhouse.flows.change_shop_settings import ChangeShopSettings, change_shop_settings
from packhouse.foundation.limits import PAGE_LIMIT_DEFAULT
from packhouse.plumbing.audit import AuditEntry, list_audit_entries
from packhouse.plumbing.shop_settings import ShopSettings, find_shop_settings
from packhouse.shipping import ShippingStatus
from packhouse.web.api.admin.reasons import Reason
from packhouse.web.api.pages_of_results import ResultPage, page_of
from packhouse.web.api.requests import ApiRequest, Limit
from packhouse.web.context import context_of
from packhouse.web.queries import read_cursor


class SettingsEdit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every switch as it shall be; none may be left out, so that none is changed unseen."""

    registrations_open: bool
    maintenance: bool
    reason: Reason | None = None


class Analytics(msgspec.Struct, frozen=True):
    """The shop's money since its first day, in minor units, and what stands behind it.

    Money is as the relay has posted it to the house's accounts, a moment behind the wallets.

    ``credits_sold`` were bought by collectors. ``pack_sales`` were paid for openings; of that went
    back: ``sell_backs`` for cards sold back, ``stock_payouts`` for cards that were drawn and of
    which no copy was left. ``payout`` is both together. ``shipping`` is what parcels brought,
    without what was refunded; ``losses`` was paid for lost parcels; ``adjustments`` were credited
    by hand (negative: debited); ``forfeitures`` were given up with closed accounts.
    ``credits_outstanding`` is what collectors hold now.

    ``cards_drawn`` is the number of pulls in the feed.
    """

    credits_sold: int
    pack_sales: int
    sell_backs: int
    stock_payouts: int
    payout: int
    shipping: int
    losses: int
    adjustments: int
    forfeitures: int
    credits_outstanding: int
    cards_drawn: int
    accounts: dict[Role, int]
    shipping_requests: dict[ShippingStatus, int]


@get("/settings")
async def get_settings(request: ApiRequest) -> ShopSettings:
    """How the shop runs today."""
    async with context_of(request.scope).house.database.reading() as connection:
        return await find_shop_settings(connection)


@put("/settings")
async def update_settings(request: ApiRequest, data: JSONBody[SettingsEdit]) -> ShopSettings:
    """Turn maintenance and new registrations on or off."""
    context = context_of(request.scope)
    command = ChangeShopSettings(
        settings=ShopSettings(
            registrations_open=data.registrations_open, maintenance=data.maintenance
        ),
        actor=context.actor(),
        reason=data.reason,
    )
    return await change_shop_settings(context.house, command)


@get("/analytics")
async def get_analytics(request: ApiRequest) -> Analytics:
    """Basic figures; the schema says what each of them means."""
    async with context_of(request.scope).house.database.reading() as connection:
        house_accounts = await wallet.list_house_accounts(connection)
        cards_drawn = await feed.find_last_sequence(connection)
        people = {role: await accounts.count_users(connection, role=role) for role in ROLES}
        requests = await shipping.count_shipping_requests(connection)

    def received(account: str) -> int:
        return house_accounts.get(account, 0)

    sell_backs, stock_payouts = -received("sell_backs"), -received("stock_shortfalls")
    return Analytics(
        credits_sold=-received("payments"),
        pack_sales=received("pack_sales"),
        sell_backs=sell_backs,
        stock_payouts=stock_payouts,
        payout=sell_backs + stock_payouts,
        shipping=received("shipping"),
        losses=-received("losses"),
        adjustments=-received("adjustments"),
        forfeitures=received("forfeitures"),
        # What the house has given out and not received back is what collectors hold.
        credits_outstanding=-sum(house_accounts.values()),
        cards_drawn=cards_drawn,
        accounts=people,
        shipping_requests=requests,
    )


@get("/audit-log")
async def list_audit_log(
    request: ApiRequest,
    limit: Limit = PAGE_LIMIT_DEFAULT,
    cursor: FromQuery[str | None] = None,
) -> ResultPage[AuditEntry]:
    """Every act and look of staff, newest first; this very look is in it."""
    async with context_of(request.scope).house.database.reading() as connection:
        found = await list_audit_entries(
            connection, before=read_cursor(cursor, UUID), limit=limit + 1
        )
    return page_of(found, limit=limit, position=lambda entry: entry.id)


SHOP_HANDLERS = [get_settings, update_settings, get_analytics, list_audit_log]
