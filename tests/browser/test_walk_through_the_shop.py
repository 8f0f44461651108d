"""From signing up to a parcel on its way, as a collector and the owner live it."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from browser.visitor import DESK, PASSWORD, PHONE, Visit, Visitor, minor

pytestmark = pytest.mark.browser

NEW_CARDS = """\
set_code,set_name,number,name,tier,value,quantity,place,location
EMB,Ember Hollow,001,Moth at the Bellows,D,0.50,60,on_sale,A-01
EMB,Ember Hollow,002,"Cinder, Twice Told",A,18.00,6,house,Safe 2
"""

TRACKING_NUMBER = "PH 4471 0093 US"


def test_a_card_goes_from_a_pack_to_a_parcel_on_its_way(
    visit: Visit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mira = visit("mira", PHONE)
    passer_by = visit("passer-by", DESK)
    owner = visit("owner", DESK)

    sign_up_and_buy_credits(mira)
    watch_the_feed(passer_by)
    open_first_light_by_touch(mira)
    measured = see_the_pull_arrive(passer_by, mira)
    with capsys.disabled():
        print(measured)  # noqa: T201 - for whoever reads the run; no test depends on a time
    open_the_other_packs(mira)
    look_through_the_vault(mira)
    sell_one_card_back(mira)
    have_one_card_sent(mira)

    import_new_cards(owner, tmp_path / "ember.csv")
    publish_a_pack_of_them(owner)
    passer_by.go("/")
    passer_by.follow("Ember")
    passer_by.sees("Sign in to open")
    passer_by.stop("17-new-pack-on-sale")
    send_the_parcel(owner)
    see_it_on_its_way(mira)
    suspend(owner, mira)
    read_the_audit_log(owner)


def sign_up_and_buy_credits(mira: Visitor) -> None:
    mira.go("/sign-up")
    mira.stop("01-sign-up")
    mira.sign_up("mira")
    mira.stop("02-shelf")
    mira.top_up("150.00")
    assert mira.balance() == 150_00
    mira.stop("03-wallet")


def watch_the_feed(passer_by: Visitor) -> None:
    passer_by.go("/feed")
    expect(passer_by.page.locator(".feed-state")).to_have_text("Live")
    passer_by.page.evaluate("addEventListener('pulls', () => { window.pulledAt ??= Date.now(); })")


def open_first_light_by_touch(mira: Visitor) -> None:
    mira.go("/")
    mira.follow("First Light")
    expect(mira.page.get_by_role("table", name="Odds by tier")).to_contain_text("65 %")
    mira.stop("04-odds")
    seed = mira.page.locator("input[name=client_seed]").input_value()
    assert re.fullmatch("[0-9a-f]{64}", seed)
    mira.press(re.compile("^Open for"))
    expect(mira.page.locator("pack-opening[data-tearing]")).to_be_attached()
    mira.page.wait_for_url("**/openings/**")
    mira.stop("05-face-down", whole=False)
    mira.page.get_by_role("button", name="Turn card 1 of 1").tap()
    mira.sees("Together worth")
    mira.stop("06-turned", whole=False)
    mira.page.get_by_text("How this was drawn").click()
    expect(mira.page.locator("#receipt code", has_text=seed)).to_be_visible()
    mira.stop("07-receipt")
    assert mira.balance() == 144_00


def see_the_pull_arrive(passer_by: Visitor, mira: Visitor) -> str:
    pull = passer_by.page.locator(".pull[data-new]", has_text="mira")
    expect(pull).to_be_visible()
    expect(pull).to_contain_text("First Light")
    answered = mira.page.evaluate(
        "performance.timeOrigin + performance.getEntriesByType('navigation')[0].fetchStart"
    )
    arrived = passer_by.page.evaluate("window.pulledAt")
    passer_by.stop("08-live-feed")
    return f"The pull arrived {arrived - answered:.0f} ms after the opening was answered."


def open_the_other_packs(mira: Visitor) -> None:
    for name, cards in (("Harbour Eight", 8), ("The Hollow Sky", 5), ("The Last Lantern", 1)):
        mira.go("/")
        mira.follow(name)
        mira.stop(f"09-{name.lower().replace(' ', '-')}")
        mira.press(re.compile("^Open for"))
        mira.page.wait_for_url("**/openings/**")
        expect(mira.page.locator("[data-face=down]")).to_have_count(cards)
        if cards == 1:
            mira.press("Turn the card")
        else:
            mira.press("Turn the next")
            expect(mira.page.locator("[data-face=down]")).to_have_count(cards - 1)
            mira.stop(f"10-{cards}-cards", whole=False)
            mira.press("Skip")
        mira.sees("Together worth")
        mira.stop(f"10-{cards}-cards-turned")


def look_through_the_vault(mira: Visitor) -> None:
    mira.go("/vault")
    cards = mira.page.locator(".cards .card")
    expect(cards).to_have_count(15)
    mira.stop("11-vault")
    mira.follow("value")
    values = [minor(text) for text in mira.page.locator(".card-value").all_inner_texts()]
    assert values == sorted(values, reverse=True)
    # Seven commons of one pack: some of them are of tier D or of tier C.
    tier = "D" if mira.page.locator(".cards .card.tier-D").count() else "C"
    held = mira.page.locator(f".cards .card.tier-{tier}").count()
    tab = mira.page.get_by_role("navigation", name="Tier")
    mira.follow(re.compile(f"^{tier}( |$)"), tab)
    expect(cards).to_have_count(held)
    expect(mira.page.locator(f".cards .card:not(.tier-{tier})")).to_have_count(0)
    mira.stop("12-vault-by-tier")


def sell_one_card_back(mira: Visitor) -> None:
    mira.go("/vault?sort=value")
    before = mira.balance()
    choice = mira.page.locator("input[data-sell-back]").last
    pays = int(choice.get_attribute("data-sell-back") or 0)
    choice.check()
    expect(mira.page.locator("[data-total]")).to_contain_text("Sell-back")
    mira.stop("13-chosen", whole=False)
    mira.press("Sell back")
    mira.sees("Sold back.")
    assert pays > 0
    assert mira.balance() == before + pays
    expect(mira.page.locator(".cards .card")).to_have_count(14)


def have_one_card_sent(mira: Visitor) -> None:
    mira.go("/vault?sort=value")
    before = mira.balance()
    mira.page.locator("input[data-shippable]").first.check()
    mira.press("Ship")
    mira.page.get_by_label("Country").select_option(label="United States")
    mira.press("Use this country")
    for label, text in (
        ("Name", "Mira Solano"),
        ("Street address", "1420 Juniper Street"),
        ("City", "Portland"),
        ("ZIP code", "97205"),
    ):
        mira.page.get_by_label(label).first.fill(text)
    mira.page.get_by_label("State").select_option(label="Oregon")
    mira.stop("14-address-and-quote")
    send = mira.page.get_by_role("button", name=re.compile("^Send for"))
    cost = minor(send.inner_text())
    send.click()
    mira.sees("We pack your cards and send them off.")
    mira.sees("Requested")
    assert mira.balance() == before - cost
    mira.stop("15-parcel-pending")


def import_new_cards(owner: Visitor, file: Path) -> None:
    owner.sign_in("owner@example.com", "packhouse-demo")
    owner.page.wait_for_url("**/admin")
    owner.stop("20-overview")
    file.write_text(NEW_CARDS)
    owner.go("/admin/import")
    owner.stop("21-import")
    owner.page.get_by_label("Cards, as CSV or JSON").set_input_files(file)
    owner.press("Look at what would happen")
    owner.sees("Nothing has been written yet.")
    owner.sees("Moth at the Bellows")
    owner.stop("22-dry-run")
    owner.press("Import it")
    owner.sees("all of the file")
    owner.go("/admin/stock?q=Cinder")
    row = owner.page.get_by_role("row", name="Cinder, Twice Told")
    row.get_by_label("How many copies").fill("6")
    owner.press("Put on sale", row)
    expect(row.locator("[data-label='On sale']")).to_have_text("6")
    owner.stop("23-stock")


def publish_a_pack_of_them(owner: Visitor) -> None:
    owner.go("/admin/packs")
    owner.stop("24-packs")
    owner.go("/admin/packs/new")
    page = owner.page
    page.get_by_label("Name", exact=True).first.fill("Ember")
    page.get_by_label("Address").fill("ember")
    page.get_by_label("Price").fill("3.00")
    page.get_by_label("Position").fill("9")
    page.get_by_label("Ember Hollow").check()
    page.get_by_label("Weight of tier D in Card").fill("95")
    page.get_by_label("Weight of tier A in Card").fill("5")
    page.locator("form.stack").get_by_role("button", name="Show the figures").last.click()
    # 95 % of 0.50 and 5 % of 18.00; at most 80 % of that is paid back.
    figures = page.locator("section", has=page.get_by_role("heading", name="Figures"))
    expect(figures).to_contain_text("1.375")
    expect(figures).to_contain_text("1.90")
    owner.stop("25-figures")
    owner.press("Save the draft")
    owner.sees("The draft is saved.")
    page.get_by_label("Reason").first.fill("Opening week of Ember Hollow")
    owner.press("Publish")
    owner.sees("Version 1 is on sale.")
    owner.stop("26-published")


def send_the_parcel(owner: Visitor) -> None:
    owner.go("/admin/shipping")
    owner.stop("30-queue")
    owner.page.locator("tbody th a").first.click()
    owner.sees("1420 Juniper Street")
    owner.press("Start packing")
    owner.sees("Being packed.")
    owner.stop("31-packing")
    slip = owner.page.get_by_role("link", name="Packing slip").get_attribute("href")
    answer = owner.page.request.get(str(slip))
    assert (answer.status, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.body().startswith(b"%PDF-")
    owner.page.get_by_label("Carrier").fill("Harbour Post")
    owner.page.get_by_label("Tracking number").fill(TRACKING_NUMBER)
    owner.press("Mark as shipped")
    owner.sees("Shipped. The collector sees it on the way")
    owner.stop("32-shipped")


def see_it_on_its_way(mira: Visitor) -> None:
    mira.go("/shipping")
    mira.stop("33-parcels")
    mira.page.locator("tbody th a").first.click()
    mira.sees("Harbour Post")
    mira.sees(TRACKING_NUMBER)
    mira.sees("On its way")
    mira.stop("34-on-its-way")


def suspend(owner: Visitor, mira: Visitor) -> None:
    mira.go("/packs/first-light")
    owner.go("/admin/users?q=mira")
    owner.follow("mira")
    owner.stop("40-user")
    panel = owner.page.locator("section", has=owner.page.get_by_role("heading", name="Suspend"))
    panel.get_by_label("Reason").fill("Sold the same card twice elsewhere")
    owner.press("Suspend the account")
    owner.sees("Sold the same card twice elsewhere")
    owner.stop("41-suspended")
    mira.press(re.compile("^Open for"))
    mira.page.wait_for_url("**/sign-in**")
    mira.expect_refusals(403)
    mira.page.get_by_label("E-mail").fill("mira@example.com")
    mira.page.get_by_label("Password").fill(PASSWORD)
    mira.press("Sign in", mira.page.locator("main"))
    mira.sees("suspended")
    mira.stop("42-refused")


def read_the_audit_log(owner: Visitor) -> None:
    owner.go("/admin/audit-log")
    log = owner.page.locator("tbody")
    for words in ("ember.csv", "pack ember", "Opening week of Ember Hollow", "parcel"):
        expect(log).to_contain_text(words)
    expect(log).to_contain_text("Sold the same card twice elsewhere")
    owner.stop("43-audit-log")
