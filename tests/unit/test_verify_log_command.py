"""``packhouse verify log | lot | opening``: over a mirror, and over a log at an address."""

import json
import threading
from collections.abc import Iterator
from functools import cache
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from packhouse.cli import packhouse_commands
from packhouse.verify import log_address_of
from worlds.log_files import OTHER_KEY, log_files, verifier_key, write_files
from worlds.log_forgeries import LIES, forged_files, forked_checkpoint, true_checkpoint
from worlds.log_story import LogStory, canonical
from worlds.log_world import SmallLog


@cache
def honest() -> SmallLog:
    return SmallLog()


def write_mirror(folder: Path, *, leaves: int | None = None) -> Path:
    story = honest().story
    files = log_files(
        story.leaves[:leaves],
        configs=story.configs,
        manifests=story.manifests,
        openings=story.positions,
    )
    return write_files(folder, files)


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    return write_mirror(tmp_path / "log")


@pytest.fixture
def address(mirror: Path) -> Iterator[str]:
    """Where the folder above the mirror is served."""

    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *words: object) -> None:
            super().__init__(*words, directory=str(mirror.parent))  # type: ignore[arg-type]

        def log_message(self, format: str, *words: object) -> None:  # noqa: A002 - its name there
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def verify(*words: str | Path) -> Result:
    return CliRunner().invoke(packhouse_commands, ["verify", *map(str, words)])


def write_receipt(folder: Path, opening: str) -> Path:
    path = folder / "receipt.json"
    path.write_bytes(canonical(honest().story.receipts[opening]))
    return path


def forged(folder: Path, lie: str) -> Path:
    files, _ = forged_files(honest().story, LIES[lie])
    return write_files(folder / "forged", iter(files.items()))


def test_an_honest_mirror_ends_with_0(mirror: Path) -> None:
    result = verify("log", mirror, "--processes", "1")
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert "239 openings: 214 were drawn again, 25 wait for their seeds." in lines
    assert lines[-1] == "Everything matches."


def test_without_a_key_it_says_that_one_from_elsewhere_proves_more(mirror: Path) -> None:
    assert "would prove more" in verify("log", mirror).output
    assert "would prove more" not in verify("log", mirror, "--key", verifier_key()).output


def test_a_key_may_be_a_file(mirror: Path) -> None:
    assert verify("log", mirror / "checkpoint", "--key", mirror / "key").exit_code == 0


def test_another_key_ends_with_1(mirror: Path) -> None:
    result = verify("log", mirror, "--key", verifier_key(OTHER_KEY))
    assert (result.exit_code, "its signature" in result.output) == (1, True)
    assert verify("log", mirror, "--key", "a+b+c").exit_code == 1


def test_a_lie_ends_with_1_and_says_where(tmp_path: Path) -> None:
    result = verify("log", forged(tmp_path, "an opening dropped"))
    assert result.exit_code == 1
    assert "Mismatch: leaves[53].nonce: expected 8, found 9" in result.output


def test_of_many_mismatches_twenty_are_printed_and_the_rest_counted(tmp_path: Path) -> None:
    result = verify("log", forged(tmp_path, "a version never published"))
    assert result.output.count("Mismatch: ") == 20
    assert "more mismatches." in result.output.splitlines()[-1]


def test_an_earlier_checkpoint_is_the_beginning(tmp_path: Path, mirror: Path) -> None:
    earlier = tmp_path / "earlier"
    earlier.write_bytes(true_checkpoint(honest().story, size=100))
    result = verify("log", mirror, "--checkpoint", earlier)
    assert (result.exit_code, "100 leaves, is of the same log" in result.output) == (0, True)


def test_a_fork_ends_with_1(tmp_path: Path, mirror: Path) -> None:
    earlier = tmp_path / "earlier"
    earlier.write_bytes(forked_checkpoint(honest().story, size=100))
    result = verify("log", mirror, "--checkpoint", earlier)
    assert (result.exit_code, "a forked log" in result.output) == (1, True)


def test_a_larger_checkpoint_needs_the_tiles_of_its_tree(tmp_path: Path) -> None:
    story = honest().story
    larger = tmp_path / "larger"
    larger.write_bytes(true_checkpoint(story, size=len(story.leaves)))
    old = write_mirror(tmp_path / "old", leaves=200)
    assert verify("log", old, "--checkpoint", larger).exit_code == 2
    write_mirror(tmp_path / "old")
    (old / "checkpoint").write_bytes(true_checkpoint(story, size=200))
    write_files(old, log_files(story.leaves[:200], configs={}, manifests={}))
    assert verify("log", old, "--checkpoint", larger).exit_code == 0


def test_what_is_no_mirror_ends_with_2(tmp_path: Path, mirror: Path) -> None:
    assert verify("log", tmp_path / "nothing").exit_code == 2
    (mirror / "tile" / "0" / "000").unlink()
    assert verify("log", mirror).exit_code == 2


def test_a_mirror_without_a_configuration_ends_with_2(mirror: Path) -> None:
    next((mirror / "configs").iterdir()).unlink()
    result = verify("log", mirror)
    assert (result.exit_code, "configs/" in result.output) == (2, True)


def test_a_log_at_an_address_can_be_saved_and_checked_offline(tmp_path: Path, address: str) -> None:
    saved = tmp_path / "saved"
    # These pairs were never revealed, and their seven days are over by now.
    online = verify("log", f"{address}/log/checkpoint", "--save", saved)
    assert (online.exit_code, "no reveal until" in online.output) == (1, True)
    offline = verify("log", saved)
    assert offline.exit_code == 0, offline.output
    assert verify("log", address).exit_code == 1


def test_a_saved_mirror_catches_a_log_that_forked_since(
    tmp_path: Path, mirror: Path, address: str
) -> None:
    saved = tmp_path / "saved"
    verify("log", address, "--save", saved)
    before = (saved / "checkpoint").read_bytes()
    story = LogStory()
    for number in range(400):
        story.commit(number)
    write_files(mirror, log_files(story.leaves, configs={}, manifests={}))
    result = verify("log", address, "--save", saved)
    assert (result.exit_code, "a forked log" in result.output) == (1, True)
    assert (saved / "checkpoint").read_bytes() == before


def test_a_log_that_shrank_ends_with_2(tmp_path: Path, mirror: Path, address: str) -> None:
    saved = tmp_path / "saved"
    verify("log", address, "--save", saved)
    write_mirror(mirror, leaves=256)
    assert verify("log", address, "--save", saved).exit_code == 2


@pytest.mark.parametrize("place", [0, 40, -1])
def test_a_receipt_is_held_against_its_leaf(tmp_path: Path, mirror: Path, place: int) -> None:
    opening = list(honest().story.receipts)[place]
    result = verify("opening", write_receipt(tmp_path, opening), "--log", mirror)
    assert f"as leaf {honest().story.positions[opening]}," in result.output
    assert result.exit_code == (2 if place == -1 else 0)


def test_a_receipt_is_found_without_its_position(tmp_path: Path, mirror: Path) -> None:
    opening = list(honest().story.receipts)[30]
    (mirror / "openings" / opening).unlink()
    assert verify("opening", write_receipt(tmp_path, opening), "--log", mirror).exit_code == 0


def test_what_a_receipt_alone_does_not_bind_the_log_binds(tmp_path: Path, mirror: Path) -> None:
    path = write_receipt(tmp_path, next(iter(honest().story.receipts)))
    path.write_text(path.read_text().replace("Veil “", "Vale “", 1))
    result = verify("opening", path, "--log", mirror)
    assert (result.exit_code, ".receipt_hash: " in result.output) == (1, True)


def test_a_receipt_that_is_not_in_the_log_ends_with_1(tmp_path: Path, mirror: Path) -> None:
    path = write_receipt(tmp_path, next(iter(honest().story.receipts)))
    path.write_text(path.read_text().replace("-8002-000000000000", "-8002-00000000ffff"))
    result = verify("opening", path, "--log", mirror)
    assert (result.exit_code, "a leaf of the opening" in result.output) == (1, True)


def test_a_receipt_at_another_leaf_than_the_log_says_ends_with_1(
    tmp_path: Path, mirror: Path
) -> None:
    opening = next(iter(honest().story.receipts))
    (mirror / "openings" / opening).write_text(json.dumps({"position": 0}))
    assert verify("opening", write_receipt(tmp_path, opening), "--log", mirror).exit_code == 1


def test_a_lot_that_was_sold_out_left_exactly_once(mirror: Path) -> None:
    result = verify("lot", mirror, "--root", honest().lots[0].terms.manifest_root)
    assert result.exit_code == 0, result.output
    assert "All 40 prizes left exactly once, the last-one prize with the last draw." in (
        result.output
    )


def test_a_lot_that_was_closed_tells_what_is_left(mirror: Path) -> None:
    result = verify("lot", mirror, "--root", honest().lots[1].terms.manifest_root)
    assert result.exit_code == 0, result.output
    assert "closed after 4 of 40 draws" in result.output
    assert result.output.count("Left: ") == 4


def test_a_lot_on_sale_ends_with_2(mirror: Path) -> None:
    result = verify("lot", mirror, "--root", honest().lots[2].terms.manifest_root)
    assert (result.exit_code, "2 of 40 draws" in result.output) == (2, True)


def test_a_manifest_alone_says_which_lot(tmp_path: Path, mirror: Path) -> None:
    root = honest().lots[0].terms.manifest_root
    manifest = mirror / "manifests" / f"{root}.jsonl"
    result = verify("lot", manifest, "--log", mirror, "--draws")
    assert (result.exit_code, result.output.count("\nDraw ")) == (0, 40)
    assert verify("lot", manifest).exit_code == 2
    other = tmp_path / manifest.name
    other.write_bytes(manifest.read_bytes().replace(b'"tier":"SS"', b'"tier":"D"', 1))
    assert verify("lot", other, "--log", mirror).exit_code == 1


def test_a_lot_may_be_named_by_the_address_of_its_version(mirror: Path, address: str) -> None:
    lot = honest().lots[0]
    version = f"/api/v1/packs/{lot.config.slug}/versions/{lot.config_hash}"
    served = mirror.parent / version.removeprefix("/")
    served.parent.mkdir(parents=True)
    served.write_bytes(honest().story.configs[lot.config_hash])
    result = verify("lot", address + version)
    assert (result.exit_code, "left exactly once" in result.output) == (0, True), result.output


@pytest.mark.parametrize(
    ("target", "log"),
    [
        ("https://shop.example", "https://shop.example/log"),
        ("https://shop.example/", "https://shop.example/log"),
        ("https://shop.example/log", "https://shop.example/log"),
        ("https://shop.example/log/", "https://shop.example/log"),
        ("https://shop.example/log/checkpoint", "https://shop.example/log"),
        (
            "https://mirrors.example/logs/shop/log/checkpoint",
            "https://mirrors.example/logs/shop/log",
        ),
        ("https://mirrors.example/logs/shop", "https://mirrors.example/logs/shop/log"),
        ("folder/log", None),
    ],
)
def test_a_log_is_found_from_its_shop_or_its_files(target: str, log: str | None) -> None:
    assert log_address_of(target) == log


@pytest.mark.parametrize(
    "lie",
    [
        "a lot reordered",
        "two draws of a lot given to each other's people",
        "a card of a lot changed",
        "a number of a lot changed",
        "the last-one prize kept",
        "a prize exchanged in the manifest",
        "a lot listed after its first draw",
        "a lot's size changed",
    ],
)
def test_a_lie_about_a_lot_ends_with_1(tmp_path: Path, lie: str) -> None:
    root = honest().lots[0].terms.manifest_root
    result = verify("lot", forged(tmp_path, lie), "--root", root)
    assert (result.exit_code, "Mismatch: " in result.output) == (1, True)


def test_a_lot_that_nobody_listed_ends_with_1(mirror: Path) -> None:
    assert verify("lot", mirror, "--root", "00" * 32).exit_code == 1
    assert verify("lot", mirror).exit_code == 2
