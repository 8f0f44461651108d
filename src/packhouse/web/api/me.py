"""Oneself: who is signed in, with what balance, and how the feed shows one's pulls."""

import msgspec
from litestar import get, patch
from litestar.params import JSONBody

from packhouse import wallet
from packhouse.accounts import Discreet, Role, SessionUser
from packhouse.flows.choose_feed_name import ChooseFeedName, choose_feed_name
from packhouse.foundation.identifiers import UserId
from packhouse.foundation.limits import (
    CARDS_PER_PARCEL_MAX,
    CARDS_PER_SALE_MAX,
    PACKS_PER_OPENING_MAX,
    TOP_UP_MAX_MINOR,
    TOP_UP_MIN_MINOR,
)
from packhouse.house import House
from packhouse.web.api.requests import ApiRequest
from packhouse.web.context import context_of


class Limits(msgspec.Struct, frozen=True):
    """What one call takes at most; amounts in minor units."""

    top_up_min: int = TOP_UP_MIN_MINOR
    top_up_max: int = TOP_UP_MAX_MINOR
    packs_per_opening: int = PACKS_PER_OPENING_MAX
    cards_per_sale: int = CARDS_PER_SALE_MAX
    cards_per_parcel: int = CARDS_PER_PARCEL_MAX


class Me(Discreet, frozen=True):
    """Yourself. ``balance`` in minor units; ``is_anonymous`` keeps your name out of the feed."""

    id: UserId
    username: str
    email: str
    role: Role
    balance: int
    is_anonymous: bool
    limits: Limits


class MyChoices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What you can choose about yourself."""

    is_anonymous: bool


@get("/api/v1/me", tags=["accounts"])
async def get_me(request: ApiRequest) -> Me:
    """Who is signed in."""
    context = context_of(request.scope)
    viewer = context.require_viewer()
    return await _me(context.house, viewer, is_anonymous=viewer.is_anonymous)


@patch("/api/v1/me", tags=["accounts"])
async def update_me(request: ApiRequest, data: JSONBody[MyChoices]) -> Me:
    """Choose whether the feed shows your next pulls by name; what is in the feed stays."""
    context = context_of(request.scope)
    viewer = context.require_viewer()
    await choose_feed_name(
        context.house, ChooseFeedName(user_id=viewer.user_id, is_anonymous=data.is_anonymous)
    )
    return await _me(context.house, viewer, is_anonymous=data.is_anonymous)


async def _me(house: House, viewer: SessionUser, *, is_anonymous: bool) -> Me:
    async with house.database.reading() as connection:
        purse = await wallet.find_wallet(connection, viewer.user_id)
    return Me(
        id=viewer.user_id,
        username=viewer.username,
        email=viewer.email,
        role=viewer.role,
        balance=0 if purse is None else purse.balance,
        is_anonymous=is_anonymous,
        limits=Limits(),
    )


ME_HANDLERS = [get_me, update_me]
