"""The page on which a visitor's own browser checks draws and the log; here nothing is computed."""

from typing import Final

from litestar import get

from packhouse.web.shop.frame import Page, PageRequest, query_of, shop_page

CHECKS: Final = ("opening", "user", "lot", "pack", "log")


@get("/verify")
async def show_verify(request: PageRequest) -> Page:
    """One of the checks (``?check=``, an opening's without); further values are for the script.

    With one of them, such as ``?opening=ID`` or ``?check=lot&lot=ROOT``, it begins by itself.
    """
    asked = query_of(request).get("check")
    return await shop_page(
        request, "verify.html", {"check": asked if asked in CHECKS else CHECKS[0]}
    )


VERIFY_HANDLERS = [show_verify]
