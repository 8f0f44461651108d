"""Accounts: find one, stop it or let it act again, put its balance right, give it a role."""

from typing import Final
from uuid import UUID, uuid4

from litestar import get, post
from litestar.params import FromPath

from packhouse import accounts, shipping, vault, wallet
from packhouse.accounts import REASON_LENGTH_MAX, ROLES
from packhouse.flows.adjust_balance import (
    ADJUSTMENT_MAX_MINOR,
    AdjustBalance,
    Adjustment,
    adjust_balance,
)
from packhouse.flows.change_role import ChangeRole, change_role
from packhouse.flows.suspend_account import (
    LiftSuspension,
    SuspendAccount,
    lift_suspension,
    suspend_account,
)
from packhouse.foundation.errors import NotFound, Refusal
from packhouse.foundation.identifiers import UserId
from packhouse.plumbing.idempotency import recognise
from packhouse.web.context import context_of
from packhouse.web.operator.forms import Form, PageRequest, read_form
from packhouse.web.operator.frame import (
    Page,
    address,
    back_to,
    list_options,
    operator_page,
    search_of,
)
from packhouse.web.queries import read_cursor, write_cursor

USERS_PAGE: Final = 50
ENTRIES_SHOWN: Final = 15
PARCELS_SHOWN: Final = 10

DONE: Final = {
    "suspended": "Suspended. All sessions of this account have ended.",
    "lifted": "The suspension is lifted; the account can act again after its next sign-in.",
    "adjusted": "The balance was adjusted.",
    "role": "The role was changed.",
}


@get("/users")
async def show_users(request: PageRequest) -> Page:
    """Accounts, newest first."""
    search = search_of(request, "q", "after")
    async with context_of(request.scope).house.database.reading() as connection:
        found = await accounts.list_users_page(
            connection,
            search=search["q"] or None,
            cursor=read_cursor(search["after"], UUID),
            limit=USERS_PAGE,
        )
        counts = {role: await accounts.count_users(connection, role=role) for role in ROLES}
    values = {
        "users": found.users,
        "counts": counts,
        "search": search["q"],
        "more_href": None
        if found.next_cursor is None
        else address("/admin/users", q=search["q"], after=write_cursor(found.next_cursor)),
    }
    return await operator_page(request, "users.html", values)


@get("/users/{user_id:uuid}")
async def show_user(request: PageRequest, user_id: FromPath[UUID]) -> Page:
    """One account."""
    return await _user_page(request, user_id)


@post("/users/{user_id:uuid}/suspension")
async def suspend(request: PageRequest, user_id: FromPath[UUID]) -> Page:
    """Stop the account, or lift that: ``lift`` says which."""
    context = context_of(request.scope)
    form = await read_form(request)
    reason = form.text("suspension_reason", length_max=REASON_LENGTH_MAX, is_required=True)
    if form.problems:
        return await _user_page(request, user_id, form=form)
    try:
        if "lift" in form:
            await lift_suspension(context.house, LiftSuspension(context.actor(), user_id, reason))
        else:
            await suspend_account(context.house, SuspendAccount(context.actor(), user_id, reason))
    except Refusal as error:
        return await _user_page(request, user_id, form=form, error=error)
    return back_to(f"/admin/users/{user_id}", done="lifted" if "lift" in form else "suspended")


@post("/users/{user_id:uuid}/adjustments")
async def adjust(request: PageRequest, user_id: FromPath[UUID]) -> Page:
    """Credit or debit by hand; sent twice it happens once."""
    context = context_of(request.scope)
    form = await read_form(request)
    amount = form.hundredths("amount", minimum=-ADJUSTMENT_MAX_MINOR, maximum=ADJUSTMENT_MAX_MINOR)
    reason = form.text("adjustment_reason", length_max=REASON_LENGTH_MAX, is_required=True)
    if form.problems:
        return await _user_page(request, user_id, form=form)
    adjustment = Adjustment(amount=amount, reason=reason)
    try:
        repeat = recognise(
            user_id=UserId(user_id),
            route=f"POST /admin/users/{user_id}/adjustments",
            key=form.shown("idempotency_key") or None,
            request=adjustment,
        )
        await adjust_balance(
            context.house, AdjustBalance(UserId(user_id), adjustment, context.actor(), repeat)
        )
    except Refusal as error:
        return await _user_page(request, user_id, form=form, error=error)
    return back_to(f"/admin/users/{user_id}", done="adjusted")


@post("/users/{user_id:uuid}/role")
async def give_role(request: PageRequest, user_id: FromPath[UUID]) -> Page:
    """Owners give roles."""
    context = context_of(request.scope)
    accounts.require_role(context.viewer, "owner")
    form = await read_form(request)
    role = form.choice("role", ROLES)
    reason = form.text("role_reason", length_max=REASON_LENGTH_MAX, is_required=True)
    if form.problems:
        return await _user_page(request, user_id, form=form)
    try:
        await change_role(context.house, ChangeRole(context.actor(), user_id, role, reason))
    except Refusal as error:
        return await _user_page(request, user_id, form=form, error=error)
    return back_to(f"/admin/users/{user_id}", done="role")


async def _user_page(
    request: PageRequest,
    user_id: UUID,
    *,
    form: Form | None = None,
    error: Refusal | None = None,
) -> Page:
    context = context_of(request.scope)
    owner_id = UserId(user_id)
    async with context.house.database.reading() as connection:
        user = await accounts.find_user(connection, user_id)
        if user is None:
            raise NotFound("There is no such account.")
        purse = await wallet.find_wallet(connection, owner_id)
        entries = await wallet.list_ledger_entries(
            connection, user_id=owner_id, before=None, limit=ENTRIES_SHOWN
        )
        parcels = await shipping.list_shipping_requests(
            connection, user_id=owner_id, before=None, limit=PARCELS_SHOWN
        )
        cards = await vault.count_user_cards(connection, owner_id)
    values = {
        "user": user,
        "balance": 0 if purse is None else purse.balance,
        "entries": entries,
        "parcels": [(parcel, shipping.short_request_id(parcel.id)) for parcel in parcels],
        "cards_held": sum(count for (_, state), count in cards.items() if state == "vaulted"),
        "is_oneself": context.require_staff().user_id == user_id,
        "role_options": list_options([(role, role.capitalize()) for role in ROLES]),
        "idempotency_key": str(uuid4()),
    }
    return await operator_page(request, "user.html", values, form=form, error=error, done=DONE)


USER_HANDLERS = [show_users, show_user, suspend, adjust, give_role]
