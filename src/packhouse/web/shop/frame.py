"""What every collector's page shares: the frame, redirects, and the word that an act was done."""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias, cast
from urllib.parse import parse_qs, quote

from litestar import Request, Response
from litestar.datastructures import State

from packhouse.accounts import NotSignedIn, SessionUser
from packhouse.foundation.errors import Refusal
from packhouse.web.asgi import Scope
from packhouse.web.errors import Malformed, retry_after_of, status_of
from packhouse.web.pages import Flash, page
from packhouse.web.queries import read_query
from packhouse.web.shop.forms import problems_of

PageRequest: TypeAlias = Request[SessionUser, None, State]
Page: TypeAlias = Response[Any]

NEXT_LENGTH_MAX: Final = 2_000
QUERY_FIELDS_MAX: Final = 1_000

DONE: Final[Mapping[str, Flash]] = {
    "account-closed": Flash(
        "info", "Your account is closed. Every draw of yours can still be checked."
    ),
    "account-made": Flash("success", "Welcome. Your account is ready and you are signed in."),
    "cards-sold": Flash("success", "Sold back. The credits are in your wallet."),
    "client-seed-kept": Flash("success", "Your client seed is kept."),
    "credits-added": Flash("success", "The credits are in your wallet."),
    "feed-name-chosen": Flash("success", "Your choice holds for every pull from now on."),
    "parcel-called-off": Flash(
        "success", "The parcel is called off. Cards and credits are yours again."
    ),
    "parcel-requested": Flash("success", "Thank you. We pack your cards and send them off."),
    "seed-rotated": Flash(
        "success", "The old server seed is revealed below, and a new one is committed to."
    ),
    "signed-out": Flash("info", "You are signed out."),
}
"""What may stand in ``?done=``: only these sentences, so that no link can put words on a page."""


async def shop_page(
    request: PageRequest,
    template: str,
    values: Mapping[str, Any],
    *,
    error: Refusal | None = None,
) -> Page:
    """A collector's page; what was done before, or what was refused just now, stands at its top."""
    done = DONE.get(query_of(request).get("done", ""))
    answer = await page(
        request,
        f"shop/{template}",
        {**values, "problems": problems_of(error)},
        status=200 if error is None else status_of(error),
        flash=() if done is None or error is not None else (done,),
    )
    wait_seconds = None if error is None else retry_after_of(error)
    if wait_seconds is not None:
        answer.headers["retry-after"] = str(wait_seconds)
    return answer


def see_other(path: str, *, done: str | None = None) -> Page:
    """Go on to another page of ours after a form."""
    if done is not None:
        path += f"{'&' if '?' in path else '?'}done={done}"
    return Response(content=b"", status_code=303, headers={"location": path})


def local_path(text: str | None) -> str | None:
    """A path on this very site, or None: a link must not lead away after a sign-in.

    Browsers take ``//host`` and ``/\\host`` for another host, and drop control characters first.
    """
    if text is None or not text.startswith("/") or text.startswith("//"):
        return None
    if len(text) > NEXT_LENGTH_MAX or not text.isascii() or not text.isprintable():
        return None
    return None if "\\" in text or " " in text else text


def query_of(request: PageRequest) -> Mapping[str, str]:
    """The query string's values by name, the last one winning."""
    return read_query(cast("Scope", request.scope))


def query_values(request: PageRequest, name: str) -> tuple[str, ...]:
    """All values that the query string has for a name. Raises ``Malformed``."""
    query = request.scope["query_string"].decode("latin-1")
    try:
        return tuple(parse_qs(query, max_num_fields=QUERY_FIELDS_MAX).get(name, ()))
    except ValueError as error:
        raise Malformed("This address has too many parts.") from error


def to_sign_in(request: PageRequest, _: NotSignedIn) -> Page:
    """Whoever has to sign in first does so, and comes back."""
    return see_other(f"/sign-in?next={quote(_way_back(request), safe='/')}")


def _way_back(request: PageRequest) -> str:
    path: str = request.scope["path"]
    if request.scope["method"] == "GET":
        query = request.scope["query_string"].decode("latin-1")
        return f"{path}?{query}" if query else path
    # A form's own address shows nothing; the page that it stands on is one step up.
    return path.rpartition("/")[0] or path
