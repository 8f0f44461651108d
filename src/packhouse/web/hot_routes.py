"""The few routes that most requests are for, answered at the edge without the framework.

The newest page of the feed, the packs on sale, one's vault, the pages that show them, and the
opening of packs: the same functions give the same answers as behind the framework, which costs more
than they do. It stays the
one place where parameters are described and refused: whatever is not plainly right here is left to
it, by answering None.
"""

import re
from collections.abc import Awaitable, Callable, Hashable, Sequence
from functools import lru_cache
from typing import Final, TypeAlias, cast, get_args
from urllib.parse import parse_qsl

import msgspec

from packhouse.flows.open_pack import OpenPacks
from packhouse.foundation.limits import PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX
from packhouse.foundation.tiers import TIERS, Tier
from packhouse.house import House
from packhouse.vault import UserCardState, VaultFilter, VaultSort
from packhouse.web.answers import Answer
from packhouse.web.api.feed import FeedQuery, encode_feed_page
from packhouse.web.api.openings import open_packs_as_asked
from packhouse.web.api.packs import encode_pack, encode_packs
from packhouse.web.api.public_answers import FRESH_FOR_A_MOMENT
from packhouse.web.api.vault import VaultQuery, encode_vault_page
from packhouse.web.asgi import Headers, Receive, Scope
from packhouse.web.context import KEY, RequestContext
from packhouse.web.headers import HeaderReader
from packhouse.web.kept_answers import KeptAnswer, KeptAnswers
from packhouse.web.maintenance import ShopDoor
from packhouse.web.shop.feed import show_feed_page
from packhouse.web.shop.frame import Page, PageRequest
from packhouse.web.shop.packs import show_pack_page, show_shelf_page
from packhouse.web.shop.vault import show_vault_page
from packhouse.web.validation import decode_body

HotRoute: TypeAlias = Callable[
    [RequestContext, Scope, Receive, HeaderReader], Awaitable[Answer | None]
]

Key: TypeAlias = tuple[str, Hashable]

FEED: Final = "/api/v1/feed"
PACKS: Final = "/api/v1/packs"

QUERIES_KEPT: Final = 512

_JSON: Final = (b"content-type", b"application/json")
_CACHE: Final = (b"cache-control", FRESH_FOR_A_MOMENT.encode())
_PRIVATE: Final[Headers] = (_JSON,)
_HTML: Final[Headers] = ((b"content-type", b"text/html; charset=utf-8"),)
_HTML_FOR_STRANGERS: Final[Headers] = (
    *_HTML,
    (b"cache-control", b"public, max-age=0, s-maxage=1"),
    (b"vary", b"Cookie"),
)
"""Who has no session is shown what everybody like that is shown. A browser keeps none of it, so
that whoever signs in sees so at once; a cache between may, for those who bring no cookie either."""

_PACK: Final = re.compile(r"/api/v1/packs/([a-z0-9][a-z0-9-]{0,63})(/openings)?")

_PACK_PAGE: Final = re.compile(r"/packs/[a-z0-9][a-z0-9-]{0,63}")

_TIERS: Final[frozenset[str]] = frozenset(TIERS)
_STATES: Final[frozenset[str]] = frozenset(get_args(UserCardState))
_SORTS: Final[frozenset[str]] = frozenset(get_args(VaultSort))


class HotRoutes:
    """The hot routes of one process; ``defaults`` are the headers that every answer carries."""

    def __init__(self, house: House, *, defaults: Sequence[tuple[bytes, bytes]]) -> None:
        self._house = house
        self._kept = KeptAnswers()
        self._public_headers: Headers = (
            _JSON,
            _CACHE,
            *((name, value) for name, value in defaults if name != _CACHE[0]),
        )
        self._door = ShopDoor()
        self._routes: dict[tuple[str, str], HotRoute] = {
            ("GET", FEED): self._feed,
            ("GET", "/api/v1/vault"): self._vault,
            ("GET", PACKS): self._packs,
            ("GET", "/"): self._shelf_page,
            ("GET", "/feed"): self._feed_page,
            ("GET", "/vault"): self._vault_page,
        }

    def find(self, method: str, path: str) -> HotRoute | None:
        """What answers here, if this is one of the hot routes."""
        route = self._routes.get((method, path))
        if route is not None:
            return route
        match = _PACK.fullmatch(path)
        if match is None:
            is_page = method == "GET" and _PACK_PAGE.fullmatch(path) is not None
            return self._pack_page if is_page else None
        if match[2] is None:
            return self._pack if method == "GET" else None
        return self._open if method == "POST" else None

    def key_of(self, path: str, query: str) -> Key | None:
        """What a GET asks for, if that is something that everybody is told alike."""
        if path == FEED:
            asked = _read_feed_query(query)
            return None if asked is None else ("feed", asked)
        if query:
            return None
        if path == PACKS:
            return ("packs", None)
        match = _PACK.fullmatch(path)
        return None if match is None or match[2] is not None else ("pack", match[1])

    def find_ready(self, key: Key) -> KeptAnswer | None:
        """The answer that needs no look at anything, if there is one."""
        return self._kept.find_fresh((key, self._house.packs.changes))

    async def finish(self) -> None:
        """Wait for what is under way, at the end of the process."""
        await self._kept.finish()

    async def _feed(
        self, context: RequestContext, scope: Scope, _receive: Receive, headers: HeaderReader
    ) -> Answer | None:
        query = _read_feed_query(scope["query_string"].decode("latin-1"))
        if query is None:
            return None
        house = context.house
        return await self._public(("feed", query), lambda: encode_feed_page(house, query), headers)

    async def _packs(
        self, context: RequestContext, scope: Scope, _receive: Receive, headers: HeaderReader
    ) -> Answer | None:
        if scope["query_string"]:
            return None
        house = context.house
        return await self._public(("packs", None), lambda: encode_packs(house), headers)

    async def _pack(
        self, context: RequestContext, scope: Scope, _receive: Receive, headers: HeaderReader
    ) -> Answer | None:
        if scope["query_string"]:
            return None
        house, slug = context.house, _slug_of(scope)
        # Only what is on sale is kept, so that made-up names cannot fill the memory.
        pack = await house.packs.get_pack(house.database, slug)
        return await self._public(("pack", slug), lambda: encode_pack(house, pack), headers)

    async def _public(
        self,
        key: Key,
        build: Callable[[], Awaitable[bytes]],
        headers: HeaderReader,
    ) -> Answer:
        kept = self.find_ready(key)
        if kept is None:
            version = (key, self._house.packs.changes)
            kept = await self._kept.get(version, build, headers=self._public_headers)
        return kept.answer(
            accept_encoding=headers.text("accept-encoding"),
            if_none_match=headers.text("if-none-match"),
        )

    async def _vault(
        self, context: RequestContext, scope: Scope, _receive: Receive, _headers: HeaderReader
    ) -> Answer | None:
        query = _read_vault_query(scope["query_string"].decode("latin-1"))
        if query is None:
            return None
        viewer = context.require_viewer()
        body = await encode_vault_page(context.house, viewer.user_id, query)
        return Answer(status=200, body=body, headers=_PRIVATE)

    async def _shelf_page(
        self, context: RequestContext, scope: Scope, _receive: Receive, _headers: HeaderReader
    ) -> Answer | None:
        return await _page(context, scope, show_shelf_page)

    async def _feed_page(
        self, context: RequestContext, scope: Scope, _receive: Receive, _headers: HeaderReader
    ) -> Answer | None:
        return await _page(context, scope, show_feed_page)

    async def _vault_page(
        self, context: RequestContext, scope: Scope, _receive: Receive, _headers: HeaderReader
    ) -> Answer | None:
        if context.viewer is None:
            # The framework shows the way to the sign-in.
            return None
        return await _page(context, scope, show_vault_page)

    async def _pack_page(
        self, context: RequestContext, scope: Scope, _receive: Receive, _headers: HeaderReader
    ) -> Answer | None:
        slug = scope["path"].rpartition("/")[2]
        return await _page(context, scope, lambda request: show_pack_page(request, slug))

    async def _open(
        self, context: RequestContext, scope: Scope, receive: Receive, headers: HeaderReader
    ) -> Answer | None:
        content_type = headers.text("content-type")
        if scope["query_string"] or content_type is None or not _is_json(content_type):
            return None
        await self._door.require_open(context.house)
        wanted = decode_body(await _read_body(receive), OpenPacks)
        opened = await open_packs_as_asked(
            context, _slug_of(scope), wanted, headers.text("idempotency-key")
        )
        return Answer(status=201, body=msgspec.json.encode(opened), headers=_PRIVATE)


async def _page(
    context: RequestContext, scope: Scope, show: Callable[[PageRequest], Awaitable[Page]]
) -> Answer | None:
    if scope["query_string"]:
        return None
    scope[KEY] = context
    shown = await show(PageRequest(scope))  # type: ignore[arg-type]  # the framework's own scope
    # A cookie that is no session any more is one all the same: no cache could tell.
    headers = _HTML if context.token_hash is not None else _HTML_FOR_STRANGERS
    return Answer(status=shown.status_code or 200, body=shown.content.encode(), headers=headers)


def _slug_of(scope: Scope) -> str:
    path: str = scope["path"]
    return path.split("/", 5)[4]


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "application/json"


async def _read_body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return body
    parts = [body]
    while message.get("more_body", False):
        message = await receive()
        parts.append(message.get("body", b""))
    return b"".join(parts)


@lru_cache(QUERIES_KEPT)
def _read_feed_query(query: str) -> FeedQuery | None:
    """A newest page of the feed, if that is all it asks for; None for everything else."""
    values = _read_values(query, {"tier", "limit"})
    if values is None:
        return None
    tier, limit = values.get("tier"), _read_limit(values.get("limit"))
    if limit is None or (tier is not None and tier not in _TIERS):
        return None
    return FeedQuery(tier=cast("Tier | None", tier), limit=limit, before=None)


@lru_cache(QUERIES_KEPT)
def _read_vault_query(query: str) -> VaultQuery | None:
    """The first page of a vault; pages further on are asked for seldom."""
    values = _read_values(query, {"tier", "state", "sort", "limit"})
    if values is None:
        return None
    tier, state = values.get("tier"), values.get("state")
    sort, limit = values.get("sort", "newest"), _read_limit(values.get("limit"))
    if limit is None or sort not in _SORTS:
        return None
    if (tier is not None and tier not in _TIERS) or (state is not None and state not in _STATES):
        return None
    wanted = VaultFilter(
        tier=cast("Tier | None", tier),
        state=cast("UserCardState | None", state),
        sort=cast("VaultSort", sort),
    )
    return VaultQuery(wanted=wanted, limit=limit, after=None)


def _read_values(query: str, known: set[str]) -> dict[str, str] | None:
    if not query:
        return {}
    pairs = parse_qsl(query, keep_blank_values=True)
    values = dict(pairs)
    return values if len(values) == len(pairs) and values.keys() <= known else None


def _read_limit(text: str | None) -> int | None:
    if text is None:
        return PAGE_LIMIT_DEFAULT
    if not text.isascii() or not text.isdecimal() or not 1 <= len(text) <= 3:
        return None
    limit = int(text)
    return limit if 1 <= limit <= PAGE_LIMIT_MAX else None
