"""The pages serve those without scripts, a mouse, motion or a large window."""

import re
from typing import Final

import pytest
from playwright.sync_api import expect

from browser.visitor import PHONE, Visit, Visitor

pytestmark = pytest.mark.browser

OPEN: Final = re.compile("^Open for")

STAFF_PAGES: Final = (
    "",
    "/shipping",
    "/stock",
    "/packs",
    "/packs/new",
    "/packs/harbour-eight",
    "/packs/last-lantern",
    "/import",
    "/cards",
    "/users",
    "/settings",
    "/audit-log",
)
PUBLIC_PAGES: Final = (
    "/feed",
    "/fairness",
    "/fairness/drift",
    "/verify",
    "/sign-in",
    "/sign-up",
    "/api/v1/docs",
)
OWN_PAGES: Final = ("/openings", "/account", "/fairness", "/shipping", "/wallet")


def test_a_pack_is_opened_and_a_card_sold_without_scripts(visit: Visit) -> None:
    noor = visit("noor", PHONE, java_script_enabled=False)
    noor.sign_up("noor")
    noor.top_up("40.00")
    noor.go("/packs/harbour-eight")
    noor.stop("50-pack-without-scripts")
    noor.press(OPEN)
    expect(noor.page.locator(".reveal-front img")).to_have_count(8)
    expect(noor.page.locator(".reveal-front img").last).to_be_visible()
    noor.sees("Together worth")
    assert noor.balance() == 21_00
    noor.stop("51-cards-without-scripts")

    noor.go("/vault")
    box = noor.page.locator("input[data-sell-back]").last
    pays = int(box.get_attribute("data-sell-back") or 0)
    box.check()
    noor.press("Sell back")
    noor.stop("52-sale-to-confirm")
    noor.press(re.compile("^Sell back for"))
    noor.sees("Sold back.")
    assert noor.balance() == 21_00 + pays


def test_a_pack_is_opened_by_keyboard_alone(visit: Visit) -> None:
    kit = visit("kit", PHONE)
    kit.sign_up("kit")
    kit.top_up("10.00")
    kit.go("/packs/first-light")
    _tab_to(kit, OPEN)
    kit.page.keyboard.press("Enter")
    kit.page.wait_for_url("**/openings/**")
    _tab_to(kit, re.compile("^Turn card 1"))
    kit.stop("55-focus-on-the-card", whole=False)
    kit.page.keyboard.press("Enter")
    kit.sees("Together worth")
    expect(kit.page.get_by_role("link", name="Open another")).to_be_focused()


def test_nothing_moves_for_those_who_ask_for_that(visit: Visit) -> None:
    lin = visit("lin", PHONE, reduced_motion="reduce")
    lin.sign_up("lin")
    lin.top_up("40.00")
    lin.go("/packs/harbour-eight")
    lin.page.evaluate(
        "new MutationObserver(() => sessionStorage.setItem('torn', 'yes'))"
        ".observe(document.querySelector('pack-opening'), { attributeFilter: ['data-tearing'] })"
    )
    lin.press(OPEN)
    lin.page.wait_for_url("**/openings/**")
    assert lin.page.evaluate("sessionStorage.getItem('torn')") is None
    lin.press("Reveal all")
    lin.sees("Together worth")
    moved = lin.page.evaluate(
        "document.getAnimations().filter((each) => each.effect.getComputedTiming().endTime > 50)"
        ".map((each) => each.transitionProperty ?? each.animationName)"
        ".filter((name) => name !== 'opacity')"
    )
    assert moved == []


def test_every_page_fits_a_phone(visit: Visit) -> None:
    passer_by = visit("passer-by", PHONE)
    for path in PUBLIC_PAGES:
        passer_by.go(path)
        passer_by.stop(f"60-public{path.replace('/', '-')}")
    collector = visit("collector", PHONE)
    collector.sign_in("collector@example.com", "packhouse-demo")
    collector.sees("Packs")
    for path in OWN_PAGES:
        collector.go(path)
        collector.stop(f"61-own{path.replace('/', '-')}")
    owner = visit("owner", PHONE)
    owner.sign_in("owner@example.com", "packhouse-demo")
    owner.page.wait_for_url("**/admin")
    for path in STAFF_PAGES:
        owner.go(f"/admin{path}")
        owner.stop(f"62-admin{path.replace('/', '-')}")


def _tab_to(visitor: Visitor, name: re.Pattern[str]) -> None:
    """Press the tabulator until the focus, which must be seen, is on the button with this name."""
    button = visitor.page.get_by_role("button", name=name)
    for _ in range(60):
        visitor.page.keyboard.press("Tab")
        if button.evaluate("(element) => element === document.activeElement"):
            break
    expect(button).to_be_focused()
    outline = button.evaluate("(element) => getComputedStyle(element).outlineStyle")
    assert outline != "none", f"the focus on {name.pattern} cannot be seen"
