"""The application of one process: limits, sessions, and the routes of the shop's contract."""

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Annotated

from answers import FeedPage, OpenedPacks, OpenPacks, PullAnswer, SellBack, VaultCard, VaultPage
from database import Pull, SignIn, User, UserCard, reads, transaction
from fastapi import Cookie, Depends, FastAPI, Header, Request
from fastapi.responses import JSONResponse
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter
from open_pack import open_pack
from refusal import Refusal
from settings import REQUESTS_PER_MINUTE
from shelf import list_faces
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

PAGE_LIMIT = 20
ATTEMPTS_MAX = 5
RACED = {"40001", "40P01", "23505"}

limit = RateLimitItemPerMinute(REQUESTS_PER_MINUTE)
limiter = FixedWindowRateLimiter(MemoryStorage())


async def require_within_limit(request: Request) -> None:
    if not await limiter.hit(limit, request.client.host):
        raise Refusal(429, "rate_limited", "Too many requests; wait a moment.")


app = FastAPI(dependencies=[Depends(require_within_limit)], openapi_url=None)

Reading = Annotated[AsyncSession, Depends(reads)]
Writing = Annotated[AsyncSession, Depends(transaction)]
Token = Annotated[str | None, Cookie(alias="packhouse_session")]


async def require_user(session: AsyncSession, token: str | None) -> User:
    """Who holds the session, asked of PostgreSQL at each request."""
    user = None
    if token is not None:
        user = await session.scalar(
            select(User)
            .join(SignIn, SignIn.user_id == User.id)
            .where(
                SignIn.token_hash == hashlib.sha256(token.encode()).digest(),
                SignIn.expires_at > datetime.now(UTC),
            )
        )
    if user is None:
        raise Refusal(401, "not_signed_in", "Sign in first.")
    return user


@app.get("/health/ready")
async def is_ready(session: Reading) -> dict[str, str]:
    await session.execute(text("SELECT 1"))
    return {"status": "ready"}


@app.post("/api/v1/packs/{slug}/openings", status_code=201)
async def create_openings(
    slug: str,
    request: OpenPacks,
    session: Writing,
    idempotency_key: Annotated[str, Header(min_length=1, max_length=255)],
    token: Token = None,
) -> OpenedPacks:
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            user = await require_user(session, token)
            opened = await open_pack(
                session, user=user, slug=slug, request=request, key=idempotency_key
            )
            await session.commit()
        except DBAPIError as error:
            await session.rollback()
            if attempt == ATTEMPTS_MAX or error.orig.sqlstate not in RACED:
                raise
        else:
            return opened
    raise AssertionError


@app.get("/api/v1/vault")
async def list_vault(session: Reading, token: Token = None) -> VaultPage:
    user = await require_user(session, token)
    cards = (
        await session.scalars(
            select(UserCard)
            .where(UserCard.user_id == user.id)
            .order_by(UserCard.id.desc())
            .limit(PAGE_LIMIT + 1)
        )
    ).all()
    shown = cards[:PAGE_LIMIT]
    faces = await list_faces(session, [card.card_id for card in shown])
    items = [
        VaultCard(
            id=card.id,
            card=faces[card.card_id],
            tier=card.tier,
            value=card.value,
            state=card.state,
            sell_back=SellBack(amount=card.sell_back_amount, until=card.sell_back_until),
            is_shippable=card.state == "vaulted" and card.stock_item_id is not None,
            opening_id=card.opening_id,
            created_at=card.created_at,
        )
        for card in shown
    ]
    has_more = len(cards) > PAGE_LIMIT
    cursor = {"id": str(shown[-1].id), "value": shown[-1].value} if has_more else None
    return VaultPage(items=items, next_cursor=write_cursor(cursor))


@app.get("/api/v1/feed")
async def list_feed(session: Reading) -> FeedPage:
    found = await session.scalars(select(Pull).order_by(Pull.sequence.desc()).limit(PAGE_LIMIT + 1))
    pulls = found.all()
    shown = pulls[:PAGE_LIMIT]
    items = [
        PullAnswer(
            sequence=pull.sequence,
            username=pull.username,
            card=json.loads(pull.card),
            tier=pull.tier,
            value=pull.value,
            pack=json.loads(pull.pack),
            opening_id=pull.opening_id,
            created_at=pull.created_at,
        )
        for pull in shown
    ]
    cursor = {"sequence": shown[-1].sequence} if len(pulls) > PAGE_LIMIT else None
    return FeedPage(items=items, next_cursor=write_cursor(cursor))


@app.exception_handler(Refusal)
async def answer_refusal(_: Request, refusal: Refusal) -> JSONResponse:
    problem = {"status": refusal.status, "code": refusal.code, "detail": refusal.message}
    return JSONResponse(problem, refusal.status, media_type="application/problem+json")


def write_cursor(position: dict[str, object] | None) -> str | None:
    if position is None:
        return None
    packed = json.dumps(position, separators=(",", ":"))
    return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")
