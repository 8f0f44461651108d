"""How the shop runs today: open or in maintenance, with or without new accounts."""

from typing import Final

from litestar import get, post

from packhouse.accounts import REASON_LENGTH_MAX
from packhouse.flows.change_shop_settings import ChangeShopSettings, change_shop_settings
from packhouse.foundation.errors import Refusal
from packhouse.plumbing.shop_settings import ShopSettings, find_shop_settings
from packhouse.web.context import context_of
from packhouse.web.operator.forms import Form, PageRequest, read_form
from packhouse.web.operator.frame import Page, back_to, operator_page

DONE: Final = {"changed": "The settings are changed, on every instance within a second."}


@get("/settings")
async def show_settings(request: PageRequest) -> Page:
    """The switches as they stand."""
    return await _settings_page(request)


@post("/settings")
async def change_settings(request: PageRequest) -> Page:
    """Set both switches as the page shows them."""
    context = context_of(request.scope)
    form = await read_form(request)
    reason = form.text("reason", length_max=REASON_LENGTH_MAX)
    settings = ShopSettings(
        registrations_open="registrations_open" in form, maintenance="maintenance" in form
    )
    if form.problems:
        return await _settings_page(request, form=form, shown=settings)
    try:
        await change_shop_settings(
            context.house, ChangeShopSettings(settings, context.actor(), reason or None)
        )
    except Refusal as error:
        return await _settings_page(request, form=form, error=error, shown=settings)
    return back_to("/admin/settings", done="changed")


async def _settings_page(
    request: PageRequest,
    *,
    form: Form | None = None,
    error: Refusal | None = None,
    shown: ShopSettings | None = None,
) -> Page:
    house = context_of(request.scope).house
    if shown is None:
        async with house.database.reading() as connection:
            shown = await find_shop_settings(connection)
    values = {"settings": shown, "built": house.settings}
    return await operator_page(request, "settings.html", values, form=form, error=error, done=DONE)


SETTINGS_HANDLERS = [show_settings, change_settings]
