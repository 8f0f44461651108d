"""Pages: templates with what every page knows, so that no page can forget it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import jinja2
import msgspec
from litestar import Request, Response
from litestar.enums import MediaType
from markupsafe import Markup

from packhouse import wallet
from packhouse.foundation.errors import FieldError
from packhouse.foundation.money import format_minor
from packhouse.foundation.tiers import TIERS
from packhouse.foundation.time import to_rfc3339
from packhouse.web.assets import StaticFiles
from packhouse.web.context import RequestContext, context_of
from packhouse.web.errors import Problem


class PageViewer(msgspec.Struct, frozen=True):
    """Who looks, as templates know them."""

    username: str
    role: str
    balance: int


class Flash(msgspec.Struct, frozen=True):
    """A sentence shown once at the top of a page. ``kind``: info, success, warning or error."""

    kind: str
    text: str


@cache
def static_files() -> StaticFiles:
    """The assets of this process."""
    return StaticFiles()


@cache
def environment() -> jinja2.Environment:
    """The template environment: escapes everything, and refuses names that nobody gave."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("packhouse.web"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals |= {"asset": static_files().url_of, "money": format_minor, "TIERS": TIERS}
    made.filters |= {"rfc3339": to_rfc3339, "t_ago": _ago}
    return made


async def page(
    request: Request[Any, Any, Any],
    template: str,
    values: Mapping[str, Any] | None = None,
    *,
    status: int = 200,
    flash: Sequence[Flash] = (),
) -> Response[str]:
    """Render a template for whoever looks; the balance shown is read anew."""
    context = context_of(request.scope)
    viewer = await _page_viewer(context)
    text = (
        environment()
        .get_template(template)
        .render(_frame(request.scope, context, viewer, flash) | dict(values or {}))
    )
    return Response(content=text, media_type=MediaType.HTML, status_code=status)


def render_part(template: str, values: Mapping[str, Any]) -> Markup:
    """A piece of a page that is the same for everybody, and so knows nothing of who looks."""
    return Markup(environment().get_template(template).render(values))  # noqa: S704 - it escapes


def render_problem(
    problem: Problem,
    errors: Sequence[FieldError],
    scope: Mapping[str, Any],
    context: RequestContext,
) -> bytes:
    """The friendly page of an error; it works without database and cache."""
    frame = _frame(scope, context, None, ())
    text = (
        environment()
        .get_template("problem.html")
        .render(frame | {"problem": problem, "errors": errors})
    )
    return text.encode()


def _frame(
    scope: Mapping[str, Any],
    context: RequestContext,
    viewer: PageViewer | None,
    flash: Sequence[Flash],
) -> dict[str, Any]:
    return {
        "shop_name": context.house.settings.shop_name,
        "viewer": viewer,
        "path": scope["path"],
        "flash": flash,
        "request_id": context.request_id,
    }


async def _page_viewer(context: RequestContext) -> PageViewer | None:
    viewer = context.viewer
    if viewer is None:
        return None
    async with context.house.database.connection() as connection:
        purse = await wallet.find_wallet(connection, viewer.user_id)
    return PageViewer(
        username=viewer.username, role=viewer.role, balance=0 if purse is None else purse.balance
    )


def _ago(moment: datetime) -> str:
    seconds = int((datetime.now(UTC) - moment).total_seconds())
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {word}{'s' if count > 1 else ''} ago"
    return "just now"
