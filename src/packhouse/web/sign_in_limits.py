"""Sign-in attempts, limited by address and by account, for the API and for the page alike.

The address's limit slows someone who tries many accounts, the account's limit slows many who try
one. A right password gives the account's attempt back, so that only wrong ones add up.
"""

import hashlib

from packhouse import accounts
from packhouse.flows.sign_in import SignedIn, SignIn, sign_in
from packhouse.web.addresses import limit_key
from packhouse.web.context import RequestContext
from packhouse.web.errors import RateLimited


async def limited_sign_in(context: RequestContext, command: SignIn) -> SignedIn:
    """Sign in. Raises ``RateLimited``, ``BadCredentials``, ``AccountSuspended``."""
    settings = context.house.settings
    by_address = f"sign_in:address:{limit_key(context.address)}"
    by_account = f"sign_in:account:{_account_key(command.email)}"
    for key, rate in (
        (by_address, settings.rate_limit_sign_in_address),
        (by_account, settings.rate_limit_sign_in_account),
    ):
        verdict = await context.limiter.hit(key, rate)
        if verdict.is_refused:
            minutes = -(-verdict.reset_seconds // 60)
            raise RateLimited(
                "Too many attempts to sign in. Wait"
                f" {minutes} minute{'' if minutes == 1 else 's'} and try again.",
                retry_after_seconds=verdict.reset_seconds,
            )
    signed_in = await sign_in(context.house, command)
    await context.limiter.give_back(by_account)
    return signed_in


def _account_key(email: str) -> str:
    # Hashed, because the cache is no place for addresses.
    return hashlib.sha256(accounts.email_key(email).encode("utf-8", "surrogatepass")).hexdigest()
