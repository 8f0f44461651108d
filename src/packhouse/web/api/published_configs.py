"""Published configurations as files: the very bytes that ``config_hash`` is the SHA-256 of."""

import re
from typing import Final, cast

from litestar import Response, get
from litestar.params import FromPath

from packhouse import draws
from packhouse.draws import PackConfig
from packhouse.foundation.errors import NotFound
from packhouse.web.api.public_answers import UNCHANGED, public_answer
from packhouse.web.api.requests import ApiRequest
from packhouse.web.context import context_of

NEVER_CHANGES: Final = "public, max-age=31536000, immutable"
_HASH: Final = re.compile(r"[0-9a-f]{64}")


@get(
    "/api/v1/packs/{slug:str}/versions/{config_hash:str}",
    tags=["packs"],
    responses=UNCHANGED,
)
async def get_pack_config(
    request: ApiRequest, slug: FromPath[str], config_hash: FromPath[str]
) -> Response[PackConfig]:
    """One published version in RFC 8785 JSON, byte for byte as it was hashed.

    A version stays here when the pack is published anew or withdrawn, so that old receipts can be
    checked.
    """
    config = None
    if _HASH.fullmatch(config_hash):
        async with context_of(request.scope).house.database.reading() as connection:
            config = await draws.find_pack_config(
                connection, slug=slug, config_hash=bytes.fromhex(config_hash)
            )
    if config is None:
        raise NotFound("No version of this pack was published with this hash.")
    return public_answer(request, cast("PackConfig", config.encode()), cache_control=NEVER_CHANGES)


PUBLISHED_CONFIG_HANDLERS = [get_pack_config]
