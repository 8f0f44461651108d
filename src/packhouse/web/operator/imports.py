"""Importing a catalogue: choose a file, see line by line what would happen, then let it happen."""

import asyncio
from typing import Final

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath

from packhouse.catalog import ImportRefused, ImportReport
from packhouse.flows.import_catalog import ImportCatalog, import_catalog
from packhouse.foundation.errors import NotFound, Refusal
from packhouse.plumbing.pictures import NoPictures, PictureSource, ZipPictures
from packhouse.web.context import context_of
from packhouse.web.operator.forms import Form, PageRequest, clean, read_form
from packhouse.web.operator.frame import Page, back_to, operator_page, search_of
from packhouse.web.operator.kept_uploads import KeptUpload, KeptUploads, UploadLabel

FILE_NAME_LENGTH_MAX: Final = 120
LINES_SHOWN_MAX: Final = 500

_SAMPLE_ROWS: Final = (
    "set_code,set_name,number,name,tier,value,kind,flavour,quantity,place,grade,certificate,location",
    "EMB,Ember Hollow,001,Moth at the Bellows,D,0.50,physical,It likes warmth.,40,on_sale,,,A-01",
    'EMB,Ember Hollow,002,"Cinder, Twice Told",A,18.00,physical,,1,house,9.5,EH-20417,Safe 2',
    "EMB,Ember Hollow,003,The Last Coal,SS,240.00,digital,Nobody saw it out.,,,,,",
)
SAMPLE: Final = "\n".join(_SAMPLE_ROWS) + "\n"
"""Three cards: forty raw copies, one graded copy, and a digital card that has none."""

COLUMN_HELP: Final = (
    ("set_code, number", "Together they name a card for good.", True),
    ("set_name, name", "What collectors read.", True),
    ("tier", "One of D C B A S SS SSS.", True),
    ("value", "12.50; or value_minor, 1250.", True),
    ("kind", "physical, unless you say digital: unlimited, without copies.", False),
    ("weight_grams", "Of one card, for postage; 2 when empty.", False),
    ("flavour", "A sentence for the card's page.", False),
    ("picture", "A file name inside the ZIP.", False),
    ("quantity", "Copies that this row adds; 1 when another stock column is filled.", False),
    ("place", "house, where nobody can draw it, or on_sale.", False),
    ("grade, location", "Of these copies: their grade, the bin they lie in.", False),
    ("certificate", "Of one graded copy, so the quantity is 1.", False),
    ("photo", "Of this very copy, a file name inside the ZIP.", False),
)
DONE: Final = {"imported": "Imported: {count} lines were taken in, all of the file."}


@get("/import")
async def show_import(request: PageRequest) -> Page:
    """The form, with the format beside it."""
    return await _import_page(request)


@get("/import/sample.csv", sync_to_thread=False)
def download_sample() -> Response[bytes]:
    """A small file to start from."""
    return Response(
        content=SAMPLE.encode(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="packhouse-sample.csv"'},
    )


@post("/import")
async def upload_import(request: PageRequest) -> Page:
    """Keep what was uploaded and go on to what it would do."""
    context = context_of(request.scope)
    form = await read_form(request)
    file = form.files.get("file")
    content = b"" if file is None else await file.read()
    if file is None or not content:
        form.add_problem("file", "Choose a CSV or JSON file that is not empty.")
        return await _import_page(request, form=form)
    pictures = await _read_pictures(form)
    if form.problems:
        return await _import_page(request, form=form)
    upload = KeptUpload(
        label=UploadLabel(
            user_id=context.require_staff().user_id,
            file_name=_file_name(file),
            uploaded_at=context.house.clock(),
        ),
        content=content,
        pictures=pictures,
    )
    token = await asyncio.to_thread(_uploads(request).keep, upload)
    return back_to(f"/admin/import/{token}")


@get("/import/{token:str}")
async def show_dry_run(request: PageRequest, token: FromPath[str]) -> Page:
    """Line by line what the import would do, or everything that is wrong with it."""
    try:
        report = await _import(request, token, dry_run=True)
    except ImportRefused as error:
        return await _problems_page(request, token, error)
    except NotFound as error:
        return await _import_page(request, error=error)
    except Refusal as error:
        return await _import_page(request, error=error)
    return await operator_page(
        request, "import_dry_run.html", {"token": token, "report": report, "refused": None}
    )


@post("/import/{token:str}")
async def confirm_import(request: PageRequest, token: FromPath[str]) -> Page:
    """Let it happen: all of it, or nothing when the catalogue changed so that it no longer fits."""
    try:
        report = await _import(request, token, dry_run=False)
    except ImportRefused as error:
        return await _problems_page(request, token, error)
    except Refusal as error:
        return await _import_page(request, error=error)
    await asyncio.to_thread(_uploads(request).drop, token)
    return back_to("/admin/import", done="imported", count=report.rows)


async def _import(request: PageRequest, token: str, *, dry_run: bool) -> ImportReport:
    context = context_of(request.scope)
    upload = await asyncio.to_thread(
        _uploads(request).get,
        token,
        user_id=context.require_staff().user_id,
        now=context.house.clock(),
    )
    source: PictureSource = NoPictures()
    if upload.pictures is not None:
        source = await asyncio.to_thread(ZipPictures, upload.pictures)
    return await import_catalog(
        context.house,
        ImportCatalog(
            content=upload.content,
            file_name=upload.label.file_name,
            actor=context.actor(),
            dry_run=dry_run,
            pictures=source,
            lines_shown_max=LINES_SHOWN_MAX,
        ),
    )


async def _import_page(
    request: PageRequest, *, form: Form | None = None, error: Refusal | None = None
) -> Page:
    settings = context_of(request.scope).house.settings
    values = {
        "columns": COLUMN_HELP,
        "sample": SAMPLE,
        "most_mebibytes": settings.max_upload_bytes // 1024**2,
        "is_done": search_of(request, "done")["done"] == "imported",
    }
    return await operator_page(request, "import.html", values, form=form, error=error, done=DONE)


async def _problems_page(request: PageRequest, token: str, refused: ImportRefused) -> Page:
    form = Form()
    form.add_problem("", refused.message)
    values = {"token": token, "report": None, "refused": refused}
    return await operator_page(request, "import_dry_run.html", values, form=form)


async def _read_pictures(form: Form) -> bytes | None:
    sent = form.files.get("pictures")
    pictures = b"" if sent is None else await sent.read()
    if not pictures:
        return None
    try:
        await asyncio.to_thread(ZipPictures, pictures)
    except Refusal as error:
        form.add_problem("pictures", error.message)
    return pictures


def _file_name(file: UploadFile) -> str:
    # Some browsers send the whole path; a name is all we show and note.
    name = clean(file.filename).replace("\n", " ").replace("\\", "/").rpartition("/")[2].strip()
    return name[:FILE_NAME_LENGTH_MAX] or "upload"


def _uploads(request: PageRequest) -> KeptUploads:
    house = context_of(request.scope).house
    return KeptUploads(house.settings.media_directory, entropy=house.entropy)


IMPORT_HANDLERS = [show_import, download_sample, upload_import, show_dry_run, confirm_import]
