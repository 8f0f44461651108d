"""What all operator pages share: the counts in the rail, sentences after an act, lists in pages."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from litestar import Response
from litestar.response import Redirect

from packhouse import shipping
from packhouse.foundation.errors import PackhouseError, Refusal
from packhouse.plumbing.dead_letters import count_dead_letters
from packhouse.web.context import context_of
from packhouse.web.errors import status_of
from packhouse.web.operator.forms import Form, PageRequest, clean, query_of
from packhouse.web.pages import Flash, page

SEARCH_LENGTH_MAX: Final = 100

Page = Response[Any]


async def operator_page(
    request: PageRequest,
    template: str,
    values: Mapping[str, Any],
    *,
    form: Form | None = None,
    error: Refusal | None = None,
    done: Mapping[str, str] | None = None,
) -> Page:
    """Render a page with the work waiting in the rail.

    ``form`` is what was typed, shown again with its problems; with ``error`` (or problems) the
    answer has the status of a refusal. ``done`` has this page's sentences for ``?done=``.
    """
    house = context_of(request.scope).house
    form = Form() if form is None else form
    if error is not None:
        form.add_refusal(error)
    async with house.database.reading() as connection:
        counts = await shipping.count_shipping_requests(connection, ("pending", "packing"))
        dead = await count_dead_letters(connection)
    waiting = sum(counts.values())
    frame = {
        "rail_counts": {"/admin/shipping": waiting, "/admin/jobs": dead},
        "form": form,
        "problems": form.problems,
        "summary": form.summary,
    }
    return await page(
        request,
        f"operator/{template}",
        {**frame, **values},
        status=_status(error, form),
        flash=_done_flash(request, done or {}),
    )


def search_of(request: PageRequest, *names: str) -> dict[str, str]:
    """These values of the query string, cleaned; empty where one was not given."""
    query = query_of(request)
    return {name: clean(query.get(name, "")).strip()[:SEARCH_LENGTH_MAX] for name in names}


def address(path: str, **query: str | int | None) -> str:
    """``path`` with those query values that say something."""
    said = {name: value for name, value in query.items() if value not in (None, "")}
    return f"{path}?{urlencode(said)}" if said else path


def back_to(path: str, **query: str | int | None) -> Page:
    """After an act: 303 to a page, so that reloading it does nothing twice."""
    return Redirect(address(path, **query), status_code=303)


def list_options(pairs: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """``(value, label)`` pairs as a select field takes them."""
    return [{"value": value, "label": label} for value, label in pairs]


def _done_flash(request: PageRequest, sentences: Mapping[str, str]) -> list[Flash]:
    # Only sentences of the page itself are shown: a link cannot put words into the shop's mouth.
    query = query_of(request)
    sentence = sentences.get(query.get("done", ""))
    if sentence is None or request.method != "GET":
        return []
    count = query.get("count", "")
    number = f"{int(count):,}" if count.isdecimal() and len(count) < 10 and count.isascii() else "?"
    kind = "info" if query.get("done", "").startswith("none_") else "success"
    return [Flash(kind=kind, text=sentence.format(count=number))]


def _status(error: PackhouseError | None, form: Form) -> int:
    if error is not None:
        return status_of(error)
    return 422 if form.problems else 200
