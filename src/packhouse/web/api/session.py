"""Signing in and out over the API."""

from litestar import delete, post
from litestar.params import JSONBody

from packhouse.accounts import Discreet, Role
from packhouse.flows.sign_in import SignIn
from packhouse.flows.sign_out import SignOut, sign_out
from packhouse.foundation.identifiers import UserId
from packhouse.web.api.requests import ApiRequest
from packhouse.web.context import context_of
from packhouse.web.session import ended_cookie, session_cookie
from packhouse.web.sign_in_limits import limited_sign_in


class SignedInUser(Discreet, frozen=True):
    """Whose session it is."""

    id: UserId
    username: str
    email: str
    role: Role


class NewSession(Discreet, frozen=True):
    """A session that began; its token is in the cookie alone."""

    user: SignedInUser


@post("/api/v1/session", status_code=200, tags=["accounts"])
async def create_session(request: ApiRequest, data: JSONBody[SignIn]) -> NewSession:
    """Sign in: the answer sets the session cookie. Attempts are limited by address and account."""
    context = context_of(request.scope)
    signed_in = await limited_sign_in(context, data)
    context.new_cookie = session_cookie(signed_in.token, context.house.settings)
    user = signed_in.user
    return NewSession(
        SignedInUser(id=user.id, username=user.username, email=user.email, role=user.role)
    )


@delete("/api/v1/session", status_code=204, tags=["accounts"])
async def delete_session(request: ApiRequest) -> None:
    """Sign out: the session is over at once here, and everywhere within a second."""
    context = context_of(request.scope)
    if context.token_hash is not None:
        await sign_out(context.house, SignOut(context.token_hash))
    context.new_cookie = ended_cookie(context.house.settings)


SESSION_HANDLERS = [create_session, delete_session]
