"""Packs: what is on sale, composing one with its figures in sight, publishing, withdrawing."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from litestar import get, post
from litestar.params import FromPath

from packhouse import catalog, draws
from packhouse.accounts import REASON_LENGTH_MAX
from packhouse.draws import PackDraft, PackRow, PackVersionRow, ShelvedPack
from packhouse.flows.publish_pack import (
    SLUG_LENGTH_MAX,
    PublishPack,
    SavePackDraft,
    WithdrawPack,
    get_pack,
    publish_pack,
    save_pack_draft,
    withdraw_pack,
)
from packhouse.flows.set_pack_picture import SetPackPicture, set_pack_picture
from packhouse.flows.simulate_pack import SimulatePack, simulate_pack
from packhouse.foundation.errors import FieldError, InvalidInput, Refusal
from packhouse.house import House
from packhouse.web.context import context_of
from packhouse.web.operator.forms import Form, PageRequest, read_form
from packhouse.web.operator.frame import Page, back_to, operator_page, search_of
from packhouse.web.operator.pack_figures import figures_of, money_of, share_of_price
from packhouse.web.operator.pack_form import (
    LAYOUTS_MAX,
    SLOTS_MAX,
    LayoutFields,
    PackFields,
    SlotFields,
    blank_fields,
    draft_of,
    fields_of,
    fits_the_table,
    place_in_words,
    read_fields,
)

PREVIEW_OPENINGS: Final = 1_000
PREVIEW_SEED: Final = "preview"
"""Always the same, so that figures change only when the draft does."""

POSITION_MAX: Final = 1_000_000
DRAFT_LENGTH_MAX: Final = 400_000

STATE_WORDS: Final = {
    "draft": "Draft",
    "on_sale": "On sale",
    "paused": "Resting",
    "sold_out": "Sold out",
    "withdrawn": "Withdrawn",
}
DONE: Final = {
    "saved": "The draft is saved. Nothing on sale has changed yet.",
    "published": "Version {count} is on sale.",
    "withdrawn": "The pack is off sale. Its versions and draft are kept.",
    "picture": "The pack has its new picture.",
}


class Editor(msgspec.Struct):
    """What the pack editor shows: fields or JSON, what is wrong, and the figures."""

    fields: PackFields
    json: str | None = None
    errors: Sequence[tuple[str, str]] = ()
    figures: dict[str, Any] | None = None
    is_saved: bool = True


@get("/packs")
async def show_packs(request: PageRequest) -> Page:
    """Every pack with its state and its margin."""
    house = context_of(request.scope).house
    async with house.database.reading() as connection:
        rows = await draws.list_all_packs(connection)
    shelved = {pack.slug: pack for pack in await house.packs.list_packs(house.database)}
    listed = [_list_row(house, row, shelved.get(row.slug)) for row in rows]
    return await operator_page(request, "packs.html", {"packs": listed}, done=DONE)


@get("/packs/new")
async def show_new_pack(request: PageRequest) -> Page:
    """The editor, empty."""
    fields = blank_fields()
    as_json = search_of(request, "form")["form"] == "json"
    editor = Editor(fields=fields, json=_example() if as_json else None, is_saved=False)
    return await _editor_page(request, None, editor)


@post("/packs/new")
async def compose_new_pack(request: PageRequest) -> Page:
    """Look at a new pack, or save it."""
    return await _compose(request, None)


@get("/packs/{slug:str}")
async def show_pack(request: PageRequest, slug: FromPath[str]) -> Page:
    """One pack: its draft in the editor, its versions, its state."""
    return await _pack_page(request, slug)


@post("/packs/{slug:str}")
async def compose_pack(request: PageRequest, slug: FromPath[str]) -> Page:
    """Look at a changed draft, or save it."""
    async with context_of(request.scope).house.database.connection() as connection:
        pack = await get_pack(connection, slug)
    return await _compose(request, pack)


@post("/packs/{slug:str}/versions")
async def publish(request: PageRequest, slug: FromPath[str]) -> Page:
    """Publish the saved draft."""
    context = context_of(request.scope)
    form = await read_form(request)
    reason = form.text("publish_reason", length_max=REASON_LENGTH_MAX)
    if form.problems:
        return await _pack_page(request, slug, form=form)
    try:
        published = await publish_pack(
            context.house, PublishPack(slug, context.actor(), reason or None)
        )
    except draws.ReasonRequired as error:
        form.add_problem("publish_reason", "Say why: on average it pays back its price or more.")
        return await _pack_page(request, slug, form=form, error=error)
    except Refusal as error:
        return await _pack_page(request, slug, form=form, error=error)
    return back_to(f"/admin/packs/{slug}", done="published", count=published.number)


@post("/packs/{slug:str}/withdrawal")
async def withdraw(request: PageRequest, slug: FromPath[str]) -> Page:
    """Take the pack off sale."""
    context = context_of(request.scope)
    form = await read_form(request)
    reason = form.text("withdraw_reason", length_max=REASON_LENGTH_MAX, is_required=True)
    if form.problems:
        return await _pack_page(request, slug, form=form)
    try:
        await withdraw_pack(context.house, WithdrawPack(slug, reason, context.actor()))
    except Refusal as error:
        return await _pack_page(request, slug, form=form, error=error)
    return back_to(f"/admin/packs/{slug}", done="withdrawn")


@post("/packs/{slug:str}/picture")
async def change_picture(request: PageRequest, slug: FromPath[str]) -> Page:
    """Give the pack its wrapper."""
    context = context_of(request.scope)
    form = await read_form(request)
    sent = form.files.get("picture")
    picture = b"" if sent is None else await sent.read()
    if not picture:
        form.add_problem("picture", "Choose a PNG, JPEG, WebP or AVIF file.")
        return await _pack_page(request, slug, form=form)
    try:
        await set_pack_picture(context.house, SetPackPicture(slug, picture, context.actor()))
    except draws.PackNotFound:
        raise
    except Refusal as error:
        form.add_problem("picture", f"The picture {error.message}.")
        return await _pack_page(request, slug, form=form)
    return back_to(f"/admin/packs/{slug}", done="picture")


async def _compose(request: PageRequest, pack: PackRow | None) -> Page:
    """One press of the editor: a further row, a look at the figures, or saving."""
    context = context_of(request.scope)
    form = await read_form(request)
    fields = read_fields(form)
    if pack is not None:
        fields.slug = pack.slug
    act = form.shown("act")
    if act.startswith("add-"):
        _add_row(fields, act)
        return await _editor_page(request, pack, Editor(fields=fields, is_saved=False))
    is_json = "draft_json" in form
    editor = Editor(
        fields=fields, json=form.shown("draft_json") if is_json else None, is_saved=False
    )
    draft = _draft_of_json(form, editor) if is_json else draft_of(form, fields)
    if pack is None:
        await _check_new_slug(context.house, form)
    position = form.whole("position", minimum=0, maximum=POSITION_MAX)
    if draft is None:
        return await _editor_page(request, pack, editor, form=form)
    await _look_ahead(context.house, fields.slug or "new", draft, editor)
    if form.problems or editor.errors or act != "save":
        return await _editor_page(request, pack, editor, form=form)
    try:
        saved = await save_pack_draft(
            context.house, SavePackDraft(fields.slug, draft, context.actor(), position)
        )
    except Refusal as error:
        return await _editor_page(request, pack, editor, form=form, error=error)
    return back_to(f"/admin/packs/{saved.slug}", done="saved")


async def _pack_page(
    request: PageRequest, slug: str, *, form: Form | None = None, error: Refusal | None = None
) -> Page:
    house = context_of(request.scope).house
    async with house.database.reading() as connection:
        pack = await get_pack(connection, slug)
    draft = None if pack.draft is None else msgspec.convert(pack.draft, PackDraft)
    editor = Editor(fields=blank_fields())
    if draft is not None:
        editor.fields = fields_of(draft, slug=slug, position=pack.position)
        if not fits_the_table(draft) or search_of(request, "form")["form"] == "json":
            editor.json = _json_text(draft)
        await _look_ahead(house, slug, draft, editor)
    return await _editor_page(request, pack, editor, form=form, error=error)


async def _editor_page(
    request: PageRequest,
    pack: PackRow | None,
    editor: Editor,
    *,
    form: Form | None = None,
    error: Refusal | None = None,
) -> Page:
    house = context_of(request.scope).house
    versions: list[PackVersionRow] = []
    async with house.database.reading() as connection:
        sets = await catalog.list_sets(connection)
        if pack is not None:
            versions = await draws.list_pack_versions(connection, pack.id)
    shelved = None
    if pack is not None:
        on_shelf = await house.packs.list_packs(house.database)
        shelved = next((each for each in on_shelf if each.slug == pack.slug), None)
    form = Form() if form is None else form
    values: dict[str, Any] = {
        "pack": None if pack is None else _list_row(house, pack, shelved),
        "editor": editor,
        "sets": sets,
        "versions": [_version_row(version) for version in versions],
        "next_number": 1 + max((version.number for version in versions), default=0),
        "current_version_id": None if pack is None else pack.current_version_id,
    }
    if editor.errors:
        # The page lists them by their place in the draft; the summary above would say them twice.
        form.add_problem("", "The draft does not hold together yet.")
        values["summary"] = {name: text for name, text in form.summary.items() if name}
    return await operator_page(request, "pack.html", values, form=form, error=error, done=DONE)


async def _look_ahead(house: House, slug: str, draft: PackDraft, editor: Editor) -> None:
    """Put the draft's figures into the editor, or what keeps it from being composed."""
    command = SimulatePack(slug, draft, PREVIEW_OPENINGS, PREVIEW_SEED)
    try:
        editor.figures = figures_of(await simulate_pack(house, command))
    except InvalidInput as error:
        named = error.errors or [FieldError("draft", error.message)]
        editor.errors = [(place_in_words(each), each.message) for each in named]


def _add_row(fields: PackFields, act: str) -> None:
    if act == "add-layout" and len(fields.layouts) < LAYOUTS_MAX:
        fields.layouts = (*fields.layouts, LayoutFields(slots=(SlotFields(),)))
    for i, layout in enumerate(fields.layouts):
        if act == f"add-slot-{i}" and len(layout.slots) < SLOTS_MAX:
            layout.slots = (*layout.slots, SlotFields())


async def _check_new_slug(house: House, form: Form) -> None:
    slug = form.text("slug", length_max=SLUG_LENGTH_MAX, is_required=True)
    if slug == "new":
        form.add_problem("slug", "“new” is an address of its own here; take another.")
    # Saving would otherwise replace the draft of the pack that is there.
    async with house.database.connection() as connection:
        if await draws.find_pack(connection, slug) is not None:
            form.add_problem("slug", "There is a pack at this address already; take another.")


def _draft_of_json(form: Form, editor: Editor) -> PackDraft | None:
    text = form.text("draft_json", length_max=DRAFT_LENGTH_MAX, is_required=True)
    if form.problems:
        return None
    try:
        return msgspec.json.decode(text, type=PackDraft)
    except msgspec.DecodeError as error:
        editor.errors = [("JSON", str(error))]
        return None


def _list_row(house: House, row: PackRow, shelved: ShelvedPack | None) -> dict[str, Any]:
    config = None if shelved is None else shelved.config
    draft = row.draft or {}
    prospect = None if config is None else draws.prospect_of(config)
    state = _state_of(row, shelved)
    return {
        "slug": row.slug,
        "name": config.name if config is not None else draft.get("name", row.slug),
        "kind": config.kind if config is not None else draft.get("kind", "odds"),
        "price": config.price if config is not None else draft.get("price", 0),
        "image_url": None if row.picture is None else house.media.url_of(row.picture),
        "state": state,
        "state_words": STATE_WORDS[state],
        "is_on_sale": state in {"on_sale", "paused", "sold_out"},
        "version_number": row.version_number,
        "published_at": row.published_at,
        "margin": None if prospect is None else money_of(prospect.margin),
        "margin_share": None
        if prospect is None
        else share_of_price(prospect.margin, price=prospect.price),
        "packs_left": None if shelved is None else shelved.packs_left,
        "packs_size": None if config is None or config.lot is None else config.lot.packs,
        "position": row.position,
    }


def _state_of(row: PackRow, shelved: ShelvedPack | None) -> str:
    if row.current_version_id is None:
        return "draft"
    if row.withdrawn_at is not None:
        return "withdrawn"
    if row.is_paused:
        return "paused"
    if shelved is not None and shelved.packs_left == 0:
        return "sold_out"
    return "on_sale"


def _version_row(version: PackVersionRow) -> dict[str, Any]:
    config = draws.parse_config(version.config)
    prospect = draws.prospect_of(config)
    return {
        "id": version.id,
        "number": version.number,
        "published_at": version.published_at,
        "price": config.price,
        "margin": money_of(prospect.margin),
        "margin_share": share_of_price(prospect.margin, price=prospect.price),
        "config_hash": version.config_hash.hex(),
        "reason": version.reason,
    }


def _json_text(draft: PackDraft) -> str:
    return msgspec.json.format(msgspec.json.encode(draft), indent=2).decode()


def _example() -> str:
    fields = {
        "name": "",
        "kind": "odds",
        "price": 500,
        "sell_back_rate_basis_points": 8000,
        "sell_back_window_days": 7,
        "description": "",
        "sets": [],
        "layouts": [
            {
                "name": "Standard",
                "weight": 1,
                "slots": [
                    {
                        "name": "Card",
                        "count": 1,
                        "odds": [
                            {"tier": "D", "weight": 65},
                            {
                                "tier": "C",
                                "weight": 35,
                                "cards": [{"card": "VEIL-007", "weight": 3}],
                            },
                        ],
                    }
                ],
            }
        ],
    }
    return msgspec.json.format(msgspec.json.encode(fields), indent=2).decode()


PACK_HANDLERS = [
    show_packs,
    show_new_pack,
    compose_new_pack,
    show_pack,
    compose_pack,
    publish,
    withdraw,
    change_picture,
]
