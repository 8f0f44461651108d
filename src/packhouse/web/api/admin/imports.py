"""Importing a catalogue with its stock over the API: a file, perhaps with a ZIP of pictures."""

import asyncio
from typing import Final

from litestar import post
from litestar.datastructures import UploadFile
from litestar.params import FromQuery

from packhouse.catalog import ImportReport
from packhouse.flows.import_catalog import ImportCatalog, import_catalog
from packhouse.foundation.errors import FieldError, InvalidInput, Refusal
from packhouse.plumbing.pictures import NoPictures, PictureSource, ZipPictures
from packhouse.web.api.requests import ApiRequest
from packhouse.web.context import context_of

FILE_NAME_LENGTH_MAX: Final = 120
_RAW_FILES: Final = {"text/csv": "import.csv", "application/json": "import.json"}


class UnsupportedMediaType(Refusal):
    """The body is of a kind that this address does not read."""

    code = "unsupported_media_type"


@post("/catalog/imports", status_code=200)
async def create_catalog_import(
    request: ApiRequest,
    dry_run: FromQuery[bool] = False,  # noqa: FBT002 - a flag of the query
) -> ImportReport:
    """Import cards and stock, all of the file or nothing; a dry run says what would happen.

    The body is the file itself (``text/csv`` or ``application/json``, with ``?dry_run=true``), or
    ``multipart/form-data`` with ``file``, ``pictures`` (a ZIP of the pictures that the file names;
    may be left out) and ``dry_run``. 422 ``import_refused`` lists every problem with its line.
    """
    context = context_of(request.scope)
    content_type = request.content_type[0]
    pictures: PictureSource = NoPictures()
    if content_type == "multipart/form-data":
        form = await request.form()
        upload = form.get("file")
        if not isinstance(upload, UploadFile):
            raise InvalidInput(
                "There is no file to import.", [FieldError("file", "Send a CSV or JSON file.")]
            )
        content, file_name = await upload.read(), _printable_name(upload.filename)
        archive = form.get("pictures")
        if isinstance(archive, UploadFile) and (zipped := await archive.read()):
            pictures = await asyncio.to_thread(ZipPictures, zipped)
        dry_run = dry_run or _is_set(form.get("dry_run"))
    elif content_type in _RAW_FILES:
        content, file_name = await request.body(), _RAW_FILES[content_type]
    else:
        raise UnsupportedMediaType(
            "Send multipart/form-data with a file, or the file itself as text/csv or"
            " application/json."
        )
    command = ImportCatalog(
        content=content,
        file_name=file_name,
        actor=context.actor(),
        dry_run=dry_run,
        pictures=pictures,
    )
    return await import_catalog(context.house, command)


def _printable_name(name: str) -> str:
    """The last part of a file name, fit for the audit log."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in last if c.isprintable())[:FILE_NAME_LENGTH_MAX] or "import"


def _is_set(value: object) -> bool:
    """Whether a form's field means yes; anything but a clear no does, so as to be safe."""
    if value is None:
        return False
    return not isinstance(value, str) or value.strip().lower() not in {"", "0", "false", "no"}


IMPORT_HANDLERS = [create_catalog_import]
