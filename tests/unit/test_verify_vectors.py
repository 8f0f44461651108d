"""The verifier that shares no code with the draws gives the golden vectors."""

import ast
import json
from pathlib import Path
from typing import Any, Final

import pytest

from packhouse import verify
from packhouse.verify import Differs, LotEntry, Mismatch

VECTORS: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "draws.json").read_text(encoding="utf-8")
)


def config_named(name: str) -> verify.PublishedConfig:
    config = VECTORS["configs"][name]
    return verify.read_config(config["canonical"].encode(), config_hash=config["config_hash"])


def verdict_on(receipt_text: str, config_name: str) -> tuple[str, list[Mismatch]]:
    try:
        receipt = verify.read_receipt(receipt_text.encode())
    except Differs as error:
        return "differs", [error.mismatch]
    config = config_named(config_name)
    mismatches = [
        *verify.check_commitment(receipt),
        *verify.check_terms(receipt, config),
        *verify.check_draws(receipt, config),
    ]
    if mismatches:
        return "differs", mismatches
    return "unrevealed" if receipt.server_seed is None else "matches", []


@pytest.mark.parametrize("vector", VECTORS["commitments"])
def test_commitments(vector: dict[str, str]) -> None:
    seed = bytes.fromhex(vector["server_seed"])
    assert verify.commitment_to(seed).hex() == vector["commitment"]


@pytest.mark.parametrize("vector", VECTORS["client_seeds"])
def test_client_seed_hashes(vector: dict[str, str]) -> None:
    assert verify.hash_of_client_seed(vector["client_seed"]).hex() == vector["client_seed_hash"]


@pytest.mark.parametrize("vector", VECTORS["messages"]["odds"])
def test_messages_of_odds_packs(vector: dict[str, Any]) -> None:
    message = verify.odds_message(
        config_hash=bytes.fromhex(vector["config_hash"]),
        user_key=bytes.fromhex(vector["user_key"]),
        nonce=int(vector["nonce"]),
        draw_index=vector["draw_index"],
        client_seed_hash=verify.hash_of_client_seed(vector["client_seed"]),
    )
    assert message.hex() == vector["message"]


@pytest.mark.parametrize("vector", VECTORS["messages"]["lot"])
def test_messages_of_lots(vector: dict[str, Any]) -> None:
    message = verify.lot_message(
        manifest_root=bytes.fromhex(vector["manifest_root"]),
        draw=int(vector["draw"]),
        user_key=bytes.fromhex(vector["user_key"]),
        client_seed_hash=verify.hash_of_client_seed(vector["client_seed"]),
    )
    assert message.hex() == vector["message"]


@pytest.mark.parametrize(
    "vector", VECTORS["tickets"], ids=lambda vector: f"{vector['name']} below {vector['n']}"
)
def test_tickets(vector: dict[str, str]) -> None:
    ticket = verify.ticket_below(
        int(vector["n"]),
        seed=bytes.fromhex(vector["seed"]),
        message=bytes.fromhex(vector["message"]),
    )
    assert str(ticket) == vector["ticket"]


@pytest.mark.parametrize("name", VECTORS["configs"])
def test_configurations_hash_and_are_canonical(name: str) -> None:
    canonical = VECTORS["configs"][name]["canonical"]
    assert config_named(name).config_hash == VECTORS["configs"][name]["config_hash"]
    tree = verify.parse_plain_json(canonical.encode(), name=name)
    assert verify.canonical_bytes(tree).decode() == canonical


@pytest.mark.parametrize("vector", VECTORS["openings"], ids=lambda vector: str(vector["config"]))
def test_openings(vector: dict[str, Any]) -> None:
    config = config_named(vector["config"])

    def number_of(draw_index: int, n: int) -> int:
        message = verify.odds_message(
            config_hash=bytes.fromhex(config.config_hash),
            user_key=bytes.fromhex(vector["user_key"]),
            nonce=vector["nonce"],
            draw_index=draw_index,
            client_seed_hash=verify.hash_of_client_seed(vector["client_seed"]),
        )
        return verify.ticket_below(n, seed=bytes.fromhex(vector["server_seed"]), message=message)

    drawn = verify.draw_pack(config, number_of=number_of)
    outcome = vector["outcome"]
    assert (drawn.layout, drawn.layout_ticket.number) == (
        outcome["layout"],
        outcome["layout_ticket"]["number"],
    )
    assert [
        (card.slot, card.tier, card.card, card.value, card.physical) for card in drawn.cards
    ] == [
        (card["slot"], card["tier"], card["card"], card["value"], card["physical"])
        for card in outcome["cards"]
    ]
    assert [
        (number, of)
        for card in drawn.cards
        for number, of in (
            (card.tier_ticket.number, card.tier_ticket.of),
            (card.card_ticket.number, card.card_ticket.of),
        )
    ] == [
        (ticket["number"], ticket["of"])
        for card in outcome["cards"]
        for ticket in (card["tier_ticket"], card["card_ticket"])
    ]


@pytest.mark.parametrize("vector", VECTORS["merkle_trees"], ids=lambda tree: len(tree["leaves"]))
def test_merkle_roots(vector: dict[str, Any]) -> None:
    leaves = [bytes.fromhex(leaf) for leaf in vector["leaves"]]
    assert verify.merkle_root(leaves).hex() == vector["root"]


@pytest.mark.parametrize("lot", VECTORS["lots"])
def test_whole_lots(lot: dict[str, Any]) -> None:
    leaves = [verify.canonical_bytes(item) for item in lot["manifest"]]
    assert [leaf.decode() for leaf in leaves] == lot["leaves"]
    root = verify.merkle_root(leaves)
    assert root.hex() == lot["manifest_root"]
    taken = verify.replay_lot(
        lot_seed=bytes.fromhex(lot["lot_seed"]),
        manifest_root=root,
        size=len(lot["draws"]),
        entries=[
            LotEntry(bytes.fromhex(entry["user_key"]), entry["client_seed"])
            for entry in lot["entries"]
        ],
    )
    assert taken == [draw["position"] for draw in lot["draws"]]


@pytest.mark.parametrize("vector", VECTORS["receipts"], ids=lambda vector: str(vector["name"]))
def test_verdicts_on_receipts(vector: dict[str, Any]) -> None:
    verdict, mismatches = verdict_on(vector["receipt"], vector["config"])
    assert verdict == vector["verdict"]
    if vector["field"] is not None:
        assert mismatches[0].field == vector["field"]


def test_the_verifier_imports_nothing_of_the_shop() -> None:
    folder = Path(verify.__file__).parent
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            ours = [name for name in names if name.split(".")[0] == "packhouse"]
            assert all(name.startswith("packhouse.verify") for name in ours), path.name
