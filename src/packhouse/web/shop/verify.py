"""The page on which a visitor's own browser checks a draw; here nothing is computed."""

from litestar import get

from packhouse.web.shop.frame import Page, PageRequest, shop_page


@get("/verify")
async def show_verify(request: PageRequest) -> Page:
    """Check a receipt; ``?opening=ID`` is for the script, which begins with that one."""
    return await shop_page(request, "verify.html", {})


VERIFY_HANDLERS = [show_verify]
