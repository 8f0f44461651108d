"""Pages: templates with what every page knows, so that no page can forget it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache, partial
from typing import Any, Final

import jinja2
import msgspec
from litestar import Request, Response
from litestar.enums import MediaType
from markupsafe import Markup

from packhouse import wallet
from packhouse.foundation.errors import FieldError
from packhouse.foundation.identifiers import UserId
from packhouse.foundation.money import format_minor
from packhouse.foundation.tiers import TIERS
from packhouse.foundation.time import to_rfc3339
from packhouse.house import House
from packhouse.plumbing.picture_forms import sources_of
from packhouse.web.assets import StaticFiles
from packhouse.web.context import RequestContext, context_of
from packhouse.web.errors import Problem
from packhouse.web.reading import read_together

PIECES: Final[Mapping[str, Sequence[str]]] = {
    "parts/page.html": ("icon", "element", "amount", "copyable"),
    "parts/tier.html": ("tier_badge", "tier_tabs"),
    "parts/card.html": ("card_picture", "card_words", "card_before_choice", "card_after_choice"),
    "parts/pack.html": ("pack_tile",),
    "parts/pull.html": ("feed_item",),
    "parts/brand.html": ("brand",),
    "parts/frame.html": ("head", "navigation", "tabbar", "more_links", "account_links"),
}
"""Macros whose words follow from their arguments alone, and say nothing of one person: rendered
once for the same ones, because calling a macro costs ten times what finding its words does. Those
that others use come first."""

PIECES_KEPT: Final = 2_048
"""Of each macro; a piece has some 500 bytes."""

SECTIONS: Final = (
    "/feed",
    "/vault",
    "/wallet",
    "/shipping",
    "/fairness",
    "/account",
    "/sign-in",
    "/sign-up",
)


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
def environment(assets_url: str = "") -> jinja2.Environment:
    """The template environment: escapes everything, and refuses names that nobody gave.

    ``assets_url`` is the CDN from which browsers get assets, if there is one.
    """
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("packhouse.web"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals |= {
        "asset": partial(static_files().url_of, origin=assets_url),
        "money": format_minor,
        "section_of": _section_of,
        "picture_sources": sources_of,
        "TIERS": TIERS,
    }
    made.filters |= {"rfc3339": to_rfc3339, "t_ago": _ago}
    for path, names in PIECES.items():
        module = made.get_template(path).module
        for name in names:
            setattr(module, name, lru_cache(PIECES_KEPT)(getattr(module, name)))
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
        environment(context.house.settings.assets_url or "")
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
        environment(context.house.settings.assets_url or "")
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


def _section_of(path: str) -> str:
    """The link of the navigation that leads to where a page is."""
    if path == "/" or path.startswith(("/packs", "/openings")):
        return "/"
    return next((section for section in SECTIONS if path.startswith(section)), "")


async def _page_viewer(context: RequestContext) -> PageViewer | None:
    viewer = context.viewer
    if viewer is None:
        return None
    balance = await read_together(
        context.house, viewer.user_id, question="balances", read=_list_balances
    )
    return PageViewer(username=viewer.username, role=viewer.role, balance=balance)


async def _list_balances(house: House, user_ids: Sequence[UserId]) -> list[int]:
    async with house.database.reading() as connection:
        balances = await wallet.list_balances(connection, user_ids)
    return [balances.get(user_id, 0) for user_id in user_ids]


def _ago(moment: datetime) -> str:
    seconds = int((datetime.now(UTC) - moment).total_seconds())
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {word}{'s' if count > 1 else ''} ago"
    return "just now"
