"""The two pictures of README: taken on every run, kept by `make pictures`."""

import io
import os
import re
from pathlib import Path
from typing import Final

import pytest
from PIL import Image
from playwright.sync_api import expect

from browser.visitor import DESK, PHONE, SCREENSHOTS, Screen, Visit, Visitor

pytestmark = pytest.mark.browser

FOLDER: Final = Path(os.environ.get("README_PICTURES", SCREENSHOTS / "readme"))

PHONE_SCREEN: Final[Screen] = {**PHONE, "device_scale_factor": 2}
PHONE_WIDTH: Final = 480
SHOP_SCREEN: Final[Screen] = {**DESK, "viewport": {"width": 1280, "height": 800}}

TORN_MS: Final = 460
"""How far the foil is open in the picture: half torn, the card looking out."""

LOOK_AGAIN_MS: Final = 200
LOOKS_MAX: Final = 10

HOLD_STILL: Final = """
    (ms) => document.getAnimations().forEach((each) => { each.pause(); each.currentTime = ms; })
"""


def test_a_pack_being_opened_on_a_phone(visit: Visit) -> None:
    ines = visit("ines", PHONE_SCREEN)
    ines.sign_up("ines")
    ines.top_up("50.00")
    # The page's own clock stands still, so that the foil is not torn off before it is pictured.
    ines.page.clock.install()
    ines.go("/packs/harbour-eight")
    ines.page.clock.pause_at(2_000_000_000_000)
    ines.press(re.compile("^Open for"))
    expect(ines.page.locator("pack-opening[data-tearing]")).to_be_attached()
    ines.page.evaluate(HOLD_STILL, TORN_MS)
    keep(ines, "opening-phone.png", width=PHONE_WIDTH, bytes_max=300_000)


def test_the_packs_on_sale(visit: Visit) -> None:
    hugo = visit("hugo", SHOP_SCREEN)
    hugo.sign_up("hugo")
    hugo.top_up("80.00")
    for slug in ("hollow-sky", "first-light", "first-light", "harbour-eight"):
        hugo.go(f"/packs/{slug}")
        hugo.press(re.compile("^Open for"))
        hugo.page.wait_for_url("**/openings/**")
    hugo.go("/")
    expect(hugo.page.locator(".pull").first).to_contain_text("hugo")
    keep(hugo, "shop.png", width=1280, bytes_max=400_000)


def keep(visitor: Visitor, name: str, *, width: int, bytes_max: int) -> None:
    """Keep what the window shows: sharp, and small enough for a README."""
    visitor.load_pictures()
    picture = Image.open(io.BytesIO(settled(visitor))).convert("RGB")
    height = round(picture.height * width / picture.width)
    picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    FOLDER.mkdir(parents=True, exist_ok=True)
    palette = picture.quantize(256)
    picture.quantize(palette=palette).save(FOLDER / name, optimize=True)
    assert (FOLDER / name).stat().st_size < bytes_max


def settled(visitor: Visitor) -> bytes:
    """The window once it looks the same twice; a picture is painted some time after it is there."""
    before, now = b"", visitor.page.screenshot()
    for _ in range(LOOKS_MAX):
        if before == now:
            break
        visitor.page.wait_for_timeout(LOOK_AGAIN_MS)
        before, now = now, visitor.page.screenshot()
    return now
