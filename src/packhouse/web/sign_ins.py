"""Signing in and out over HTTP, the same for API and pages: limits, the flow, the cookie.

The address's limit slows someone who tries many accounts, the account's limit slows many who try
one. A right password gives its attempt back, so that only wrong ones add up.
"""

import hashlib

from packhouse import accounts
from packhouse.flows.register import Register, register
from packhouse.flows.sign_in import SignedIn, SignIn, sign_in
from packhouse.flows.sign_out import SignOut, sign_out
from packhouse.web.addresses import limit_key
from packhouse.web.context import RequestContext
from packhouse.web.errors import RateLimited
from packhouse.web.session import ended_cookie, session_cookie


async def sign_in_visitor(context: RequestContext, command: SignIn) -> SignedIn:
    """Sign in within the limits and set the cookie.

    Raises ``RateLimited``, ``BadCredentials``, ``AccountSuspended``.
    """
    settings = context.house.settings
    limits = {
        f"sign_in:address:{limit_key(context.address)}": settings.rate_limit_sign_in_address,
        f"sign_in:account:{account_key(command.email)}": settings.rate_limit_sign_in_account,
    }
    for key, rate in limits.items():
        verdict = await context.limiter.hit(key, rate)
        if verdict.is_refused:
            minutes = -(-verdict.reset_seconds // 60)
            raise RateLimited(
                "Too many attempts to sign in. Wait"
                f" {minutes} minute{'' if minutes == 1 else 's'} and try again.",
                retry_after_seconds=verdict.reset_seconds,
            )
    signed_in = await sign_in(context.house, command)
    for key in limits:
        await context.limiter.give_back(key)
    _set_cookie(context, signed_in)
    return signed_in


async def register_visitor(context: RequestContext, command: Register) -> SignedIn:
    """Make an account and set the cookie. Raises what ``register`` raises."""
    signed_in = await register(context.house, command)
    _set_cookie(context, signed_in)
    return signed_in


async def sign_out_visitor(context: RequestContext) -> None:
    """End the session, if there is one, and the cookie."""
    if context.token_hash is not None:
        await sign_out(context.house, SignOut(context.token_hash))
    context.new_cookie = ended_cookie(context.house.settings)


def account_key(email: str) -> str:
    """The account in the name of a limit."""
    # Hashed, because the cache is no place for addresses.
    return hashlib.sha256(accounts.email_key(email).encode("utf-8", "surrogatepass")).hexdigest()


def _set_cookie(context: RequestContext, signed_in: SignedIn) -> None:
    context.new_cookie = session_cookie(signed_in.token, context.house.settings)
