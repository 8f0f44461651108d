"""Making an account over the API."""

import msgspec
from litestar import post
from litestar.params import JSONBody

from packhouse.flows.register import Register, register
from packhouse.foundation.identifiers import UserId
from packhouse.web.api.requests import ApiRequest
from packhouse.web.context import context_of
from packhouse.web.session import session_cookie


class NewAccount(msgspec.Struct, frozen=True):
    """Who you are here from now on."""

    id: UserId
    username: str


@post("/api/v1/accounts", status_code=201, tags=["accounts"])
async def create_account(request: ApiRequest, data: JSONBody[Register]) -> NewAccount:
    """Make an account and sign in: the answer sets the session cookie."""
    context = context_of(request.scope)
    signed_in = await register(context.house, data)
    context.new_cookie = session_cookie(signed_in.token, context.house.settings)
    return NewAccount(id=signed_in.user.id, username=signed_in.user.username)


ACCOUNT_HANDLERS = [create_account]
