"""Packs on sale over the API, with everything that a buyer may know before paying."""

from typing import cast

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from packhouse.draws import ShelvedPack
from packhouse.house import House
from packhouse.web.api.pages_of_results import ResultPage
from packhouse.web.api.public_answers import UNCHANGED, public_answer
from packhouse.web.api.published_packs import PublishedPack, PublishedPacks
from packhouse.web.api.requests import ApiRequest
from packhouse.web.context import context_of

_published = PublishedPacks()


async def encode_packs(house: House) -> bytes:
    """Every pack on sale as JSON, for everybody who asks at this moment."""
    packs = await house.packs.list_packs(house.database)
    items = [await _published.show(house, pack) for pack in packs]
    return msgspec.json.encode(ResultPage(items=tuple(items), next_cursor=None))


async def encode_pack(house: House, pack: ShelvedPack) -> bytes:
    """One pack as JSON, likewise."""
    return msgspec.json.encode(await _published.show(house, pack))


@get("/api/v1/packs", tags=["packs"], responses=UNCHANGED)
async def list_packs(request: ApiRequest) -> Response[ResultPage[PublishedPack]]:
    """Every pack on sale, in the shop's order, with its odds: all on one page."""
    body = await encode_packs(context_of(request.scope).house)
    return cast("Response[ResultPage[PublishedPack]]", public_answer(request, body))


@get("/api/v1/packs/{slug:str}", tags=["packs"], responses=UNCHANGED)
async def get_pack(request: ApiRequest, slug: FromPath[str]) -> Response[PublishedPack]:
    """One pack on sale, with its odds."""
    house = context_of(request.scope).house
    pack = await house.packs.get_pack(house.database, slug)
    return cast("Response[PublishedPack]", public_answer(request, await encode_pack(house, pack)))


PACK_HANDLERS = [list_packs, get_pack]
