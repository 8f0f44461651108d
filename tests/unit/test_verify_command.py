"""``packhouse verify`` over files: what it prints and how it ends."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from packhouse.cli import packhouse_commands
from packhouse.draws import PackConfig, Receipt, canonical_config, hash_of
from worlds.veil_draws import CONFIGS, WIDE_LOT, lot_receipt, odds_receipt

EIGHT = CONFIGS["seven commons and a hit"]
RECEIPT = odds_receipt(EIGHT, nonce=7)
EIGHT_HASH = hash_of(canonical_config(EIGHT)).hex()


@pytest.fixture(autouse=True)
def _no_shop_runs_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PACKHOUSE_DATA", str(tmp_path / "no-shop"))


def verify(*words: str | Path) -> Result:
    return CliRunner().invoke(packhouse_commands, ["verify", *map(str, words)])


def kept(folder: Path, receipt: Receipt, config: PackConfig = EIGHT) -> Path:
    """A receipt's file with the configuration beside it."""
    canonical = canonical_config(config)
    (folder / f"{hash_of(canonical).hex()}.json").write_bytes(canonical)
    path = folder / "receipt.json"
    path.write_bytes(msgspec.json.encode(receipt))
    return path


def changed(path: Path, **values: Any) -> Path:  # noqa: ANN401 - any JSON
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
    return path


def test_a_genuine_receipt_ends_with_0(tmp_path: Path) -> None:
    result = verify("opening", kept(tmp_path, RECEIPT))
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[-2:] == [
        "Every number drawn again is the same: 17 numbers, 8 cards.",
        "Everything matches.",
    ]


def test_a_receipt_that_was_laid_out_for_reading_still_matches(tmp_path: Path) -> None:
    path = kept(tmp_path, RECEIPT)
    path.write_text(json.dumps(json.loads(path.read_text()), indent=4, sort_keys=True))
    assert verify("opening", path).exit_code == 0


@pytest.mark.parametrize("first_draw", [0, 30])
def test_a_receipt_of_a_lot_with_its_seed_ends_with_0(tmp_path: Path, first_draw: int) -> None:
    path = kept(tmp_path, lot_receipt(WIDE_LOT, first_draw=first_draw), WIDE_LOT)
    result = verify("opening", path)
    assert result.exit_code == 0, result.output


def test_a_changed_value_ends_with_1_and_says_which(tmp_path: Path) -> None:
    result = verify("opening", changed(kept(tmp_path, RECEIPT), price=400))
    assert result.exit_code == 1
    assert result.output.splitlines()[-1] == "Mismatch: price: expected 500, found 400"


def test_a_renamed_field_ends_with_1(tmp_path: Path) -> None:
    path = kept(tmp_path, RECEIPT)
    path.write_text(path.read_text().replace('"created_at"', '"opened_at"'))
    result = verify("opening", path)
    assert result.exit_code == 1
    assert "created_at" in result.output or "opened_at" in result.output


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"null", b"[]", b'{"kind":"odds"}'])
def test_what_is_no_receipt_ends_with_1(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "receipt.json"
    path.write_bytes(content)
    assert verify("opening", path).exit_code == 1


def test_a_changed_configuration_ends_with_1(tmp_path: Path) -> None:
    path = kept(tmp_path, RECEIPT)
    other = tmp_path / "other.json"
    other.write_bytes(canonical_config(EIGHT).replace(b"Veil", b"Vale"))
    result = verify("opening", path, "--config", other)
    assert result.exit_code == 1
    assert f"expected {EIGHT_HASH}" in result.output


def test_an_unrevealed_receipt_ends_with_2(tmp_path: Path) -> None:
    path = changed(kept(tmp_path, RECEIPT), server_seed=None)
    result = verify("opening", path)
    assert result.exit_code == 2
    assert "not revealed yet" in result.output


def test_an_unrevealed_receipt_with_a_changed_card_ends_with_1(tmp_path: Path) -> None:
    path = changed(kept(tmp_path, RECEIPT), server_seed=None)
    path.write_text(path.read_text().replace('"tier": "D"', '"tier": "SSS"', 1))
    result = verify("opening", path)
    assert (result.exit_code, "cards[" in result.output) == (1, True)


def test_a_receipt_without_its_configuration_ends_with_2(tmp_path: Path) -> None:
    path = tmp_path / "receipt.json"
    path.write_bytes(msgspec.json.encode(RECEIPT))
    result = verify("opening", path)
    assert result.exit_code == 2
    assert "--config" in result.output


def test_a_wrong_seed_ends_with_1_even_without_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "receipt.json"
    path.write_bytes(msgspec.json.encode(RECEIPT))
    result = verify("opening", changed(path, server_seed="00" * 32))
    assert (result.exit_code, "server_seed" in result.output) == (1, True)


def test_a_missing_file_ends_with_2(tmp_path: Path) -> None:
    assert verify("opening", tmp_path / "nothing.json").exit_code == 2


def test_an_address_that_nobody_serves_ends_with_2() -> None:
    result = verify("opening", f"http://127.0.0.1:1/openings/{RECEIPT.id}")
    assert (result.exit_code, "could not be fetched" in result.output) == (2, True)


def test_a_commitment_seen_before_is_the_one_that_counts(tmp_path: Path) -> None:
    path = kept(tmp_path, RECEIPT)
    seen = ["--commitment", "5a" * 32]
    result = verify("opening", path, *seen)
    assert (result.exit_code, "proof.commitment" in result.output) == (1, True)
    assert verify("opening", path, *seen, "--commitment", RECEIPT.proof.commitment).exit_code == 0
    assert verify("opening", path, "--commitment", "abc").exit_code == 2


def test_the_odds_of_a_configuration_are_printed_as_fractions(tmp_path: Path) -> None:
    kept(tmp_path, RECEIPT)
    result = verify("pack", tmp_path / f"{EIGHT_HASH}.json")
    assert result.exit_code == 0, result.output
    assert "    tier SSS: 1/1000" in result.output.splitlines()
    assert result.output.count("card ") == 22


def test_the_prizes_of_a_lot_are_printed_as_fractions(tmp_path: Path) -> None:
    path = tmp_path / "lot.json"
    path.write_bytes(canonical_config(WIDE_LOT))
    wanted = hash_of(canonical_config(WIDE_LOT)).hex()
    result = verify("pack", path, "--config-hash", wanted)
    assert result.exit_code == 0, result.output
    assert "(tier B, value 132): 3/10" in result.output


def test_a_configuration_with_another_hash_ends_with_1(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(canonical_config(EIGHT))
    assert verify("pack", path, "--config-hash", "00" * 32).exit_code == 1
    assert verify("pack", path).exit_code == 2


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"weight":1}', b'"weight":0}'),
        (b'"weight":70}', b'"weight":-70}'),
        (b'"tier":"C"', b'"tier":"D"'),
        (b'"weight":70}', b'"weight":70.5}'),
        (b'"weight":70}', b'"weight": 70}'),
        (b'"count":7', b'"count":7,"luck":1'),
        (b"-000000000001", b"-000000000002"),
    ],
)
def test_a_configuration_out_of_order_ends_with_1(
    tmp_path: Path, before: bytes, after: bytes
) -> None:
    odd = canonical_config(EIGHT).replace(before, after, 1)
    assert odd != canonical_config(EIGHT)
    path = tmp_path / "config.json"
    path.write_bytes(odd)
    result = verify("pack", path, "--config-hash", hash_of(odd).hex())
    assert (result.exit_code, "Mismatch" in result.output) == (1, True)
