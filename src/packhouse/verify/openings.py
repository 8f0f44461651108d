"""One opening against what was published: every number, every card, every term."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence

from msgspec import UNSET

from packhouse.verify.configs import LotTerms, PublishedConfig
from packhouse.verify.drawing import (
    LotEntry,
    commitment_to,
    draw_pack,
    hash_of_client_seed,
    lot_ticket,
    odds_message,
    ticket_below,
)
from packhouse.verify.findings import Differs, Mismatch
from packhouse.verify.receipts import LotCard, LotReceipt, OddsCard, OddsReceipt, Receipt


def check_commitment(receipt: Receipt, *, known: Collection[str] = ()) -> list[Mismatch]:
    """The revealed seed hashes to the commitment, and that is one of those ``known`` from before.

    ``known`` are hexadecimal; without any, the receipt's own word is taken for it.
    """
    proof = receipt.proof
    found = []
    if known and proof.commitment not in known:
        found.append(Mismatch("proof.commitment", " or ".join(sorted(known)), proof.commitment))
    if receipt.server_seed is not None:
        commitment = commitment_to(bytes.fromhex(receipt.server_seed)).hex()
        if commitment != proof.commitment:
            found.append(
                Mismatch(
                    "server_seed",
                    f"a seed with the SHA-256 {proof.commitment}",
                    f"{receipt.server_seed} with {commitment}",
                )
            )
    return found


def check_terms(receipt: Receipt, config: PublishedConfig) -> list[Mismatch]:
    """What the receipt repeats of the published version, it repeats rightly."""
    terms = config.terms
    kind = "lot" if isinstance(terms, LotTerms) else "odds"
    pairs: list[tuple[str, object, object]] = [
        ("kind", kind, "lot" if isinstance(receipt, LotReceipt) else "odds"),
        ("pack.slug", terms.slug, receipt.pack.slug),
        ("pack.name", terms.name, receipt.pack.name),
        ("pack.version", terms.number, receipt.pack.version),
        ("pack.config_hash", config.config_hash, receipt.pack.config_hash),
        ("proof.config_hash", config.config_hash, receipt.proof.config_hash),
        ("price", terms.price, receipt.price),
    ]
    if isinstance(terms, LotTerms) and isinstance(receipt, LotReceipt):
        pairs += [
            ("proof.commitment", terms.lot.commitment, receipt.proof.commitment),
            ("proof.lot.commitment", terms.lot.commitment, receipt.proof.lot.commitment),
            ("proof.lot.manifest_root", terms.lot.manifest_root, receipt.proof.lot.manifest_root),
        ]
    return [*_unequal(pairs), *_repeated_cards(receipt)]


def check_draws(receipt: Receipt, config: PublishedConfig) -> list[Mismatch]:
    """Every number and every card follow from the seeds and the published weights.

    Without the server seed, what the receipt's own numbers select is still checked.
    """
    if isinstance(receipt, OddsReceipt) and not isinstance(config.terms, LotTerms):
        return _check_odds_draws(receipt, config)
    if isinstance(receipt, LotReceipt) and isinstance(config.terms, LotTerms):
        return list(_check_lot_draws(receipt, config.terms))
    return [Mismatch("kind", "the kind of the published version", "the other kind")]


def _check_odds_draws(receipt: OddsReceipt, config: PublishedConfig) -> list[Mismatch]:
    number_of = (
        _stated_number(receipt)
        if receipt.server_seed is None
        else _drawn_number(receipt, bytes.fromhex(receipt.server_seed))
    )
    try:
        drawn = draw_pack(config, number_of=number_of)
    except Differs as error:
        return [error.mismatch]
    layout_ticket = receipt.proof.layout_ticket
    pairs: list[tuple[str, object, object]] = [
        ("proof.layout_ticket.number", drawn.layout_ticket.number, layout_ticket.number),
        ("proof.layout_ticket.of", drawn.layout_ticket.of, layout_ticket.of),
        ("proof.layout", drawn.layout, receipt.proof.layout),
        ("cards", f"{len(drawn.cards)} cards", f"{len(receipt.cards)} cards"),
    ]
    for i, (card, again) in enumerate(zip(receipt.cards, drawn.cards, strict=False)):
        at = f"cards[{i}]"
        pairs += [
            (f"{at}.slot", again.slot, card.slot),
            (f"{at}.tier_ticket.number", again.tier_ticket.number, card.tier_ticket.number),
            (f"{at}.tier_ticket.of", again.tier_ticket.of, card.tier_ticket.of),
            (f"{at}.tier", again.tier, card.tier),
            (f"{at}.card_ticket.number", again.card_ticket.number, card.card_ticket.number),
            (f"{at}.card_ticket.of", again.card_ticket.of, card.card_ticket.of),
            (f"{at}.card.id", again.card, card.card.id),
            (f"{at}.value", again.value, card.value),
        ]
        if card.paid_out is False:
            pairs.append((f"{at}.paid_out", "nothing, or true", "false"))
        if card.paid_out is True and not again.physical:
            pairs.append((f"{at}.paid_out", "nothing: a digital card never runs out", "true"))
    return _unequal(pairs)


def _drawn_number(receipt: OddsReceipt, server_seed: bytes) -> Callable[[int, int], int]:
    proof = receipt.proof
    config_hash, user_key = bytes.fromhex(proof.config_hash), bytes.fromhex(proof.user_key)
    client_seed_hash = hash_of_client_seed(proof.client_seed)

    def draw(draw_index: int, n: int) -> int:
        message = odds_message(
            config_hash=config_hash,
            user_key=user_key,
            nonce=proof.nonce,
            draw_index=draw_index,
            client_seed_hash=client_seed_hash,
        )
        return ticket_below(n, seed=server_seed, message=message)

    return draw


def _stated_number(receipt: OddsReceipt) -> Callable[[int, int], int]:
    def state(draw_index: int, n: int) -> int:
        field, ticket = "proof.layout_ticket", receipt.proof.layout_ticket
        if draw_index > 0:
            i, is_card = divmod(draw_index - 1, 2)
            if i >= len(receipt.cards):
                raise Differs("cards", expected=f"card number {i + 1}", found=f"{i} cards")
            card = receipt.cards[i]
            field = f"cards[{i}].{'card_ticket' if is_card else 'tier_ticket'}"
            ticket = card.card_ticket if is_card else card.tier_ticket
        if ticket.of != n:
            raise Differs(f"{field}.of", expected=str(n), found=str(ticket.of))
        if ticket.number >= n:
            raise Differs(f"{field}.number", expected=f"below {n}", found=str(ticket.number))
        return ticket.number

    return state


def _check_lot_draws(receipt: LotReceipt, terms: LotTerms) -> Iterator[Mismatch]:
    lot = terms.lot
    drawn = [card for card in receipt.cards if card.last_one is UNSET]
    if len(drawn) != lot.cards_per_pack or list(receipt.cards[: len(drawn)]) != drawn:
        wanted = f"{lot.cards_per_pack} drawn cards, then at most the last-one prize"
        yield Mismatch("cards", wanted, f"{len(drawn)} drawn of {len(receipt.cards)}")
        return
    first = drawn[0].draw
    if first is UNSET or first % lot.cards_per_pack or first >= lot.size:
        wanted = f"a multiple of {lot.cards_per_pack} below {lot.size}"
        yield Mismatch("cards[0].draw", wanted, "nothing" if first is UNSET else str(first))
        return
    for i, card in enumerate(drawn):
        yield from _check_lot_card(receipt, terms, card, at=f"cards[{i}]", draw=first + i)
    yield from _check_prizes(drawn, terms)
    is_last_pack = first + lot.cards_per_pack == lot.size
    yield from _check_last_one(receipt.cards[len(drawn) :], terms, is_last_pack=is_last_pack)


def _check_lot_card(
    receipt: LotReceipt, terms: LotTerms, card: LotCard, *, at: str, draw: int
) -> Iterator[Mismatch]:
    lot, proof = terms.lot, receipt.proof
    if card.ticket is UNSET:
        yield Mismatch(f"{at}.ticket", "the number that was drawn", "nothing")
        return
    remaining = lot.size - draw
    number = card.ticket.number
    if receipt.server_seed is not None:
        number = lot_ticket(
            lot_seed=bytes.fromhex(receipt.server_seed),
            manifest_root=bytes.fromhex(proof.lot.manifest_root),
            draw=draw,
            remaining=remaining,
            entry=LotEntry(bytes.fromhex(proof.user_key), proof.client_seed),
        )
    elif number >= remaining:
        yield Mismatch(f"{at}.ticket.number", f"below {remaining}", str(number))
    yield from _unequal(
        [
            (f"{at}.draw", draw, card.draw),
            (f"{at}.ticket.of", remaining, card.ticket.of),
            (f"{at}.ticket.number", number, card.ticket.number),
        ]
    )


def _check_prizes(drawn: Sequence[LotCard], terms: LotTerms) -> Iterator[Mismatch]:
    """Each card is on the prize list, and none came out more often than it stands there."""
    left: Counter[tuple[str, str, int]] = Counter()
    for prize in terms.lot.prizes:
        left[prize.card, prize.tier, prize.value] += prize.count
    for i, card in enumerate(drawn):
        prize_of_card = (card.card.id, card.tier, card.value)
        if left[prize_of_card] == 0:
            found = f"{card.card.id}, tier {card.tier}, value {card.value}"
            yield Mismatch(f"cards[{i}]", "a card, tier and value of the prize list", found)
        left[prize_of_card] -= 1


def _check_last_one(
    rest: Sequence[LotCard], terms: LotTerms, *, is_last_pack: bool
) -> Iterator[Mismatch]:
    prize = terms.lot.last_one if is_last_pack else None
    at = f"cards[{terms.lot.cards_per_pack}]"
    if prize is None or len(rest) != 1:
        if prize is not None or rest:
            wanted = "nothing" if prize is None else "the last-one prize alone"
            yield Mismatch(at, wanted, f"{len(rest)} cards")
        return
    (card,) = rest
    yield from _unequal(
        [
            (f"{at}.last_one", True, card.last_one),
            (f"{at}.draw", UNSET, card.draw),
            (f"{at}.ticket", UNSET, card.ticket),
            (f"{at}.card.id", prize.card, card.card.id),
            (f"{at}.tier", prize.tier, card.tier),
            (f"{at}.value", prize.value, card.value),
        ]
    )


def _repeated_cards(receipt: Receipt) -> Iterator[Mismatch]:
    seen: set[str] = set()
    cards: Sequence[OddsCard | LotCard] = receipt.cards
    for i, card in enumerate(cards):
        if card.user_card_id in seen:
            field = f"cards[{i}].user_card_id"
            yield Mismatch(field, "an id of its own", f"{card.user_card_id} again")
        seen.add(card.user_card_id)


def _unequal(pairs: Sequence[tuple[str, object, object]]) -> list[Mismatch]:
    return [
        Mismatch(field, _shown(expected), _shown(found))
        for field, expected, found in pairs
        if expected != found
    ]


def _shown(value: object) -> str:
    return "nothing" if value is UNSET else str(value)
