"""People, for operators: finding them, stopping them, their role, their balance."""

from collections import Counter
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from packhouse import accounts, vault, wallet
from packhouse.accounts import REASON_LENGTH_MAX, Discreet, Role, User
from packhouse.flows.adjust_balance import (
    AdjustBalance,
    Adjustment,
    BalanceAdjusted,
    adjust_balance,
)
from packhouse.flows.change_role import ChangeRole, change_role
from packhouse.flows.suspend_account import (
    LiftSuspension,
    SuspendAccount,
    lift_suspension,
    suspend_account,
)
from packhouse.foundation.errors import NotFound
from packhouse.foundation.identifiers import UserId
from packhouse.foundation.limits import PAGE_LIMIT_DEFAULT
from packhouse.plumbing.idempotency import recognise
from packhouse.vault import UserCardState
from packhouse.web.api.admin.reasons import Reason
from packhouse.web.api.pages_of_results import ResultPage
from packhouse.web.api.requests import ApiRequest, IdempotencyKey, Limit
from packhouse.web.context import context_of
from packhouse.web.queries import read_cursor, write_cursor


class Suspension(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why an account is stopped; for staff, its owner does not see it."""

    reason: Reason


class RoleChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which role an account gets, and why."""

    role: Role
    reason: Reason


class Account(Discreet, frozen=True):
    """An account as staff see it; once it is closed, without name and address."""

    id: UserId
    username: str
    email: str
    role: Role
    is_anonymous: bool
    suspended_at: datetime | None
    suspension_reason: str | None
    created_at: datetime
    closed_at: datetime | None


class AccountDetail(Discreet, frozen=True):
    """An account with its wallet (minor units, and how many entries) and its cards by state."""

    account: Account
    balance: int
    entries: int
    cards: dict[UserCardState, int]


@get("/users")
async def list_accounts(
    request: ApiRequest,
    search: Annotated[str | None, QueryParameter(max_length=254)] = None,
    limit: Limit = PAGE_LIMIT_DEFAULT,
    cursor: FromQuery[str | None] = None,
) -> ResultPage[Account]:
    """Accounts, newest first; ``search`` is looked for in names and addresses."""
    house = context_of(request.scope).house
    async with house.database.reading() as connection:
        found = await accounts.list_users_page(
            connection, search=search, cursor=read_cursor(cursor, UUID), limit=limit
        )
    return ResultPage(
        items=tuple(_account(user) for user in found.users),
        next_cursor=None if found.next_cursor is None else write_cursor(found.next_cursor),
    )


@get("/users/{user_id:uuid}")
async def get_account(request: ApiRequest, user_id: FromPath[UUID]) -> AccountDetail:
    """One account with its balance and its cards counted."""
    house = context_of(request.scope).house
    async with house.database.reading() as connection:
        user = await accounts.find_user(connection, user_id)
        purse = await wallet.find_wallet(connection, UserId(user_id))
        counts = await vault.count_user_cards(connection, UserId(user_id))
    if user is None or purse is None:
        raise NotFound("There is no such account.")
    cards: Counter[UserCardState] = Counter()
    for (_, state), count in counts.items():
        cards[state] += count
    return AccountDetail(
        account=_account(user), balance=purse.balance, entries=purse.sequence, cards=dict(cards)
    )


@post("/users/{user_id:uuid}/suspension", status_code=201)
async def create_suspension(
    request: ApiRequest, user_id: FromPath[UUID], data: JSONBody[Suspension]
) -> Account:
    """Stop an account: its sessions end everywhere."""
    context = context_of(request.scope)
    command = SuspendAccount(actor=context.actor(), user_id=user_id, reason=data.reason)
    return _account(await suspend_account(context.house, command))


@delete("/users/{user_id:uuid}/suspension", status_code=200)
async def delete_suspension(
    request: ApiRequest,
    user_id: FromPath[UUID],
    reason: Annotated[str, QueryParameter(min_length=1, max_length=REASON_LENGTH_MAX)],
) -> Account:
    """Let an account act again after its next sign-in."""
    context = context_of(request.scope)
    command = LiftSuspension(actor=context.actor(), user_id=user_id, reason=reason)
    return _account(await lift_suspension(context.house, command))


@put("/users/{user_id:uuid}/role")
async def update_role(
    request: ApiRequest, user_id: FromPath[UUID], data: JSONBody[RoleChange]
) -> Account:
    """Give an account another role; only owners do, and never to themselves."""
    context = context_of(request.scope)
    command = ChangeRole(actor=context.actor(), user_id=user_id, role=data.role, reason=data.reason)
    return _account(await change_role(context.house, command))


@post("/users/{user_id:uuid}/adjustments", status_code=201)
async def create_adjustment(
    request: ApiRequest,
    user_id: FromPath[UUID],
    data: JSONBody[Adjustment],
    idempotency_key: IdempotencyKey = None,
) -> BalanceAdjusted:
    """Credit or debit a collector, in minor units; never below zero."""
    context = context_of(request.scope)
    actor = context.actor()
    repeat = recognise(
        user_id=actor.user_id,
        route=f"POST /api/v1/admin/users/{user_id}/adjustments",
        key=idempotency_key,
        request=data,
    )
    command = AdjustBalance(user_id=UserId(user_id), request=data, actor=actor, repeat=repeat)
    return await adjust_balance(context.house, command)


def _account(user: User) -> Account:
    return Account(
        id=user.id,
        username=user.username,
        email=user.email,
        role=user.role,
        is_anonymous=user.is_anonymous,
        suspended_at=user.suspended_at,
        suspension_reason=user.suspension_reason,
        created_at=user.created_at,
        closed_at=user.closed_at,
    )


USER_HANDLERS = [
    list_accounts,
    get_account,
    create_suspension,
    delete_suspension,
    update_role,
    create_adjustment,
]
