"""The one table that gives every error a status; a test proves it complete."""

from collections.abc import Mapping
from typing import Final

import msgspec

from packhouse.foundation.errors import FieldError, InvalidInput, Outage, PackhouseError, Refusal
from packhouse.web.answers import Answer

PROBLEM: Final = b"application/problem+json"

STATUSES: Final[Mapping[str, int]] = {
    "account_closed": 409,
    "account_suspended": 403,
    "already_suspended": 409,
    "bad_credentials": 401,
    "bad_cursor": 400,
    "bad_transition": 409,
    "card_not_in_vault": 409,
    "card_not_shippable": 409,
    "cards_left": 409,
    "credits_left": 409,
    "cross_site_request": 403,
    "destination_not_served": 409,
    "email_taken": 409,
    "forbidden": 403,
    "head_too_large": 431,
    "idempotency_key_required": 400,
    "idempotency_key_reused": 409,
    "import_refused": 422,
    "import_running": 409,
    "insufficient_credits": 402,
    "invalid_input": 422,
    "invalid_settings": 400,
    "job_waits_already": 409,
    "last_owner": 409,
    "mail_refused": 409,
    "malformed_request": 400,
    "method_not_allowed": 405,
    "no_owner": 404,
    "not_found": 404,
    "not_served_here": 404,
    "no_cluster": 409,
    "not_migrated": 409,
    "not_signed_in": 401,
    "not_suspended": 409,
    "pack_changed": 409,
    "pack_not_found": 404,
    "parcel_too_heavy": 409,
    "parcel_too_valuable": 409,
    "parcels_underway": 409,
    "payments_unavailable": 409,
    "picture_refused": 422,
    "rate_limited": 429,
    "reason_required": 422,
    "refused": 400,
    "registrations_closed": 403,
    "sell_back_closed": 409,
    "slug_taken": 409,
    "sold_out": 409,
    "staff_cannot_open_packs": 403,
    "stock_missing": 409,
    "stock_not_movable": 409,
    "too_large": 413,
    "unsupported_media_type": 415,
    "username_taken": 409,
}

TITLES: Final[Mapping[int, str]] = {
    400: "Bad request",
    401: "Sign in first",
    402: "Not enough credits",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Too large",
    415: "Unsupported media type",
    422: "Invalid input",
    429: "Too many requests",
    431: "Head too large",
    500: "Something broke on our side",
    503: "Away for a moment",
}


class Malformed(Refusal):
    """The request is not JSON, not UTF-8, or not HTTP as it should be."""

    code = "malformed_request"


class TooLarge(Refusal):
    """The body is larger than the shop reads."""

    code = "too_large"


class HeadTooLarge(Refusal):
    """The request line and headers are longer than the shop reads."""

    code = "head_too_large"


class CrossSite(Refusal):
    """A page of another site tried to write here in the visitor's name."""

    code = "cross_site_request"


class RateLimited(Refusal):
    """Too many requests in the window."""

    code = "rate_limited"


class MethodNotAllowed(Refusal):
    """The address exists, but not for this method."""

    code = "method_not_allowed"


class ShopClosed(Outage):
    """The operator has put the shop into maintenance."""

    code = "shop_closed"
    retry_after_seconds = 60


class ShopBusy(Outage):
    """As many requests are being worked on as may be; this one was not begun."""

    code = "shop_busy"


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """An RFC 9457 problem; ``code`` is stable, ``detail`` is for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: tuple[FieldError, ...] = ()


def status_of(error: PackhouseError) -> int:
    """The HTTP status of an error."""
    if isinstance(error, Outage):
        return 503
    if isinstance(error, Refusal):
        return STATUSES[error.code]
    return 500


def problem_of(error: PackhouseError, *, request_id: str) -> Problem:
    """The problem answer of an error; a breach tells nothing but its request id."""
    status = status_of(error)
    detail = error.message
    if status == 500:
        detail = "This is our fault and has been noted. Tell us the request id if it happens again."
    return Problem(
        type=f"/docs/errors#{error.code}",
        title=TITLES[status],
        status=status,
        detail=detail,
        code=error.code,
        request_id=request_id,
        errors=error.errors if isinstance(error, InvalidInput) else (),
    )


def retry_after_of(error: PackhouseError) -> int | None:
    """Seconds after which trying again makes sense, for ``Retry-After``."""
    if isinstance(error, Outage):
        return error.retry_after_seconds
    seconds = error.fields.get("retry_after_seconds")
    return seconds if isinstance(seconds, int) else None


def json_problem(error: PackhouseError, *, request_id: str) -> Answer:
    """The whole answer for clients that are no browser on a page."""
    problem = problem_of(error, request_id=request_id)
    headers = (*retry_headers(error), (b"content-type", PROBLEM))
    return Answer(status=problem.status, body=msgspec.json.encode(problem), headers=headers)


def retry_headers(error: PackhouseError) -> tuple[tuple[bytes, bytes], ...]:
    """``Retry-After``, where trying again makes sense."""
    seconds = retry_after_of(error)
    return () if seconds is None else ((b"retry-after", str(seconds).encode()),)
