"""The door to the operators' side, pages and API alike: staff come in, and each call is noted."""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from packhouse.flows.record_staff_call import RecordStaffCall, record_staff_call
from packhouse.web.context import context_of


async def staff_only(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """A Litestar guard: lets staff and owners in and writes the call to the audit log first.

    Raises ``NotSignedIn``, ``AccountSuspended`` or ``Forbidden``.
    """
    context = context_of(connection.scope)
    context.require_staff()
    await record_staff_call(
        context.house,
        RecordStaffCall(
            actor=context.actor(),
            method=str(connection.scope.get("method", "")),
            path=connection.scope["path"],
        ),
    )
