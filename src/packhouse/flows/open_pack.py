"""A collector opens packs: paid once, drawn once, recorded once, whatever is retried or killed.

Openings that wait at the same time are made true together, in one transaction of set-wise
statements: up to so many of different users (foundation/limits.py), and one alone when nothing else
waits.
Every set reads its standings anew, all in one query, and decides each draw purely from the
published version, the seed pair, the nonce and the client seed, before any lock is taken. Who is
refused is refused alone; who loses a race is left out of the set and tried again alone.

Lock order, odds packs: stock items by card id · wallets by user id · cards that ran out, by id.
Lots: the lot's row · wallets by user id · the lot's own stock items, which no odds pack claims.
Everything else is insertion.

A draw is never redone for want of stock: the card drawn is owed. When no copy is left, which is
looked at again while waiting for whoever holds the last ones, the collector is paid its full locked
value, and the pack rests until it is restocked.
"""

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Annotated

import msgspec

from packhouse import accounts, draws, wallet
from packhouse.draws import OpeningStanding, PackNotFound, Receipt, ShelvedPack
from packhouse.flows.decide_openings import Purchase, decide_purchase, draw_outcomes
from packhouse.flows.settle_lot import settle_lot_purchases, sold_out
from packhouse.flows.settle_openings import (
    ClaimShort,
    OpenedPacks,
    Opening,
    PurchaseRaced,
    RecordedAnswer,
    opening_of,
    settle_purchases,
)
from packhouse.foundation.errors import Breach, Outage, Refusal
from packhouse.foundation.identifiers import LotId, UserId
from packhouse.foundation.limits import (
    CLIENT_SEED_LENGTH_MAX,
    LOT_OPENINGS_PER_SET,
    OPENING_ATTEMPTS_MAX,
    OPENING_LANES_PER_HOST,
    OPENING_LANES_PER_HOST_SHARDED,
    OPENINGS_PER_SET,
    PACKS_PER_OPENING_MAX,
)
from packhouse.house import House
from packhouse.plumbing.idempotency import Repeat, require_same_request
from packhouse.plumbing.lanes import LanesFull, Line, WaitedTooLong
from packhouse.plumbing.postgres import Connection, TransactionRaced, transaction_on

ALONE_LINE = Line("each alone", lanes=1, set_size=1)

Outcome = OpenedPacks | Refusal | ClaimShort | PurchaseRaced


class OpenPacks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a client sends. ``config_hash`` (hexadecimal) is the version it was shown."""

    quantity: Annotated[int, msgspec.Meta(ge=1, le=PACKS_PER_OPENING_MAX)] = 1
    client_seed: (
        Annotated[str, msgspec.Meta(min_length=1, max_length=CLIENT_SEED_LENGTH_MAX)] | None
    ) = None
    config_hash: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")] | None = None


class OpenPack(msgspec.Struct, frozen=True):
    """Who opens which pack how often, and what makes a repetition of it recognisable.

    ``token_hash`` is that of the session it was sent under, if that is still to be asked for in
    PostgreSQL: the set does it for everybody in the one query that it reads anyway.
    """

    user_id: UserId
    slug: str
    request: OpenPacks
    repeat: Repeat
    token_hash: bytes | None = None


class AskedOpening(msgspec.Struct, frozen=True):
    """A command and the pack that it found on sale, if any."""

    command: OpenPack
    pack: ShelvedPack | None


class OpeningBusy(Outage):
    """Too much at once, for this wallet or for the whole shop; nothing was paid."""

    code = "opening_busy"


async def open_pack(house: House, command: OpenPack) -> OpenedPacks:
    """Open packs. Raises ``SoldOut``, ``PackChanged``, ``InsufficientCredits``, ``PackNotFound``,
    ``NotSignedIn``, ``AccountSuspended``, ``StaffCannotOpenPacks``, ``IdempotencyKeyReused``,
    ``OpeningBusy``.
    """
    if command.request.client_seed is not None:
        draws.require_client_seed(command.request.client_seed)
    waiting = False
    for attempt in range(OPENING_ATTEMPTS_MAX):
        pack = await house.packs.find_pack(house.database, command.slug)
        try:
            return await house.lanes.join(
                AskedOpening(command, pack),
                owner=command.user_id,
                line=_line_of(house, pack) if attempt == 0 else ALONE_LINE,
                work=partial(open_set, house, waiting=waiting),
            )
        except ClaimShort:
            waiting = True
        except (PurchaseRaced, TransactionRaced):
            # Uneven pauses let one of the racers through instead of all meeting again.
            await asyncio.sleep(random.uniform(0, 0.02))  # noqa: S311 - no secret hangs on it
        except (LanesFull, WaitedTooLong) as error:
            raise OpeningBusy(
                "More packs are being opened just now than the shop can do; nothing was paid. Try"
                " again in a moment, with the same Idempotency-Key."
            ) from error
    raise OpeningBusy("Too many openings at once for this wallet; nothing was paid. Try again.")


async def open_set(
    house: House, asked: Sequence[AskedOpening], *, waiting: bool = False
) -> list[OpenedPacks | Exception]:
    """Open packs for different users, all of odds packs or all of one lot; in the same order.

    Only what fails everybody (PostgreSQL is away) is raised. What fails a set of several for
    another reason is ``PurchaseRaced`` for each: alone, the one it lay in will say so itself.
    ``waiting`` waits for copies that others hold, and pays for what is missing even then.
    """
    try:
        return await _open_set(house, asked, waiting=waiting)
    except TransactionRaced:
        return [PurchaseRaced() for _ in asked]
    except Outage:
        raise
    except Exception:
        if len(asked) == 1:
            raise
        return [PurchaseRaced() for _ in asked]


def _line_of(house: House, pack: ShelvedPack | None) -> Line:
    # On a sharded database a set holds one user, so that each statement goes to one server: what
    # it then saves is nothing, and what serves many is how many are under way.
    if pack is None or pack.lot_id is None:
        per_host, size = (
            (OPENING_LANES_PER_HOST_SHARDED, 1)
            if house.database.is_sharded
            else (OPENING_LANES_PER_HOST, OPENINGS_PER_SET)
        )
        lanes = max(1, per_host // house.settings.http_workers)
        return Line("odds packs", lanes=lanes, set_size=size)
    # The draws of a lot come one after another under its lock, so a second lane would only wait.
    size = 1 if house.database.is_sharded else LOT_OPENINGS_PER_SET
    return Line(pack.lot_id, lanes=1, set_size=size)


async def _open_set(
    house: House, asked: Sequence[AskedOpening], *, waiting: bool
) -> list[OpenedPacks | Exception]:
    outcomes: dict[UserId, OpenedPacks | Exception] = {}
    purchases: list[Purchase] = []
    now = house.clock()
    async with house.database.connection(ahead=True) as connection:
        standings = await draws.list_opening_standings(
            connection,
            [
                (
                    each.command.repeat,
                    None if each.pack is None else each.pack.pack_id,
                    each.command.token_hash,
                )
                for each in asked
            ],
            now=now,
        )
        for each in asked:
            standing = standings.get(each.command.user_id)
            if standing is None:
                raise Breach(f"The user {each.command.user_id} has no wallet or no seed pair.")
            try:
                if not standing.has_session:
                    if each.command.token_hash is not None:
                        house.sessions.forget(each.command.token_hash)
                    raise accounts.NotSignedIn("Your session has ended. Sign in again.")
                found = await _find_answer(connection, each.command.repeat, standing)
                if found is None:
                    purchases.append(_require_may_open(house, each, standing))
                else:
                    outcomes[each.command.user_id] = found
            except (Refusal, PurchaseRaced) as error:
                outcomes[each.command.user_id] = error
        if purchases:
            settled = await _settle(house, connection, purchases, waiting=waiting, now=now)
            for purchase, outcome in zip(purchases, settled, strict=True):
                outcomes[purchase.user_id] = outcome
    return [outcomes[each.command.user_id] for each in asked]


async def _find_answer(
    connection: Connection, repeat: Repeat, standing: OpeningStanding
) -> OpenedPacks | None:
    """The first answer to this very request, put together again from its receipts."""
    if standing.request_hash is None or standing.answer is None:
        return None
    require_same_request(repeat, standing.request_hash)
    recorded = msgspec.json.decode(standing.answer, type=RecordedAnswer)
    ids = [each for each in recorded.openings if not isinstance(each, Opening)]
    kept = await draws.list_opening_receipts(connection, [(standing.user_id, id_) for id_ in ids])
    opened = {
        receipt.id: opening_of(msgspec.json.decode(receipt.receipt, type=Receipt))
        for receipt, _ in kept
    }
    return OpenedPacks(
        openings=tuple(
            each if isinstance(each, Opening) else opened[each] for each in recorded.openings
        ),
        balance=recorded.balance,
    )


def _require_may_open(house: House, asked: AskedOpening, standing: OpeningStanding) -> Purchase:
    request, pack = asked.command.request, asked.pack
    if pack is None:
        raise PackNotFound(f"There is no pack {asked.command.slug!r} on sale here.")
    if standing.version_id != pack.version_id:
        house.packs.forget()
        raise PurchaseRaced
    accounts.require_collector(standing)
    if request.config_hash is not None and request.config_hash != pack.compiled.config_hash.hex():
        raise draws.PackChanged(
            "This pack was published anew since you looked; nothing was paid. Reload the page to"
            " see the odds that are on sale now."
        )
    if standing.is_paused:
        raise draws.SoldOut(
            f"{pack.config.name} rests until it is restocked; nothing was paid.", pack=pack.slug
        )
    wallet.require_credits(balance=standing.balance, cost=pack.config.price * request.quantity)
    if pack.packs_left == 0:
        # A lot that is gone stays gone: nobody needs to wait for its lock to learn that.
        raise sold_out(pack, draws_left=0)
    return Purchase(
        standing=standing,
        pack=pack,
        quantity=request.quantity,
        client_seed=standing.client_seed if request.client_seed is None else request.client_seed,
        client_seed_origin="stored" if request.client_seed is None else "request",
        repeat=asked.command.repeat,
    )


async def _settle(
    house: House,
    connection: Connection,
    purchases: Sequence[Purchase],
    *,
    waiting: bool,
    now: datetime,
) -> Sequence[Outcome]:
    lot_id = purchases[0].pack.lot_id
    if lot_id is not None:
        return await _settle_lot(house, connection, lot_id, purchases, now=now)
    drawn = [_draw(house, purchase) for purchase in purchases]
    faces = await house.cards.list_faces(
        connection,
        {card.card for outcomes in drawn for outcome in outcomes for card in outcome.cards},
    )
    decided = [
        decide_purchase(purchase, outcomes, faces, now=now)
        for purchase, outcomes in zip(purchases, drawn, strict=True)
    ]
    async with transaction_on(connection):
        return await settle_purchases(connection, decided, waiting=waiting, now=now)


def _draw(house: House, purchase: Purchase) -> list[draws.Outcome]:
    standing = purchase.standing
    server_seed = house.seal.open(standing.sealed_server_seed, context=standing.seed_pair_id.bytes)
    return draw_outcomes(purchase, server_seed=server_seed)


async def _settle_lot(
    house: House,
    connection: Connection,
    lot_id: LotId,
    purchases: Sequence[Purchase],
    *,
    now: datetime,
) -> Sequence[Outcome]:
    try:
        async with transaction_on(connection):
            settled = await settle_lot_purchases(house, connection, lot_id, purchases, now=now)
    except Breach:
        house.lots.forget(lot_id)
        raise
    house.lots.remember(lot_id, draws=settled.draws, remaining=settled.remaining)
    house.packs.forget()
    return settled.outcomes
