"""Packs on sale over the API, with everything that a buyer may know before paying."""

from litestar import Response, get
from litestar.params import FromPath

from packhouse.web.api.pages_of_results import ResultPage
from packhouse.web.api.public_answers import UNCHANGED, public_answer
from packhouse.web.api.published_packs import PublishedPack, PublishedPacks
from packhouse.web.api.requests import ApiRequest
from packhouse.web.context import context_of

_published = PublishedPacks()


@get("/api/v1/packs", tags=["packs"], responses=UNCHANGED)
async def list_packs(request: ApiRequest) -> Response[ResultPage[PublishedPack]]:
    """Every pack on sale, in the shop's order, with its odds: all on one page."""
    house = context_of(request.scope).house
    packs = await house.packs.list_packs(house.database)
    items = [await _published.show(house, pack) for pack in packs]
    return public_answer(request, ResultPage(items=tuple(items), next_cursor=None))


@get("/api/v1/packs/{slug:str}", tags=["packs"], responses=UNCHANGED)
async def get_pack(request: ApiRequest, slug: FromPath[str]) -> Response[PublishedPack]:
    """One pack on sale, with its odds."""
    house = context_of(request.scope).house
    pack = await house.packs.get_pack(house.database, slug)
    return public_answer(request, await _published.show(house, pack))


PACK_HANDLERS = [list_packs, get_pack]
