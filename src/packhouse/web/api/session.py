"""Signing in and out over the API."""

from litestar import delete, post
from litestar.params import JSONBody

from packhouse.accounts import Discreet, Role
from packhouse.flows.sign_in import SignIn
from packhouse.foundation.identifiers import UserId
from packhouse.web.api.requests import ApiRequest
from packhouse.web.context import context_of
from packhouse.web.sign_ins import sign_in_visitor, sign_out_visitor


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
    user = (await sign_in_visitor(context, data)).user
    return NewSession(
        SignedInUser(id=user.id, username=user.username, email=user.email, role=user.role)
    )


@delete("/api/v1/session", status_code=204, tags=["accounts"])
async def delete_session(request: ApiRequest) -> None:
    """Sign out: the session is over at once here, and everywhere within a second."""
    await sign_out_visitor(context_of(request.scope))


SESSION_HANDLERS = [create_session, delete_session]
