"""The wallet over the API: its entries, and buying credits."""

from litestar import get, post
from litestar.params import FromQuery, JSONBody

from packhouse import wallet
from packhouse.flows.top_up import BuyCredits, ToppedUp, TopUpRequest, top_up
from packhouse.foundation.limits import PAGE_LIMIT_DEFAULT
from packhouse.plumbing.idempotency import recognise
from packhouse.wallet import LedgerEntry
from packhouse.web.api.pages_of_results import ResultPage, SequencePosition, page_of
from packhouse.web.api.requests import ApiRequest, IdempotencyKey, Limit
from packhouse.web.context import context_of
from packhouse.web.queries import read_cursor


@get("/api/v1/wallet/entries", tags=["wallet"])
async def list_wallet_entries(
    request: ApiRequest, limit: Limit = PAGE_LIMIT_DEFAULT, cursor: FromQuery[str | None] = None
) -> ResultPage[LedgerEntry]:
    """Everything that ever moved your balance, newest first; amounts signed, in minor units."""
    context = context_of(request.scope)
    viewer = context.require_viewer()
    after = read_cursor(cursor, SequencePosition)
    async with context.house.database.reading() as connection:
        entries = await wallet.list_ledger_entries(
            connection,
            user_id=viewer.user_id,
            before=None if after is None else after.sequence,
            limit=limit + 1,
        )
    return page_of(entries, limit=limit, position=lambda entry: SequencePosition(entry.sequence))


@post("/api/v1/wallet/top-ups", status_code=201, tags=["wallet"])
async def create_top_up(
    request: ApiRequest, data: JSONBody[TopUpRequest], idempotency_key: IdempotencyKey = None
) -> ToppedUp:
    """Buy credits. While ``status`` is ``pending``, ``checkout_url`` is where to pay."""
    context = context_of(request.scope)
    viewer = context.require_viewer()
    repeat = recognise(
        user_id=viewer.user_id,
        route="POST /api/v1/wallet/top-ups",
        key=idempotency_key,
        request=data,
    )
    command = BuyCredits(user_id=viewer.user_id, request=data, repeat=repeat)
    return await top_up(context.house, command)


WALLET_HANDLERS = [list_wallet_entries, create_top_up]
