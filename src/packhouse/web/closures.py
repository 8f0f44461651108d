"""Closing one's account over HTTP, the same for API and page: the limit, the flow, the cookie.

A stolen session must not become a way to try passwords: attempts count with those to sign in.
"""

from packhouse.flows.close_account import CloseAccount, ClosedAccount, Forfeit, close_account
from packhouse.plumbing.idempotency import recognise
from packhouse.web.context import RequestContext
from packhouse.web.errors import RateLimited
from packhouse.web.session import ended_cookie
from packhouse.web.sign_ins import account_key


async def close_visitor_account(
    context: RequestContext, *, password: str, forfeit: Forfeit, route: str, key: str | None
) -> ClosedAccount:
    """Close the account of who is signed in, and end the cookie.

    Raises what ``close_account`` raises, and ``RateLimited``.
    """
    viewer = context.require_viewer()
    # What is kept of a request for ever is a hash of it: the password has no part in that.
    repeat = recognise(user_id=viewer.user_id, route=route, key=key, request=forfeit)
    limit = f"sign_in:account:{account_key(viewer.email)}"
    verdict = await context.limiter.hit(limit, context.house.settings.rate_limit_sign_in_account)
    if verdict.is_refused:
        raise RateLimited(
            "Too many attempts with a password. Wait a little before the next one.",
            retry_after_seconds=verdict.reset_seconds,
        )
    command = CloseAccount(
        user_id=viewer.user_id,
        password=password,
        forfeit=forfeit,
        actor=context.actor(),
        repeat=repeat,
    )
    closed = await close_account(context.house, command)
    await context.limiter.give_back(limit)
    context.new_cookie = ended_cookie(context.house.settings)
    return closed
