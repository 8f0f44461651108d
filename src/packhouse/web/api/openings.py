"""Opening packs over the API, and reading what was opened."""

from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from packhouse import draws
from packhouse.draws import Receipt
from packhouse.flows.open_pack import OpenPack, OpenPacks, open_pack
from packhouse.flows.read_receipt import read_receipt
from packhouse.flows.settle_openings import OpenedPacks
from packhouse.foundation.identifiers import OpeningId
from packhouse.plumbing.idempotency import recognise
from packhouse.web.api.pages_of_results import ResultPage, page_of
from packhouse.web.api.public_answers import UNCHANGED, public_answer
from packhouse.web.api.requests import ApiRequest, IdempotencyKey, Limit
from packhouse.web.context import RequestContext, context_of
from packhouse.web.queries import read_cursor


async def open_packs_as_asked(
    context: RequestContext, slug: str, data: OpenPacks, idempotency_key: str | None
) -> OpenedPacks:
    """Open packs for whoever is signed in; raises what ``open_pack`` does."""
    viewer = context.require_viewer()
    repeat = recognise(
        user_id=viewer.user_id,
        route=f"POST /api/v1/packs/{slug}/openings",
        key=idempotency_key,
        request=data,
    )
    command = OpenPack(
        user_id=viewer.user_id,
        slug=slug,
        request=data,
        repeat=repeat,
        token_hash=context.token_hash,
    )
    return await open_pack(context.house, command)


@post("/api/v1/packs/{slug:str}/openings", status_code=201, tags=["packs"])
async def create_openings(
    request: ApiRequest,
    slug: FromPath[str],
    data: JSONBody[OpenPacks],
    idempotency_key: IdempotencyKey = None,
) -> OpenedPacks:
    """Open a pack up to ten times: paid once, drawn once, recorded once."""
    return await open_packs_as_asked(context_of(request.scope), slug, data, idempotency_key)


@get("/api/v1/openings", tags=["openings"])
async def list_openings(
    request: ApiRequest, limit: Limit = 20, cursor: FromQuery[str | None] = None
) -> ResultPage[Receipt]:
    """Your own openings, newest first."""
    context = context_of(request.scope)
    viewer = context.require_viewer()
    async with context.house.database.reading() as connection:
        receipts = await draws.list_openings(
            connection,
            user_id=viewer.user_id,
            before=read_cursor(cursor, UUID),
            limit=limit + 1,
        )
    return page_of(receipts, limit=limit, position=lambda receipt: receipt.id)


@get("/api/v1/openings/{opening_id:uuid}", tags=["openings"], responses=UNCHANGED)
async def get_opening(request: ApiRequest, opening_id: FromPath[UUID]) -> Response[Receipt]:
    """One opening's public receipt, readable by anyone who has its id."""
    context = context_of(request.scope)
    receipt = await read_receipt(context.house, OpeningId(opening_id), viewer=context.viewer)
    return public_answer(request, receipt)


OPENING_HANDLERS = [create_openings, list_openings, get_opening]
