"""Signing up, in and out, and what a collector may choose about the account."""

from litestar import get, post

from packhouse import accounts
from packhouse.accounts import SessionUser
from packhouse.demo import DEMO_COLLECTOR_EMAIL, DEMO_PASSWORD
from packhouse.flows.choose_feed_name import ChooseFeedName, choose_feed_name
from packhouse.flows.register import Register
from packhouse.flows.sign_in import SignIn
from packhouse.foundation.errors import Breach, FieldError, InvalidInput, Refusal
from packhouse.plumbing.shop_settings import find_shop_settings
from packhouse.web.context import RequestContext, context_of
from packhouse.web.shop.forms import Form, parse_form, read_form
from packhouse.web.shop.frame import Page, PageRequest, local_path, query_of, see_other, shop_page
from packhouse.web.sign_ins import register_visitor, sign_in_visitor, sign_out_visitor

SENTENCES = {
    "email": "Type your e-mail address.",
    "password": "Type your password.",
    "birth_date": "Give your date of birth as year-month-day, such as 1990-04-30.",
}


@get("/sign-in")
async def show_sign_in(request: PageRequest) -> Page:
    """The form; whoever is signed in already goes on."""
    context = context_of(request.scope)
    wanted = query_of(request).get("next")
    if context.viewer is not None:
        return see_other(_onward(wanted, context.viewer.role))
    return await _sign_in_page(request, wanted=wanted)


@post("/sign-in")
async def sign_in(request: PageRequest) -> Page:
    """Sign in and go back to where one came from."""
    context = context_of(request.scope)
    form = await read_form(request)
    try:
        command = SignIn(email=form.text("email"), password=form.text("password"))
        signed_in = await sign_in_visitor(context, command)
    except Refusal as error:
        return await _sign_in_page(request, wanted=form.text("next"), form=form, error=error)
    return see_other(_onward(form.text("next"), signed_in.user.role))


@get("/sign-up")
async def show_sign_up(request: PageRequest) -> Page:
    """The form; whoever is signed in already goes on."""
    context = context_of(request.scope)
    wanted = query_of(request).get("next")
    if context.viewer is not None:
        return see_other(_onward(wanted, context.viewer.role))
    return await _sign_up_page(request, wanted=wanted)


@post("/sign-up")
async def sign_up(request: PageRequest) -> Page:
    """Make an account, signed in at once."""
    context = context_of(request.scope)
    form = await read_form(request)
    try:
        await register_visitor(context, _registration(form))
    except Refusal as error:
        return await _sign_up_page(request, wanted=form.text("next"), form=form, error=error)
    return see_other(local_path(form.text("next")) or "/", done="account-made")


@post("/sign-out")
async def sign_out(request: PageRequest) -> Page:
    """End the session."""
    await sign_out_visitor(context_of(request.scope))
    return see_other("/", done="signed-out")


@get("/account")
async def show_account(request: PageRequest) -> Page:
    """Who one is here."""
    context = context_of(request.scope)
    return await _account_page(request, context.require_viewer())


@post("/account/feed-name")
async def choose_name(request: PageRequest) -> Page:
    """Show one's name in the feed, or keep it out."""
    context = context_of(request.scope)
    viewer = context.require_viewer()
    form = await read_form(request)
    try:
        wants_no_name = form.text("is_anonymous") == "yes"
        await choose_feed_name(
            context.house, ChooseFeedName(user_id=viewer.user_id, is_anonymous=wants_no_name)
        )
    except Refusal as error:
        return await _account_page(request, viewer, error=error)
    return see_other("/account", done="feed-name-chosen")


def _registration(form: Form) -> Register:
    """What was typed, each field checked even when another one is wrong already."""
    try:
        return parse_form(form, Register, SENTENCES)
    except InvalidInput as error:
        email, username = form.text("email"), form.text("username")
        found = {
            "email": accounts.email_error(email),
            "username": accounts.username_error(username),
            "password": accounts.password_error(
                form.text("password"), email=email, username=username
            ),
        }
        others = [FieldError(name, sentence) for name, sentence in found.items() if sentence]
        raise InvalidInput(error.message, [*others, *error.errors]) from error


def _onward(wanted: str | None, role: accounts.Role) -> str:
    """Where to after signing in: back, or to where one's work is."""
    return local_path(wanted) or ("/" if role == "collector" else "/admin")


async def _sign_in_page(
    request: PageRequest,
    *,
    wanted: str | None,
    form: Form | None = None,
    error: Refusal | None = None,
) -> Page:
    settings = context_of(request.scope).house.settings
    demo = (DEMO_COLLECTOR_EMAIL, DEMO_PASSWORD) if settings.demo_accounts else None
    return await shop_page(
        request,
        "sign_in.html",
        {
            "next": local_path(wanted),
            "email": "" if form is None else form.text("email"),
            "demo": demo,
        },
        error=error,
    )


async def _sign_up_page(
    request: PageRequest,
    *,
    wanted: str | None,
    form: Form | None = None,
    error: Refusal | None = None,
) -> Page:
    context = context_of(request.scope)
    typed = Form() if form is None else form
    return await shop_page(
        request,
        "sign_up.html",
        {
            "next": local_path(wanted),
            "is_open": await _is_open(context),
            "email": typed.text("email"),
            "username": typed.text("username"),
            "birth_date": typed.text("birth_date"),
            "password_length_min": accounts.PASSWORD_LENGTH_MIN,
            "minimum_age_years": context.house.settings.minimum_age_years,
        },
        error=error,
    )


async def _account_page(
    request: PageRequest, viewer: SessionUser, *, error: Refusal | None = None
) -> Page:
    house = context_of(request.scope).house
    async with house.database.reading() as connection:
        user = await accounts.find_user(connection, viewer.user_id)
    if user is None:
        raise Breach(f"The session of {viewer.user_id} has no account.")
    return await shop_page(request, "account.html", {"user": user}, error=error)


async def _is_open(context: RequestContext) -> bool:
    async with context.house.database.connection() as connection:
        return (await find_shop_settings(connection)).registrations_open


ACCOUNT_HANDLERS = [
    show_sign_in,
    sign_in,
    show_sign_up,
    sign_up,
    sign_out,
    show_account,
    choose_name,
]
