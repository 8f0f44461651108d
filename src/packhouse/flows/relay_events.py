"""The relay moves committed events on: to the feed, to public receipts, to the draw log, to the
house's accounts, to the jobs that write letters.

It is one at a time everywhere (a transaction-level advisory lock), so the feed's sequence and the
log's positions have no gaps that a reader could see and the same order for everybody. Events are
moved by deletion in the same transaction: killed at any instant, an event is either still waiting
or wholly moved on, and stands in the log once.

Lock order: the advisory lock · outbox rows · tier counts by cell · lot items · house accounts by
name.
"""

import asyncio
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from packhouse import drawlog, draws, feed, shipping, wallet
from packhouse.drawlog import Leaf, LotOpenedLeaf, PackOpenedLeaf, StockExhaustedLeaf
from packhouse.draws import KeptReceipt, Receipt, ReceiptLot
from packhouse.feed import Pull, PulledFrom
from packhouse.flows.letters import letters_for
from packhouse.foundation.errors import Breach
from packhouse.foundation.events import (
    Event,
    LotClosed,
    LotListed,
    PackOpened,
    PackPublished,
    PackWithdrawn,
    SeedCommitted,
    SeedRevealed,
    ShippingRequested,
    StockAdded,
    StockWithdrawn,
    WaitingEvent,
)
from packhouse.foundation.identifiers import LotId, OpeningId, new_id
from packhouse.foundation.limits import RELAY_BATCH_EVENTS
from packhouse.house import House
from packhouse.plumbing.jobs import enqueue_jobs
from packhouse.plumbing.outbox import claim_relay, delete_events, list_waiting_events
from packhouse.plumbing.postgres import Connection, DatabaseUnavailable, is_sharded
from packhouse.wallet import HousePosting

RECORD_PAUSES_SECONDS: Final = (0.002, 0.01, 0.05, 0.2)
"""Between looks for records that another server is about to show."""

LOGGED_BEFORE_OPENINGS: tuple[type[Event], ...] = (
    SeedCommitted,
    PackPublished,
    LotListed,
    StockAdded,
    StockWithdrawn,
)
"""What openings rest on comes before all of a batch's openings, also when the clocks of two hosts
disagree; copies come before they go, and are gone before a value is paid for want of them."""

LOGGED_AFTER_OPENINGS: tuple[type[Event], ...] = (SeedRevealed, LotClosed, PackWithdrawn)
"""What ends comes after the openings before its end, for the same reason."""


class Relayed(msgspec.Struct, frozen=True):
    """What one batch moved on; ``last_sequence`` is the feed's end, None if it did not grow."""

    events: int
    pulls: int
    last_sequence: int | None


class PublicOpening(msgspec.Struct, frozen=True):
    """An opening that becomes public: what is kept of it, its receipt, and its name in the feed."""

    kept: KeptReceipt
    receipt: Receipt
    username: str
    created_at: datetime


async def relay_events(house: House) -> Relayed | None:
    """Move one batch on; None when another relay is at work."""
    now = house.clock()
    async with house.database.transaction() as connection:
        if not await claim_relay(connection):
            return None
        events = await list_waiting_events(connection, limit=RELAY_BATCH_EVENTS)
        if not events:
            return Relayed(events=0, pulls=0, last_sequence=None)
        openings = await _list_openings(connection, events)
        await _log(connection, events, openings, now=now)
        pulls = await _publish_pulls(connection, openings)
        await _count_what_came_out(connection, openings)
        requests = [
            (event.subject_id, event.user_id, event.created_at)
            for event in events
            if isinstance(event.event, ShippingRequested)
        ]
        if requests:
            await shipping.insert_directory_entries(connection, requests)
        if house.mail is not None:
            await enqueue_jobs(connection, letters_for(events))
        await _post_house_entries(connection, events, now=now)
        await delete_events(connection, events)
    last = pulls[-1].sequence if pulls else None
    return Relayed(events=len(events), pulls=len(pulls), last_sequence=last)


def in_draw_order(openings: Sequence[PublicOpening]) -> list[PublicOpening]:
    """Keep the places that each lot has in the line, but fill them in the order of its draws.

    The identifiers of two hosts may disagree with it by as much as their clocks do. Openings of
    odds packs stay where they are.
    """
    by_lot: dict[LotId, list[PublicOpening]] = defaultdict(list)
    for opening in openings:
        if opening.receipt.proof.lot is not None:
            by_lot[opening.receipt.proof.lot.id].append(opening)
    lines = {lot_id: iter(sorted(line, key=_first_draw)) for lot_id, line in by_lot.items()}
    return [
        opening if opening.receipt.proof.lot is None else next(lines[opening.receipt.proof.lot.id])
        for opening in openings
    ]


def leaves_of_opening(receipt: Receipt) -> list[Leaf]:
    """The leaf of an opening, and behind it each card that it wanted in vain."""
    lot = receipt.proof.lot
    if lot is not None:
        return [_lot_leaf(receipt, lot)]
    paid_out = tuple(place for place, card in enumerate(receipt.cards) if card.paid_out)
    wanted = dict.fromkeys(receipt.cards[place].card.id for place in paid_out)
    exhausted = [StockExhaustedLeaf(at=receipt.created_at, card=card_id) for card_id in wanted]
    return [_pack_leaf(receipt, paid_out), *exhausted]


async def _list_openings(
    connection: Connection, events: Sequence[WaitingEvent]
) -> list[PublicOpening]:
    opened = [(event, event.event) for event in events if isinstance(event.event, PackOpened)]
    if not opened:
        return []
    wanted = {OpeningId(event.subject_id): event.user_id for event, _ in opened}
    kept = await _list_receipts(connection, wanted)
    openings = []
    for event, fact in opened:
        found = kept.get(OpeningId(event.subject_id))
        if found is None:
            raise Breach(f"The opening {event.subject_id} has an event but no record.")
        receipt = msgspec.json.decode(found[0].receipt, type=Receipt)
        openings.append(
            PublicOpening(
                kept=found[0], receipt=receipt, username=fact.username, created_at=found[1]
            )
        )
    return openings


async def _list_receipts(
    connection: Connection, wanted: Mapping[OpeningId, UUID]
) -> dict[OpeningId, tuple[KeptReceipt, datetime]]:
    """The receipts of openings, each with its time; those of a sharded database are waited for.

    There an opening's event is on another server than its record, and is seen a moment earlier;
    more than that if the record's server was killed in between. Raises ``DatabaseUnavailable``.
    """
    kept: dict[OpeningId, tuple[KeptReceipt, datetime]] = {}
    for pause in (0, *RECORD_PAUSES_SECONDS):
        missing = [(user_id, id_) for id_, user_id in wanted.items() if id_ not in kept]
        if not missing:
            return kept
        await asyncio.sleep(pause)
        listed = await draws.list_opening_receipts(connection, missing)
        kept |= {receipt.id: (receipt, created_at) for receipt, created_at in listed}
        if not is_sharded(connection):
            return kept
    if len(kept) < len(wanted):
        raise DatabaseUnavailable(
            "A server has not told yet how an opening ended that others know of; what comes after"
            " it waits. It is settled when that server has recovered."
        )
    return kept


async def _log(
    connection: Connection,
    events: Sequence[WaitingEvent],
    openings: Sequence[PublicOpening],
    *,
    now: datetime,
) -> None:
    """Append the batch to the draw log, and make receipts readable that know their place in it."""
    leaves = _leaves_of_events(events, LOGGED_BEFORE_OPENINGS)
    first = await drawlog.find_log_end(connection)
    positions: dict[OpeningId, int] = {}
    for opening in in_draw_order(openings):
        positions[opening.kept.id] = first + len(leaves)
        leaves += leaves_of_opening(opening.receipt)
    leaves += _leaves_of_events(events, LOGGED_AFTER_OPENINGS)
    if leaves:
        written = [drawlog.leaf_bytes(leaf) for leaf in leaves]
        await drawlog.insert_leaves(connection, written, first=first, now=now)
    if openings:
        await draws.insert_receipts(
            connection,
            [(opening.kept, opening.created_at) for opening in openings],
            log_positions=[positions[opening.kept.id] for opening in openings],
        )


def _leaves_of_events(events: Iterable[WaitingEvent], kinds: Sequence[type[Event]]) -> list[Leaf]:
    """The leaves of events of these kinds, kind after kind, each in the order of the events."""
    leaves = []
    for kind in kinds:
        for event in events:
            if isinstance(event.event, kind):
                leaf = drawlog.leaf_of_event(event)
                if leaf is None:
                    raise Breach(f"The draw log has no leaf for the event {event.event.kind}.")
                leaves.append(leaf)
    return leaves


def _pack_leaf(receipt: Receipt, paid_out: tuple[int, ...]) -> Leaf:
    proof = receipt.proof
    tickets = [ticket for card in receipt.cards for ticket in (card.tier_ticket, card.card_ticket)]
    numbers = [ticket.number for ticket in (proof.layout_ticket, *tickets) if ticket is not None]
    if proof.nonce is None or len(numbers) != 1 + 2 * len(receipt.cards):
        raise Breach(f"The receipt of the opening {receipt.id} lacks its nonce or a ticket.")
    return PackOpenedLeaf(
        at=receipt.created_at,
        opening=receipt.id,
        receipt_hash=_receipt_hash(receipt),
        config_hash=proof.config_hash,
        commitment=proof.commitment,
        user_key=proof.user_key,
        nonce=proof.nonce,
        client_seed_hash=draws.client_seed_hash(proof.client_seed).hex(),
        tickets=tuple(numbers),
        cards=tuple(card.card.id for card in receipt.cards),
        paid_out=paid_out,
    )


def _lot_leaf(receipt: Receipt, lot: ReceiptLot) -> Leaf:
    return LotOpenedLeaf(
        at=receipt.created_at,
        opening=receipt.id,
        receipt_hash=_receipt_hash(receipt),
        config_hash=receipt.proof.config_hash,
        manifest_root=lot.manifest_root,
        user_key=receipt.proof.user_key,
        client_seed_hash=draws.client_seed_hash(receipt.proof.client_seed).hex(),
        draw=_draws_of(receipt)[0],
        tickets=tuple(card.ticket.number for card in receipt.cards if card.ticket is not None),
        cards=tuple(card.card.id for card in receipt.cards),
    )


def _receipt_hash(receipt: Receipt) -> str:
    """SHA-256 of the receipt as it was before its server seed was revealed."""
    secret = msgspec.structs.replace(receipt, server_seed=None)
    return hashlib.sha256(drawlog.canonical_json(secret)).hexdigest()


def _draws_of(receipt: Receipt) -> list[int]:
    """The numbers of a receipt's draws in their lot, in order; none for an odds pack."""
    return [card.draw for card in receipt.cards if card.draw is not None]


def _first_draw(opening: PublicOpening) -> int:
    return _draws_of(opening.receipt)[0]


async def _publish_pulls(connection: Connection, openings: Sequence[PublicOpening]) -> list[Pull]:
    if not openings:
        return []
    sequence = await feed.find_last_sequence(connection)
    pulls: list[Pull] = []
    for opening in openings:
        receipt = opening.receipt
        pack = PulledFrom(slug=receipt.pack.slug, name=receipt.pack.name)
        for card in receipt.cards:
            sequence += 1
            pulls.append(
                Pull(
                    sequence=sequence,
                    username=opening.username,
                    card=card.card,
                    tier=card.tier,
                    value=card.value,
                    pack=pack,
                    opening_id=receipt.id,
                    created_at=opening.created_at,
                )
            )
    await feed.insert_pulls(connection, pulls)
    return pulls


async def _count_what_came_out(connection: Connection, openings: Sequence[PublicOpening]) -> None:
    """Keep the counts that public odds and the drift monitor read in step with the feed."""
    counts = Counter(cell for opening in openings for cell in draws.tier_cells_of(opening.receipt))
    if counts:
        await draws.add_tier_counts(connection, counts)
    drawn = [
        (opening.receipt.proof.lot.id, draw)
        for opening in openings
        if opening.receipt.proof.lot is not None
        for draw in _draws_of(opening.receipt)
    ]
    if drawn:
        await draws.mark_lot_items_published(connection, drawn)


async def _post_house_entries(
    connection: Connection, events: Sequence[WaitingEvent], *, now: datetime
) -> None:
    amounts: dict[str, int] = defaultdict(int)
    counts: dict[str, int] = defaultdict(int)
    for event in events:
        for posting in event.event.postings:
            amounts[posting.account] += posting.amount
            counts[posting.account] += 1
    postings = [
        HousePosting(account=account, amount=amounts[account], events=counts[account])
        for account in sorted(amounts)
    ]
    if postings:
        await wallet.post_house_entries(connection, postings, batch_id=new_id(), now=now)
