"""The browser's verifier in headless Chromium: golden vectors, and the page that checks a receipt.

No shop runs here: a small server on loopback has the static files, the page, one receipt and its
configuration, and nothing else, which is all that the page may ask for.
"""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

import packhouse.web
from packhouse.draws import Receipt, canonical_config, hash_of
from packhouse.web.pages import environment
from worlds.veil_draws import CONFIGS, WIDE_LOT, lot_receipt, odds_receipt

pytestmark = pytest.mark.browser

TESTS = Path(__file__).parents[1]
STATIC = Path(packhouse.web.__file__).parent / "static"
EIGHT = CONFIGS["seven commons and a hit"]
RECEIPT = odds_receipt(EIGHT, nonce=7)
TYPES = {".js": "text/javascript", ".json": "application/json", ".css": "text/css"}


class PublicFiles:
    """Files by their path, and what was asked for."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[str, bytes]] = {}
        self.asked: list[str] = []

    def put(self, path: str, content: bytes, media_type: str) -> None:
        self.files[path] = (media_type, content)

    def find(self, path: str) -> tuple[str, bytes] | None:
        if path in self.files:
            return self.files[path]
        if path.startswith("/static/"):
            plain = re.sub(r"\.[0-9a-f]{12}(?=\.[a-z]+$)", "", path.removeprefix("/static/"))
            file = STATIC / plain
            if file.is_file():
                return TYPES.get(file.suffix, "image/svg+xml"), file.read_bytes()
        return None


@contextmanager
def serving(files: PublicFiles) -> Iterator[str]:
    """Serve on loopback; gives the address."""

    class Answerer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            files.asked.append(path)
            found = files.find(path)
            if found is None:
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            media_type, content = found
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", f"{media_type}; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answerer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def files() -> PublicFiles:
    made = PublicFiles()
    made.put("/", b"<!doctype html><title>Vectors</title>", "text/html")
    made.put(
        "/verify-vectors.js",
        (TESTS / "browser" / "verify-vectors.js").read_bytes(),
        "text/javascript",
    )
    frame: dict[str, Any] = {
        "shop_name": "Veil",
        "viewer": None,
        "path": "/verify",
        "flash": (),
        "problems": {},
    }
    page = environment().get_template("shop/verify.html").render(frame)
    made.put("/verify", page.encode(), "text/html")
    publish(made, RECEIPT)
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


def publish(files: PublicFiles, receipt: Receipt) -> None:
    content = msgspec.json.encode(receipt)
    files.put(f"/api/v1/openings/{receipt.id}", content, "application/json")


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


def test_the_page_draws_a_pack_again_and_asks_for_public_files_alone(
    page: Page, files: PublicFiles
) -> None:
    page.goto(f"/verify?opening={RECEIPT.id}")
    expect(page.locator("[data-verdict]")).to_have_text("Everything matches.")
    steps = page.locator("[data-steps] > li")
    expect(steps).to_have_count(5)
    drawn = RECEIPT.cards[-1].tier_ticket
    assert drawn is not None
    expect(steps.last).to_contain_text(f"{drawn.number} of {drawn.of:,}")
    asked = {path for path in files.asked if path.startswith("/api/")}
    assert asked == {
        f"/api/v1/openings/{RECEIPT.id}",
        f"/api/v1/packs/{EIGHT.slug}/versions/{RECEIPT.proof.config_hash}",
    }


def test_the_page_names_the_place_that_was_changed(page: Page, files: PublicFiles) -> None:
    forged = msgspec.structs.replace(RECEIPT, price=400)
    publish(files, forged)
    page.goto(f"/verify?opening={RECEIPT.id}")
    expect(page.locator("[data-verdict]")).to_contain_text("does not match")
    expect(page.locator("[data-steps]")).to_contain_text("price: expected 500, found 400")


def test_the_page_takes_a_pasted_receipt_with_a_renamed_field_for_what_it_is(page: Page) -> None:
    page.goto("/verify")
    page.get_by_text("Use files instead").click()
    text = msgspec.json.encode(RECEIPT).decode().replace('"created_at"', '"opened_at"')
    page.get_by_label("Receipt, pasted").fill(text)
    page.get_by_role("button", name="Check").click()
    expect(page.locator("[data-verdict]")).to_contain_text("does not match")
    expect(page.locator("[data-steps]")).to_contain_text("opened_at: expected no such field")


def test_the_page_checks_files_of_a_lot(page: Page, tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.json"
    receipt.write_bytes(msgspec.json.encode(lot_receipt(WIDE_LOT, first_draw=30)))
    page.goto("/verify")
    page.get_by_text("Use files instead").click()
    page.get_by_label("Receipt, as a file").set_input_files(receipt)
    page.get_by_role("button", name="Check").click()
    expect(page.locator("[data-verdict]")).to_have_text("Everything matches.")
    expect(page.locator("[data-steps]")).to_contain_text("the last-one prize")


def test_the_page_says_what_waits_for_the_reveal(page: Page, files: PublicFiles) -> None:
    publish(files, msgspec.structs.replace(RECEIPT, server_seed=None))
    page.goto(f"/verify?opening={RECEIPT.id}")
    expect(page.locator("[data-verdict]")).to_contain_text("So far all is well")


def test_the_page_says_when_it_could_not_look(page: Page) -> None:
    page.goto("/verify?opening=01932f3e-7a00-7000-8000-00000000000f")
    expect(page.locator("[data-verdict]")).to_contain_text("answered 404")


def test_a_commitment_seen_before_is_compared(page: Page) -> None:
    page.goto("/verify")
    page.get_by_label("Opening").fill(f"https://shop.example/openings/{RECEIPT.id}")
    page.get_by_text("Use files instead").click()
    page.get_by_label("A commitment you had seen before").fill("5a" * 32)
    page.get_by_role("button", name="Check").click()
    expect(page.locator("[data-verdict]")).to_contain_text("does not match")
    expect(page.locator("[data-steps]")).to_contain_text("proof.commitment: expected 5a5a")
