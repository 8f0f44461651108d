"""A shop's story told straight into a draw log: each act appends the leaf that it makes.

The draws are decided by the shop's own pure code; stock is counted here, so that a value is paid
out only when no copy is left.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from packhouse.draws import (
    CompiledConfig,
    DrawnCard,
    LotDraw,
    LotItem,
    PackConfig,
    canonical_config,
    client_seed_hash,
    commitment_to,
    compile_config,
    decide,
    decide_lot,
    hash_of,
    manifest_leaf,
    merkle_root,
)

Tree = dict[str, Any]
BEGUN_AT = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)


def canonical(tree: object) -> bytes:
    """Canonical JSON of a tree without fractions."""
    text = json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def moment(at: datetime) -> str:
    """A time as leaves and receipts spell it."""
    return str(msgspec.to_builtins(at))


class Pair:
    """A seed pair; all of it follows from its number."""

    def __init__(self, number: int) -> None:
        self.server_seed = hashlib.sha256(b"server seed %d" % number).digest()
        self.commitment = commitment_to(self.server_seed).hex()
        self.user_key = hashlib.sha256(b"user key %d" % number).digest()[:16]
        self.openings = 0


class ListedLot:
    """A lot on sale: what is left of it, and its secret."""

    def __init__(self, config: PackConfig, items: Sequence[LotItem], seed: bytes) -> None:
        assert config.lot is not None
        self.config, self.terms, self.seed = config, config.lot, seed
        self.config_hash = hash_of(canonical_config(config)).hex()
        self.remaining = [item for item in items if not item.is_last_one]
        self.last_one = [item for item in items if item.is_last_one]
        self.draws = 0


class LogStory:
    """What happens in a shop, in its order; without ``receipts`` their hashes are invented."""

    def __init__(self, *, keeps_receipts: bool = True) -> None:
        self.at = BEGUN_AT
        self.leaves: list[bytes] = []
        self.configs: dict[str, bytes] = {}
        self.manifests: dict[str, bytes] = {}
        self.receipts: dict[str, Tree] = {}
        self.positions: dict[str, int] = {}
        self.stock: Counter[str] = Counter()
        self._keeps_receipts = keeps_receipts
        self._compiled: dict[str, CompiledConfig] = {}

    def wait(self, **span: float) -> None:
        """Let time go by; the arguments are a ``timedelta``'s."""
        self.at += timedelta(**span)

    def tell(self, kind: str, **fields: object) -> None:
        """Append a leaf."""
        self.leaves.append(canonical({"kind": kind, "at": moment(self.at), **fields}))

    def publish(self, config: PackConfig) -> str:
        """Put a version on sale; its ``config_hash``."""
        content = canonical_config(config)
        config_hash = hash_of(content).hex()
        self.configs[config_hash] = content
        self._compiled[config_hash] = compile_config(config, bytes.fromhex(config_hash))
        self.tell("pack.published", slug=config.slug, number=config.number, config_hash=config_hash)
        return config_hash

    def withdraw(self, config: PackConfig) -> None:
        """Take a version off sale."""
        config_hash = hash_of(canonical_config(config)).hex()
        self.tell("pack.withdrawn", slug=config.slug, config_hash=config_hash)

    def add_stock(self, **copies: int) -> None:
        """Copies come on sale, by the numbers of cards: ``c7=3``."""
        cards = _stock_cards(copies)
        self.stock.update({card["card"]: card["copies"] for card in cards})
        self.tell("stock.added", cards=cards)

    def withdraw_stock(self, **copies: int) -> None:
        """Copies leave the sale."""
        cards = _stock_cards(copies)
        self.stock.subtract({card["card"]: card["copies"] for card in cards})
        self.tell("stock.withdrawn", cards=cards)

    def commit(self, number: int) -> Pair:
        """Make a seed pair."""
        pair = Pair(number)
        self.tell("seed.committed", commitment=pair.commitment, user_key=pair.user_key.hex())
        return pair

    def reveal(self, pair: Pair) -> None:
        """End a seed pair."""
        self.tell(
            "seed.revealed",
            commitment=pair.commitment,
            user_key=pair.user_key.hex(),
            server_seed=pair.server_seed.hex(),
            openings=pair.openings,
        )
        for receipt in self.receipts.values():
            if receipt["proof"]["commitment"] == pair.commitment:
                receipt["server_seed"] = pair.server_seed.hex()

    def open_pack(self, pair: Pair, config_hash: str, client_seed: str) -> str:
        """Open an odds pack; the opening's id."""
        compiled = self._compiled[config_hash]
        nonce, pair.openings = pair.openings, pair.openings + 1
        outcome = decide(
            compiled,
            server_seed=pair.server_seed,
            user_key=pair.user_key,
            nonce=nonce,
            client_seed=client_seed,
        )
        paid_out = self._take_copies(outcome.cards)
        tickets = [outcome.layout_ticket.number]
        for card in outcome.cards:
            tickets += [card.tier_ticket.number, card.card_ticket.number]
        opening = self._next_id()
        cards = (
            [
                msgspec.to_builtins(card) | ({"paid_out": True} if place in paid_out else {})
                for place, card in enumerate(outcome.cards)
            ]
            if self._keeps_receipts
            else []
        )
        proof = {
            "nonce": nonce,
            "commitment": pair.commitment,
            "layout": outcome.layout,
            "layout_ticket": msgspec.to_builtins(outcome.layout_ticket),
            "lot": None,
        }
        self.tell(
            "pack.opened",
            opening=opening,
            receipt_hash=self._keep_receipt(
                opening, compiled.config, cards, proof, pair=pair, client_seed=client_seed
            ),
            config_hash=config_hash,
            commitment=pair.commitment,
            user_key=pair.user_key.hex(),
            nonce=nonce,
            client_seed_hash=client_seed_hash(client_seed).hex(),
            tickets=tickets,
            cards=[str(card.card) for card in outcome.cards],
            paid_out=paid_out,
        )
        for missing in dict.fromkeys(str(outcome.cards[place].card) for place in paid_out):
            self.tell("stock.exhausted", card=missing)
        return opening

    def list_lot(self, config: PackConfig, items: Sequence[LotItem], seed: bytes) -> ListedLot:
        """Put a lot on sale, its version first."""
        self.publish(config)
        lot = ListedLot(config, items, seed)
        lines = [manifest_leaf(item) for item in items]
        assert merkle_root(lines).hex() == lot.terms.manifest_root
        self.manifests[lot.terms.manifest_root] = b"".join(line + b"\n" for line in lines)
        self.tell(
            "lot.listed",
            config_hash=lot.config_hash,
            manifest_root=lot.terms.manifest_root,
            commitment=lot.terms.commitment,
            size=lot.terms.packs * lot.terms.cards_per_pack,
        )
        return lot

    def open_lot(self, lot: ListedLot, pair: Pair, client_seed: str) -> str:
        """Open one pack of a lot; the opening's id."""
        first = lot.draws
        draws = decide_lot(
            lot_seed=lot.seed,
            manifest_root=bytes.fromhex(lot.terms.manifest_root),
            first_draw=first,
            draws=lot.terms.cards_per_pack,
            user_key=pair.user_key,
            client_seed=client_seed,
            remaining=lot.remaining,
        )
        for draw in draws:
            lot.remaining.remove(draw.item)
        lot.draws += len(draws)
        last_one = [] if lot.remaining else lot.last_one
        opening = self._next_id()
        proof = {
            "nonce": None,
            "commitment": lot.terms.commitment,
            "layout": None,
            "layout_ticket": None,
            "lot": {
                "id": str(UUID(int=7_000 + int(lot.config_hash[:4], 16))),
                "manifest_root": lot.terms.manifest_root,
                "commitment": lot.terms.commitment,
            },
        }
        cards = [*map(_drawn_from_lot, draws), *map(_went_last, last_one)]
        self.tell(
            "lot.opened",
            opening=opening,
            receipt_hash=self._keep_receipt(
                opening, lot.config, cards, proof, pair=pair, client_seed=client_seed
            ),
            config_hash=lot.config_hash,
            manifest_root=lot.terms.manifest_root,
            user_key=pair.user_key.hex(),
            client_seed_hash=client_seed_hash(client_seed).hex(),
            draw=first,
            tickets=[draw.ticket.number for draw in draws],
            cards=[card["card"] for card in cards],
        )
        return opening

    def close_lot(self, lot: ListedLot) -> None:
        """End a lot and reveal its seed."""
        self.tell(
            "lot.closed",
            manifest_root=lot.terms.manifest_root,
            commitment=lot.terms.commitment,
            server_seed=lot.seed.hex(),
            draws=lot.draws,
        )
        for receipt in self.receipts.values():
            if receipt["proof"]["commitment"] == lot.terms.commitment:
                receipt["server_seed"] = lot.seed.hex()

    def _next_id(self) -> str:
        opening = f"01932f3e-7a00-7000-8002-{len(self.positions):012x}"
        self.positions[opening] = len(self.leaves)
        return opening

    def _take_copies(self, cards: Sequence[DrawnCard]) -> list[int]:
        """Take a copy of each physical card; the places of those that have none."""
        paid_out = []
        for place, card in enumerate(cards):
            if not card.physical:
                continue
            if self.stock[str(card.card)]:
                self.stock[str(card.card)] -= 1
            else:
                paid_out.append(place)
        return paid_out

    def _keep_receipt(
        self,
        opening: str,
        config: PackConfig,
        drawn: Sequence[Tree],
        proof: Tree,
        *,
        pair: Pair,
        client_seed: str,
    ) -> str:
        """The receipt's hash."""
        if not self._keeps_receipts:
            return hashlib.sha256(opening.encode()).hexdigest()
        config_hash = hash_of(canonical_config(config)).hex()
        receipt = {
            "format": "packhouse.receipt/1",
            "id": opening,
            "kind": config.kind,
            "pack": {
                "slug": config.slug,
                "name": config.name,
                "version": config.number,
                "config_hash": config_hash,
            },
            "price": config.price,
            "cards": [_receipt_card(opening, place, card) for place, card in enumerate(drawn)],
            "proof": {
                "config_hash": config_hash,
                "user_key": pair.user_key.hex(),
                "client_seed": client_seed,
                "client_seed_origin": "request",
                **proof,
            },
            "created_at": moment(self.at),
            "server_seed": None,
        }
        self.receipts[opening] = receipt
        return hash_of(canonical(receipt)).hex()


def _stock_cards(copies: dict[str, int]) -> list[Tree]:
    return [
        {"card": str(UUID(int=int(name[1:]))), "copies": count} for name, count in copies.items()
    ]


def _drawn_from_lot(draw: LotDraw) -> Tree:
    ticket: Tree = msgspec.to_builtins(draw.ticket)
    return _item_card(draw.item) | {"draw": draw.draw, "ticket": ticket}


def _went_last(item: LotItem) -> Tree:
    return _item_card(item) | {"last_one": True}


def _item_card(item: LotItem) -> Tree:
    return {"card": str(item.card), "tier": item.tier, "value": item.value}


def _receipt_card(opening: str, place: int, drawn: Tree) -> Tree:
    number = int(drawn["card"][-4:], 16)
    face = {
        "id": drawn["card"],
        "name": f"Veil “{number:03d}”",
        "set": "Veil",
        "number": f"{number:03d}",
        "image_url": None,
    }
    rest = {name: value for name, value in drawn.items() if name not in {"card", "physical"}}
    user_card_id = str(UUID(int=UUID(opening).int + ((place + 1) << 64)))
    return {"user_card_id": user_card_id, "card": face, **rest}
