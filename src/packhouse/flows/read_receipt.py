"""Anyone with its id reads an opening's receipt; its server seed is added once it is revealed.

Of an odds pack that is the seed of its collector's pair, of a lot the seed of the lot.
"""

import msgspec

from packhouse import draws
from packhouse.accounts import SessionUser
from packhouse.draws import KeptReceipt, Receipt
from packhouse.foundation.errors import NotFound
from packhouse.foundation.identifiers import OpeningId, UserId
from packhouse.house import House
from packhouse.plumbing.outbox import find_waiting_event
from packhouse.plumbing.postgres import ReadConnection


async def read_receipt(
    house: House, opening_id: OpeningId, *, viewer: SessionUser | None
) -> Receipt:
    """The receipt. Raises ``NotFound``.

    In the moment before the relay has published it, it is found by its owner's key, or by the event
    that waits for the relay: a committed opening is there for everybody.
    """
    async with house.database.reading() as connection:
        kept = await _find_published(connection, opening_id)
        if kept is None:
            kept = await _find_unpublished(connection, opening_id, viewer)
        if kept is None:
            raise NotFound("There is no opening with this id.")
        receipt = msgspec.json.decode(kept.receipt, type=Receipt)
        server_seed = await _find_server_seed(connection, kept, receipt)
    revealed = None if server_seed is None else server_seed.hex()
    return msgspec.structs.replace(receipt, server_seed=revealed)


async def _find_server_seed(
    connection: ReadConnection, kept: KeptReceipt, receipt: Receipt
) -> bytes | None:
    if receipt.proof.lot is not None:
        return await draws.find_lot_server_seed(connection, receipt.proof.lot.id)
    pair = await draws.find_seed_pair(
        connection, user_id=kept.user_id, seed_pair_id=kept.seed_pair_id
    )
    return None if pair is None else pair.server_seed


async def _find_published(connection: ReadConnection, opening_id: OpeningId) -> KeptReceipt | None:
    owner = await draws.find_receipt_owner(connection, opening_id)
    return None if owner is None else await _find_of_user(connection, owner, opening_id)


async def _find_unpublished(
    connection: ReadConnection, opening_id: OpeningId, viewer: SessionUser | None
) -> KeptReceipt | None:
    if viewer is not None:
        own = await _find_of_user(connection, viewer.user_id, opening_id)
        if own is not None:
            return own
    waiting = await find_waiting_event(connection, subject_id=opening_id)
    if waiting is None:
        # The relay may have published it between the two looks.
        return await _find_published(connection, opening_id)
    return await _find_of_user(connection, UserId(waiting.user_id), opening_id)


async def _find_of_user(
    connection: ReadConnection, user_id: UserId, opening_id: OpeningId
) -> KeptReceipt | None:
    found = await draws.list_opening_receipts(connection, [(user_id, opening_id)])
    return found[0][0] if found else None
