"""Answers that everybody may see and keep for a moment: RFC 9111 and 9110 in one function."""

from typing import Final, TypeVar, cast

import msgspec
from litestar import Response
from litestar.enums import MediaType
from litestar.openapi import ResponseSpec

from packhouse.web.answers import etag_of, matches_etag
from packhouse.web.api.requests import ApiRequest

FRESH_FOR_A_MOMENT: Final = "public, max-age=1"
"""A crowd behind one proxy asks once a second; nobody sees anything older than that."""

UNCHANGED: Final = {
    304: ResponseSpec(None, generate_examples=False, description="You have it already.")
}
"""For the published document: the other good answer of whatever answers by ``public_answer``."""

Content = TypeVar("Content")


def public_answer(
    request: ApiRequest,
    content: Content,
    *,
    cache_control: str = FRESH_FOR_A_MOMENT,
    media_type: str = MediaType.JSON,
) -> Response[Content]:
    """``content`` as JSON with a strong entity tag, or 304 for whoever has it already.

    Bytes are taken as they are. The return type is for the published document: it says what the
    body decodes to.
    """
    body = content if isinstance(content, bytes) else msgspec.json.encode(content)
    etag = etag_of(body)
    headers = {"ETag": etag, "Cache-Control": cache_control}
    if matches_etag(request.headers.get("if-none-match"), etag):
        return cast("Response[Content]", Response(content=None, status_code=304, headers=headers))
    return cast("Response[Content]", Response(content=body, media_type=media_type, headers=headers))
