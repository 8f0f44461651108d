"""What an error looks like: RFC 9457 for clients, a friendly page for people."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from packhouse.foundation.errors import Breach, InvalidInput, PackhouseError
from packhouse.web.answers import Answer
from packhouse.web.context import RequestContext
from packhouse.web.errors import problem_of, retry_after_of
from packhouse.web.pages import render_problem

PROBLEM: Final = b"application/problem+json"


def problem_answer(
    error: PackhouseError | None, scope: Mapping[str, Any], context: RequestContext
) -> Answer:
    """What an error looks like: RFC 9457 for clients, a page for people. None is a bug of ours."""
    problem = problem_of(error or Breach("unexpected"), request_id=context.request_id)
    headers: list[tuple[bytes, bytes]] = []
    retry_after = None if error is None else retry_after_of(error)
    if retry_after is not None:
        headers.append((b"retry-after", str(retry_after).encode()))
    if wants_page(scope):
        errors = error.errors if isinstance(error, InvalidInput) else ()
        body = render_problem(problem, errors, scope, context)
        headers.append((b"content-type", b"text/html; charset=utf-8"))
    else:
        body = msgspec.json.encode(problem)
        headers.append((b"content-type", PROBLEM))
    return Answer(status=problem.status, body=body, headers=tuple(headers))


def wants_page(scope: Mapping[str, Any]) -> bool:
    """Whether whoever asks is a person with a browser on a page, and no API client."""
    if scope["path"].startswith(("/api/", "/log/", "/health/", "/metrics")):
        return False
    accept = dict(scope["headers"]).get(b"accept", b"")
    return b"text/html" in accept or b"application/json" not in accept
