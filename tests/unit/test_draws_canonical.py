"""Canonical configurations: the same bytes for everyone, other bytes for any other terms."""

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packhouse.draws import DraftLayout, PackConfig, canonical_config, hash_of, parse_config
from packhouse.foundation.limits import CARD_VALUE_MAX_MINOR, ODDS_WEIGHT_MAX, PACK_PRICE_MAX_MINOR
from worlds.four_packs import (
    FINITE_LOT,
    GUARANTEED_HIT_PACK,
    RARE_LAYOUT_PACK,
    TIER_ODDS_PACK,
    config_of,
    lot_config_of,
    odds_draft,
    slot,
)

CONFIGS = [
    config_of(TIER_ODDS_PACK),
    config_of(GUARANTEED_HIT_PACK),
    config_of(RARE_LAYOUT_PACK),
    lot_config_of(FINITE_LOT),
]
Path = tuple[str | int, ...]


def numbers_in(value: object, path: Path = ()) -> Iterator[Path]:
    """Where each whole number stands in a tree of JSON."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from numbers_in(part, (*path, key))
    elif isinstance(value, list | tuple):
        for index, part in enumerate(value):
            yield from numbers_in(part, (*path, index))
    elif isinstance(value, int) and not isinstance(value, bool):
        yield path


def with_one_more_at(config: PackConfig, path: Path) -> PackConfig:
    tree: Any = json.loads(msgspec.json.encode(config))
    parent = tree
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] += 1
    return msgspec.convert(tree, PackConfig)


def config_hash(config: PackConfig) -> bytes:
    return hash_of(canonical_config(config))


@given(
    st.sampled_from(CONFIGS),
    st.text(max_size=40),
    st.text(max_size=40),
    st.integers(1, PACK_PRICE_MAX_MINOR),
)
def test_canonical_json_has_sorted_keys_no_spaces_and_plain_utf8(
    config: PackConfig, name: str, description: str, price: int
) -> None:
    config = msgspec.structs.replace(config, name=name, description=description, price=price)
    tree = json.loads(msgspec.json.encode(config))
    plain = json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert canonical_config(config) == plain.encode()


@given(st.sampled_from(CONFIGS), st.text(max_size=40))
def test_a_configuration_survives_its_canonical_json(config: PackConfig, name: str) -> None:
    config = msgspec.structs.replace(config, name=name)
    assert parse_config(canonical_config(config)) == config
    assert canonical_config(parse_config(canonical_config(config))) == canonical_config(config)


@pytest.mark.parametrize("config", CONFIGS)
def test_changing_any_number_changes_the_hash(config: PackConfig) -> None:
    paths = list(numbers_in(msgspec.to_builtins(config)))
    hashes = {config_hash(with_one_more_at(config, path)) for path in paths}
    assert len(hashes) == len(paths)
    assert config_hash(config) not in hashes


@pytest.mark.parametrize("config", CONFIGS)
def test_every_term_of_a_pack_is_in_what_is_hashed(config: PackConfig) -> None:
    named = {path[-1] for path in numbers_in(msgspec.to_builtins(config))}
    terms = {"price", "number", "rate_basis_points", "window_seconds", "value"}
    own = {"weight", "count"} if config.lot is None else {"packs", "cards_per_pack", "count"}
    assert named == terms | own


@pytest.mark.parametrize("field", ["slug", "name", "description"])
def test_changing_any_words_changes_the_hash(field: str) -> None:
    config = CONFIGS[0]
    changed = msgspec.structs.replace(config, **{field: getattr(config, field) + "."})
    assert config_hash(changed) != config_hash(config)


def test_a_hash_is_the_sha256_of_the_canonical_bytes() -> None:
    canonical = canonical_config(CONFIGS[0])
    assert hash_of(canonical) == hashlib.sha256(canonical).digest()


def test_a_small_pack_has_these_golden_bytes() -> None:
    config = config_of(odds_draft(DraftLayout("Ünique", (slot("Card", SSS=1),))))
    assert canonical_config(config).decode() == (
        '{"description":"","format":"packhouse.pack/1","kind":"odds","layouts":[{"name":"Ünique",'
        '"slots":[{"count":1,"name":"Card","odds":[{"cards":[{"card":'
        '"00000000-0000-0000-0000-000000000016","physical":true,"value":150022,"weight":1}],'
        '"tier":"SSS","weight":1}]}],"weight":1}],"lot":null,"name":"Veil","number":1,'
        '"out_of_stock":"pay_locked_value","price":500,'
        '"sell_back":{"rate_basis_points":8000,"window_seconds":604800},"slug":"veil"}'
    )


def test_the_largest_numbers_a_draft_allows_are_written_exactly() -> None:
    config = CONFIGS[0]
    tree: Any = json.loads(msgspec.json.encode(config))
    tree["layouts"][0]["weight"] = ODDS_WEIGHT_MAX
    tree["layouts"][0]["slots"][0]["odds"][0]["cards"][0]["value"] = CARD_VALUE_MAX_MINOR
    canonical = canonical_config(msgspec.convert(tree, PackConfig))
    assert re.findall(rb"\d{12,}(?=[,}])", canonical) == [b"100000000000", b"1000000000000"]


def test_a_configuration_with_an_unknown_field_is_refused() -> None:
    tree = json.loads(canonical_config(CONFIGS[0]))
    with pytest.raises(msgspec.ValidationError, match="luck"):
        parse_config(json.dumps(tree | {"luck": 7}))
