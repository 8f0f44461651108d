"""The worked example of ``docs/fairness.md`` is what the shop's own code gives."""

import hmac
import re
from pathlib import Path
from uuid import UUID

from packhouse.draws import (
    LotItem,
    canonical_config,
    client_seed_hash,
    commitment_to,
    compile_config,
    decide,
    decide_lot,
    hash_of,
    manifest_leaf,
    merkle_root,
    parse_config,
)
from packhouse.draws.tickets import lot_message, odds_message
from packhouse.foundation.identifiers import CardId

DOCUMENT = (Path(__file__).parents[2] / "docs" / "fairness.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", DOCUMENT, re.DOTALL | re.MULTILINE)


def stated() -> dict[str, str]:
    return dict(re.findall(r"^(\S+) +(.+)$", "".join(blocks("text example")), re.MULTILINE))


EXAMPLE = stated()
SERVER_SEED = bytes.fromhex(EXAMPLE["server_seed"])
LOT_SEED = bytes.fromhex(EXAMPLE["lot_seed"])
USER_KEY = bytes.fromhex(EXAMPLE["user_key"])
NONCE = int(EXAMPLE["nonce"])
CLIENT_SEED = EXAMPLE["client_seed"]


def pack_figures(config_text: str) -> dict[str, str]:
    """Everything that the example says of the odds pack."""
    config = parse_config(config_text)
    config_hash = hash_of(canonical_config(config))
    outcome = decide(
        compile_config(config, config_hash),
        server_seed=SERVER_SEED,
        user_key=USER_KEY,
        nonce=NONCE,
        client_seed=CLIENT_SEED,
    )
    (card,) = outcome.cards
    figures = {
        "commitment": commitment_to(SERVER_SEED).hex(),
        "client_seed_hash": client_seed_hash(CLIENT_SEED).hex(),
        "config_hash": config_hash.hex(),
        "tier_number": str(card.tier_ticket.number),
        "card_number": str(card.card_ticket.number),
        "card": str(card.card),
        "value": str(card.value),
    }
    for name, draw_index in (("tier", 1), ("card", 2)):
        message = odds_message(
            config_hash=config_hash,
            user_key=USER_KEY,
            nonce=NONCE,
            draw_index=draw_index,
            client_seed_hash=client_seed_hash(CLIENT_SEED),
        )
        block = hmac.digest(SERVER_SEED, message + bytes(4), "sha256")
        figures |= {
            f"{name}_message": message.hex(),
            f"{name}_block": block.hex(),
            f"{name}_word": str(int.from_bytes(block[:8], "big")),
        }
    return figures


def lot_items() -> list[LotItem]:
    return [
        LotItem(
            position=position,
            card=CardId(UUID(int=position + 1)),
            stock_item_id=None,
            tier="D",
            value=100,
            is_last_one=False,
        )
        for position in range(3)
    ]


def lot_figures() -> dict[str, str]:
    """Everything that the example says of the lot."""
    root = merkle_root([manifest_leaf(item) for item in lot_items()])
    drawn = decide_lot(
        lot_seed=LOT_SEED,
        manifest_root=root,
        first_draw=0,
        draws=3,
        user_key=USER_KEY,
        client_seed=CLIENT_SEED,
        remaining=lot_items(),
    )
    first_message = lot_message(
        manifest_root=root,
        draw=0,
        user_key=USER_KEY,
        client_seed_hash=client_seed_hash(CLIENT_SEED),
    )
    figures = {
        "lot_commitment": commitment_to(LOT_SEED).hex(),
        "manifest_root": root.hex(),
        "draw_0_message": first_message.hex(),
    }
    for draw in drawn:
        figures[f"draw_{draw.draw}_number"] = str(draw.ticket.number)
        figures[f"draw_{draw.draw}_position"] = str(draw.item.position)
    return figures


INPUTS = {"server_seed", "user_key", "nonce", "client_seed", "lot_seed"}


def test_the_example_is_what_the_code_gives() -> None:
    (config_block,) = blocks("json config")
    worked_out = pack_figures(config_block.strip()) | lot_figures()
    assert {name: value for name, value in EXAMPLE.items() if name not in INPUTS} == worked_out


def test_the_example_shows_the_very_bytes_that_are_hashed() -> None:
    (config_block,) = blocks("json config")
    assert canonical_config(parse_config(config_block)).decode() == config_block.strip()
    (manifest_block,) = blocks("json manifest")
    leaves = [manifest_leaf(item).decode() for item in lot_items()]
    assert manifest_block.split("\n") == [*leaves, ""]
