"""The browser's verifier in headless Chromium: golden vectors, and the page that checks a receipt.

No shop runs here: a small server on loopback has the static files, the page, one receipt and its
configuration, and nothing else, which is all that the page may ask for.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from browser.public_files import PublicFiles, put_pages, put_receipt, serving
from packhouse.draws import canonical_config, hash_of
from worlds.veil_draws import CONFIGS, WIDE_LOT, lot_receipt, odds_receipt

pytestmark = pytest.mark.browser

TESTS = Path(__file__).parents[1]
EIGHT = CONFIGS["seven commons and a hit"]
RECEIPT = odds_receipt(EIGHT, nonce=7)
RECEIPT_MATCHES = (
    "All on the receipt matches. Whether it is in the public log could not be looked up."
)


@pytest.fixture
def files() -> PublicFiles:
    made = PublicFiles()
    made.put("/", b"<!doctype html><title>Vectors</title>", "text/html")
    made.put(
        "/verify-vectors.js",
        (TESTS / "browser" / "verify-vectors.js").read_bytes(),
        "text/javascript",
    )
    made.put(
        "/verify-log-vectors.js",
        (TESTS / "browser" / "verify-log-vectors.js").read_bytes(),
        "text/javascript",
    )
    put_pages(made)
    put_receipt(made, RECEIPT)
    for config in (EIGHT, WIDE_LOT):
        canonical = canonical_config(config)
        path = f"/api/v1/packs/{config.slug}/versions/{hash_of(canonical).hex()}"
        made.put(path, canonical, "application/json")
    return made


@pytest.fixture
def address(files: PublicFiles) -> Iterator[str]:
    with serving(files) as served:
        yield served


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    context = chromium.new_context(base_url=address)
    yield context.new_page()
    context.close()


def test_the_golden_vectors_hold_in_a_browser(page: Page) -> None:
    vectors = json.loads((TESTS / "vectors" / "draws.json").read_text(encoding="utf-8"))
    page.goto("/")
    result: dict[str, Any] = page.evaluate(
        """async (vectors) => {
          const { vectorFailures } = await import("/verify-vectors.js");
          return vectorFailures("/static/verify/", vectors);
        }""",
        vectors,
    )
    assert result["failures"] == []
    assert result["checked"] > 150


def test_the_golden_vectors_of_the_log_hold_in_a_browser(page: Page) -> None:
    vectors = json.loads((TESTS / "vectors" / "log.json").read_text(encoding="utf-8"))
    page.goto("/")
    result: dict[str, Any] = page.evaluate(
        """async (vectors) => {
          const { logVectorFailures } = await import("/verify-log-vectors.js");
          return logVectorFailures("/static/verify/", vectors);
        }""",
        vectors,
    )
    assert result["failures"] == []
    assert result["checked"] > 100


def test_the_page_draws_a_pack_again_and_asks_for_public_files_alone(
    page: Page, files: PublicFiles
) -> None:
    page.goto(f"/verify/opening?opening={RECEIPT.id}")
    expect(page.locator("[data-verdict]")).to_have_text(RECEIPT_MATCHES)
    steps = page.locator("[data-steps] > li")
    expect(steps).to_have_count(6)
    drawn = RECEIPT.cards[-1].tier_ticket
    assert drawn is not None
    expect(steps.nth(4)).to_contain_text(f"{drawn.number} of {drawn.of:,}")
    asked = {path for path in files.asked if path.startswith("/api/")}
    assert asked == {
        f"/api/v1/openings/{RECEIPT.id}",
        f"/api/v1/packs/{EIGHT.slug}/versions/{RECEIPT.proof.config_hash}",
    }


def test_the_page_names_the_place_that_was_changed(page: Page, files: PublicFiles) -> None:
    forged = msgspec.structs.replace(RECEIPT, price=400)
    put_receipt(files, forged)
    page.goto(f"/verify/opening?opening={RECEIPT.id}")
    expect(page.locator("[data-verdict]")).to_contain_text("does not match")
    expect(page.locator("[data-steps]")).to_contain_text("price: expected 500, found 400")


def test_the_page_takes_a_pasted_receipt_with_a_renamed_field_for_what_it_is(page: Page) -> None:
    page.goto("/verify/opening")
    page.get_by_text("Use files instead").click()
    text = msgspec.json.encode(RECEIPT).decode().replace('"created_at"', '"opened_at"')
    page.get_by_label("Receipt, pasted").fill(text)
    page.get_by_role("button", name="Check").click()
    expect(page.locator("[data-verdict]")).to_contain_text("does not match")
    expect(page.locator("[data-steps]")).to_contain_text("opened_at: expected no such field")


def test_the_page_checks_files_of_a_lot(page: Page, tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.json"
    receipt.write_bytes(msgspec.json.encode(lot_receipt(WIDE_LOT, first_draw=30)))
    page.goto("/verify/opening")
    page.get_by_text("Use files instead").click()
    page.get_by_label("Receipt, as a file").set_input_files(receipt)
    page.get_by_role("button", name="Check").click()
    expect(page.locator("[data-verdict]")).to_have_text(RECEIPT_MATCHES)
    expect(page.locator("[data-steps]")).to_contain_text("the last-one prize")


def test_the_page_says_what_waits_for_the_reveal(page: Page, files: PublicFiles) -> None:
    put_receipt(files, msgspec.structs.replace(RECEIPT, server_seed=None))
    page.goto(f"/verify/opening?opening={RECEIPT.id}")
    expect(page.locator("[data-verdict]")).to_contain_text("So far all is well")


def test_the_page_says_when_it_could_not_look(page: Page) -> None:
    page.goto("/verify/opening?opening=01932f3e-7a00-7000-8000-00000000000f")
    expect(page.locator("[data-verdict]")).to_contain_text("answered 404")


def test_a_commitment_seen_before_is_compared(page: Page) -> None:
    page.goto("/verify/opening")
    page.get_by_label("Opening").fill(f"https://shop.example/openings/{RECEIPT.id}")
    page.get_by_text("Use files instead").click()
    page.get_by_label("A commitment you had seen before").fill("5a" * 32)
    page.get_by_role("button", name="Check").click()
    expect(page.locator("[data-verdict]")).to_contain_text("does not match")
    expect(page.locator("[data-steps]")).to_contain_text("proof.commitment: expected 5a5a")
