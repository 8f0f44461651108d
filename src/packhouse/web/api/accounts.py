"""Making an account over the API."""

import msgspec
from litestar import post
from litestar.params import JSONBody

from packhouse.flows.register import Register
from packhouse.foundation.identifiers import UserId
from packhouse.web.api.requests import ApiRequest
from packhouse.web.context import context_of
from packhouse.web.sign_ins import register_visitor


class NewAccount(msgspec.Struct, frozen=True):
    """Who you are here from now on."""

    id: UserId
    username: str


@post("/api/v1/accounts", status_code=201, tags=["accounts"])
async def create_account(request: ApiRequest, data: JSONBody[Register]) -> NewAccount:
    """Make an account and sign in: the answer sets the session cookie."""
    user = (await register_visitor(context_of(request.scope), data)).user
    return NewAccount(id=user.id, username=user.username)


ACCOUNT_HANDLERS = [create_account]
