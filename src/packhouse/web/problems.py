"""What an error looks like: RFC 9457 for clients, a friendly page for people."""

from collections.abc import Mapping
from typing import Any

from packhouse.foundation.errors import Breach, InvalidInput, PackhouseError
from packhouse.web.answers import Answer
from packhouse.web.context import RequestContext
from packhouse.web.errors import json_problem, problem_of, retry_headers
from packhouse.web.pages import render_problem


def problem_answer(
    error: PackhouseError | None, scope: Mapping[str, Any], context: RequestContext
) -> Answer:
    """What an error looks like: RFC 9457 for clients, a page for people. None is a bug of ours."""
    known = error or Breach("unexpected")
    if not wants_page(scope):
        return json_problem(known, request_id=context.request_id)
    problem = problem_of(known, request_id=context.request_id)
    errors = error.errors if isinstance(error, InvalidInput) else ()
    return Answer(
        status=problem.status,
        body=render_problem(problem, errors, scope, context),
        headers=(*retry_headers(known), (b"content-type", b"text/html; charset=utf-8")),
    )


def wants_page(scope: Mapping[str, Any]) -> bool:
    """Whether whoever asks is a person with a browser on a page, and no API client."""
    if scope["path"].startswith(("/api/", "/log/", "/health/", "/metrics")):
        return False
    accept = dict(scope["headers"]).get(b"accept", b"")
    return b"text/html" in accept or b"application/json" not in accept
