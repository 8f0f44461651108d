"""The page that reads the draw log inside a visitor's browser.

No shop runs here: a small server on loopback has the page and the files of a small honest log.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.public_files import PublicFiles, put_pages, serving
from worlds.log_files import log_files, write_files
from worlds.log_forgeries import forked_checkpoint, true_checkpoint
from worlds.log_story import Pair, canonical
from worlds.log_world import SmallLog

pytestmark = pytest.mark.browser


@cache
def small_log() -> SmallLog:
    return SmallLog()


def mirror() -> dict[str, bytes]:
    story = small_log().story
    files = log_files(
        story.leaves,
        configs=story.configs,
        manifests=story.manifests,
        openings=story.positions,
    )
    return dict(files)


def put_log(files: PublicFiles) -> None:
    """The log as the shop serves it, and the other public answers that name its contents."""
    story = small_log().story
    for path, content in mirror().items():
        files.put(f"/log/{path}", content, "application/octet-stream")
    for config_hash, config in story.configs.items():
        slug = json.loads(config)["slug"]
        files.put(f"/api/v1/packs/{slug}/versions/{config_hash}", config, "application/json")
        answer = canonical({"config_hash": config_hash})
        files.put(f"/api/v1/packs/{slug}", answer, "application/json")
    for opening, receipt in story.receipts.items():
        files.put(f"/api/v1/openings/{opening}", canonical(receipt), "application/json")


def first_opening() -> str:
    return next(iter(small_log().story.receipts))


def from_before_the_reveals(history: dict[str, Any]) -> dict[str, Any]:
    """The same file as it was handed out when all seeds were secret still."""
    hidden = {"server_seed": None, "openings": None, "revealed_at": None}
    return history | {
        "seed_pairs": [pair | hidden for pair in history["seed_pairs"]],
        "receipts": [receipt | {"server_seed": None} for receipt in history["receipts"]],
    }


def history_of(user_keys: set[str]) -> dict[str, Any]:
    """The file that the collector with these keys would be given."""
    story = small_log().story
    leaves = [json.loads(leaf) for leaf in story.leaves]
    pairs = {
        leaf["user_key"]: {
            "commitment": leaf["commitment"],
            "user_key": leaf["user_key"],
            "created_at": leaf["at"],
            "first_used_at": None,
            "revealed_at": None,
            "server_seed": None,
            "openings": None,
        }
        for leaf in leaves
        if leaf["kind"] == "seed.committed" and leaf["user_key"] in user_keys
    }
    for leaf in leaves:
        if leaf["kind"] == "seed.revealed" and leaf["user_key"] in user_keys:
            pairs[leaf["user_key"]] |= {
                "revealed_at": leaf["at"],
                "server_seed": leaf["server_seed"],
                "openings": leaf["openings"],
            }
    return {
        "format": "packhouse.history/1",
        "seed_pairs": list(pairs.values()),
        "receipts": [
            receipt
            for receipt in story.receipts.values()
            if receipt["proof"]["user_key"] in user_keys
        ],
    }


@pytest.fixture
def files() -> PublicFiles:
    made = PublicFiles()
    put_pages(made)
    put_log(made)
    return made


@pytest.fixture
def address(files: PublicFiles) -> Iterator[str]:
    with serving(files) as served:
        yield served


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    context = chromium.new_context(base_url=address)
    context.clock.set_fixed_time(small_log().judged_at)
    yield context.new_page()
    context.close()


def check(page: Page) -> None:
    page.get_by_role("button", name="Check", exact=True).click()


def says(page: Page, words: str) -> None:
    expect(page.locator("[data-verdict]")).to_have_text(words, timeout=20_000)


def shows(page: Page, words: str) -> None:
    expect(page.locator("[data-steps]")).to_contain_text(words)


def test_a_receipt_is_proven_to_be_in_the_log_with_a_few_files(
    page: Page, files: PublicFiles
) -> None:
    opening = first_opening()
    page.goto(f"/verify/opening?opening={opening}")
    says(page, "Everything matches.")
    shows(page, f"Leaf {small_log().story.positions[opening]} of the log is this very receipt")
    asked = {path for path in files.asked if path.startswith("/log/")}
    assert asked == {
        "/log/checkpoint",
        "/log/key",
        f"/log/openings/{opening}",
        "/log/tile/entries/000",
        "/log/tile/0/000",
        "/log/tile/0/001.p/61",
    }


def test_a_receipt_that_is_not_the_one_of_its_leaf_is_caught(
    page: Page, files: PublicFiles
) -> None:
    receipt = small_log().story.receipts[first_opening()] | {"created_at": "2026-11-01T09:00:00Z"}
    files.put(f"/api/v1/openings/{first_opening()}", canonical(receipt), "application/json")
    page.goto(f"/verify/opening?opening={first_opening()}")
    says(page, "This receipt does not match what was published.")
    shows(page, "the leaf’s receipt_hash: expected")


def test_the_whole_log_is_read_beside_the_page(page: Page) -> None:
    page.goto("/verify/log")
    check(page)
    says(page, "Everything that can be checked today matches.")
    shows(page, "Packs drawn again from revealed seeds214")
    shows(page, "this browser sees this log for the first time")


def test_a_leaf_that_was_changed_is_named(page: Page, files: PublicFiles) -> None:
    path = "/log/tile/entries/000"
    content = files.files[path][1].replace(b'"nonce":3', b'"nonce":4', 1)
    files.put(path, content, "application/octet-stream")
    page.goto("/verify/log")
    check(page)
    expect(page.locator("[data-verdict]")).to_contain_text("in this log must not be")
    shows(page, "as in its tile")


def test_a_seed_that_stays_secret_for_too_long_is_named(page: Page) -> None:
    page.clock.set_fixed_time(datetime.fromisoformat("2027-01-01T00:00:00Z"))
    page.goto("/verify/log")
    check(page)
    says(page, "3 things in this log must not be.")
    shows(page, "its seed revealed within 7 days of this first use")


def test_a_log_that_forked_since_the_last_visit_is_caught(page: Page, files: PublicFiles) -> None:
    page.goto("/verify/log")
    check(page)
    says(page, "Everything that can be checked today matches.")
    files.put("/log/checkpoint", forked_checkpoint(small_log().story, size=317), "text/plain")
    check(page)
    says(page, "The log is not what it claims to be.")
    shows(page, "Compared withwhat this browser saw last time")
    page.get_by_role("button", name="Forget what this browser remembers").click()
    shows(page, "Forgotten.")


def test_a_checkpoint_from_elsewhere_has_to_be_its_beginning(page: Page) -> None:
    page.goto("/verify/log")
    page.get_by_text("from elsewhere than this shop").click()
    older = page.get_by_label("A checkpoint seen before")
    older.fill(true_checkpoint(small_log().story, size=100).decode())
    check(page)
    says(page, "Everything that can be checked today matches.")
    older.fill(forked_checkpoint(small_log().story, size=100).decode())
    check(page)
    says(page, "The log is not what it claims to be.")


def test_another_key_from_elsewhere_is_believed(page: Page) -> None:
    page.goto("/verify/log")
    page.get_by_text("from elsewhere than this shop").click()
    name = "shop.example/log+f2f56c3c+ARdFU7RW3d/GkI7KscEB/mqyHiuqBhd5W31DpjSCmT/V"
    page.get_by_label("The log’s key").fill(name)
    check(page)
    says(page, "The log is not what it claims to be.")
    shows(page, "the checkpoint, its signature")


def test_a_lot_that_has_ended_is_replayed(page: Page) -> None:
    root = small_log().lots[0].terms.manifest_root
    page.goto(f"/verify/lot?lot={root}")
    says(page, "Everything matches.")
    shows(page, "Drawn40 of 40")
    shows(page, "Left in the boxnothing")


def test_a_lot_that_still_runs_is_followed_by_its_numbers(page: Page) -> None:
    page.goto("/verify/lot")
    page.get_by_label("Lot", exact=False).first.fill("https://shop.example/packs/crate-2")
    check(page)
    expect(page.locator("[data-verdict]")).to_contain_text("So far all is well")


def test_a_lot_that_nobody_knows_is_not_there(page: Page) -> None:
    page.goto(f"/verify/lot?lot={'00' * 32}")
    says(page, "The log has no such lot.")


def test_a_packs_configuration_is_hashed_and_found_in_the_log(page: Page) -> None:
    page.goto("/verify/pack?pack=https%3A%2F%2Fshop.example%2Fpacks%2Fcrate-0")
    says(page, "Everything matches.")
    shows(page, "Tier SS")


def test_pasted_user_keys_are_looked_up(page: Page) -> None:
    page.goto("/verify/user")
    keys = " ".join(Pair(number).user_key.hex() for number in (0, 10))
    page.get_by_label("Or your keys in public records").fill(keys)
    check(page)
    says(page, "Everything matches.")
    shows(page, "Seed pairs2 pairs, 2 in use or used")


def test_a_history_is_held_against_the_log(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "history.json"
    history = history_of({Pair(number).user_key.hex() for number in (1, 11, 21)})
    file.write_bytes(canonical(history))
    page.goto("/verify/user")
    page.get_by_label("Your history, as a file").set_input_files(file)
    check(page)
    says(page, "Everything matches.")
    file.write_bytes(canonical(from_before_the_reveals(history)))
    page.get_by_label("Your history, as a file").set_input_files(file)
    check(page)
    says(page, "Everything matches.")
    lacking = history | {"receipts": history["receipts"][1:]}
    file.write_bytes(canonical(lacking))
    page.get_by_label("Your history, as a file").set_input_files(file)
    check(page)
    says(page, "1 thing about these draws must not be.")
    shows(page, f"the receipt of opening {history['receipts'][0]['id']}: expected one")


def test_a_folder_is_enough(page: Page, files: PublicFiles, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "copy", iter(mirror().items()))
    page.goto("/verify/log")
    files.asked.clear()
    page.get_by_text("from elsewhere than this shop").click()
    page.get_by_label("A folder with a copy of the log").set_input_files(folder)
    check(page)
    says(page, "Everything that can be checked today matches.")
    assert not [path for path in files.asked if path.startswith("/log/")]


def test_a_browser_without_ed25519_says_so_and_checks_the_rest(page: Page) -> None:
    page.add_init_script(
        """
        const importKey = crypto.subtle.importKey.bind(crypto.subtle);
        crypto.subtle.importKey = (form, key, algorithm, ...rest) =>
            algorithm.name === "Ed25519"
                ? Promise.reject(new DOMException("Unrecognized name.", "NotSupportedError"))
                : importKey(form, key, algorithm, ...rest);
        """
    )
    page.goto("/verify/log")
    check(page)
    says(
        page,
        "Everything that can be checked today matches."
        " Only the log’s signature could not be checked in this browser.",
    )
    shows(page, "Not checked: The signature of the log’s latest state")


def test_a_young_leaf_waits_for_its_checkpoint(page: Page, files: PublicFiles) -> None:
    last = list(small_log().story.positions)[-1]
    files.put("/log/checkpoint", true_checkpoint(small_log().story, size=100), "text/plain")
    page.goto(f"/verify/opening?opening={last}")
    shows(page, "younger than the log’s latest signed state")
