"""What the edge knows of a request, and how everything behind it asks."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from packhouse import accounts
from packhouse.accounts import SessionUser
from packhouse.house import House
from packhouse.plumbing.audit import Actor
from packhouse.plumbing.rate_limits import RateLimiter

KEY: Final = "packhouse"


class RequestContext(msgspec.Struct, eq=False):
    """One request: its id, whose address it comes from, and who is signed in."""

    house: House
    limiter: RateLimiter
    request_id: str
    address: str
    token_hash: bytes | None = None
    viewer: SessionUser | None = None
    new_cookie: str | None = None

    def require_viewer(self) -> SessionUser:
        """Whoever is signed in and may act. Raises ``NotSignedIn`` or ``AccountSuspended``."""
        return accounts.require_may_act(self.viewer)

    def require_staff(self) -> SessionUser:
        """Staff or an owner. Raises ``NotSignedIn``, ``AccountSuspended``, ``Forbidden``."""
        return accounts.require_role(self.viewer, "staff", "owner")

    def actor(self) -> Actor:
        """Who acts, for the audit log."""
        viewer = self.require_viewer()
        return Actor(user_id=viewer.user_id, username=viewer.username, request_id=self.request_id)


def context_of(scope: Mapping[str, Any]) -> RequestContext:
    """The context that the edge put into the scope."""
    context: RequestContext = scope[KEY]
    return context
