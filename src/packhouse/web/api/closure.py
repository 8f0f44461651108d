"""Closing one's own account over the API."""

from litestar import post
from litestar.params import JSONBody

from packhouse.accounts import Discreet
from packhouse.flows.close_account import ClosedAccount, Forfeit
from packhouse.web.api.requests import ApiRequest, IdempotencyKey
from packhouse.web.closures import close_visitor_account
from packhouse.web.context import context_of


class Closure(Discreet, frozen=True, forbid_unknown_fields=True):
    """Your password, and what you give up, exactly: nothing else is lost with the account."""

    password: str
    forfeit: Forfeit = Forfeit()


@post("/api/v1/me/closure", status_code=201, tags=["accounts"])
async def create_closure(
    request: ApiRequest, data: JSONBody[Closure], idempotency_key: IdempotencyKey = None
) -> ClosedAccount:
    """Close your account for good: what tells who you are is gone, your draws stay proven.

    Take your history along before (`GET /api/v1/fairness/history`). What is left in wallet and
    vault has to be spent, or given up by its exact number; parcels have to be delivered.
    """
    return await close_visitor_account(
        context_of(request.scope),
        password=data.password,
        forfeit=data.forfeit,
        route="POST /api/v1/me/closure",
        key=idempotency_key,
    )


CLOSURE_HANDLERS = [create_closure]
