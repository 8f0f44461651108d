"""What API handlers share: the request's type, and the headers and parameters of the contract."""

from typing import Annotated

from litestar import Request
from litestar.datastructures import State
from litestar.params import HeaderParameter, QueryParameter

from packhouse.accounts import SessionUser
from packhouse.foundation.limits import PAGE_LIMIT_MAX

ApiRequest = Request[SessionUser, None, State]

IdempotencyKey = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        description="A text of your own, new for each purchase; 255 characters at most.",
    ),
]

Limit = Annotated[int, QueryParameter(ge=1, le=PAGE_LIMIT_MAX)]
"""How many results a page has."""
