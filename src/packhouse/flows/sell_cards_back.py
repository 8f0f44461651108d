"""A collector sells cards back to the shop, all of them or none.

Lock order: the wallet · user cards by id · stock items by card id. A copy that comes back goes to
the house, never by itself into a pack or a lot.
"""

from typing import Annotated

import msgspec

from packhouse import accounts, catalog, vault, wallet
from packhouse.flows.money_events import record_movements
from packhouse.foundation.errors import Breach
from packhouse.foundation.identifiers import UserCardId, UserId
from packhouse.foundation.limits import CARDS_PER_SALE_MAX
from packhouse.house import House
from packhouse.plumbing.idempotency import Repeat, find_answer, insert_answers
from packhouse.wallet import Movement


class SaleRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a client sends: which cards."""

    user_card_ids: Annotated[
        tuple[UserCardId, ...], msgspec.Meta(min_length=1, max_length=CARDS_PER_SALE_MAX)
    ]


class SellCardsBack(msgspec.Struct, frozen=True):
    """Who sells which cards."""

    user_id: UserId
    request: SaleRequest
    repeat: Repeat


class SoldBack(msgspec.Struct, frozen=True):
    """The answer, in minor units."""

    credited: int
    balance: int


async def sell_cards_back(house: House, command: SellCardsBack) -> SoldBack:
    """Sell cards. Raises ``CardNotInVault``, ``SellBackClosed``, ``AccountSuspended``."""
    now = house.clock()
    wanted = tuple(dict.fromkeys(command.request.user_card_ids))
    async with house.database.transaction() as connection:
        purse = await wallet.lock_wallet(connection, command.user_id)
        answer = await find_answer(connection, command.repeat, SoldBack)
        if answer is not None:
            return answer
        accounts.require_may_act(await accounts.find_user(connection, command.user_id))
        cards = await vault.list_user_cards(
            connection, user_id=command.user_id, user_card_ids=wanted
        )
        vault.require_all_found(wanted, cards)
        credited = vault.sell_back_total(cards, now=now)
        moved = await vault.update_user_card_states(
            connection,
            user_id=command.user_id,
            user_card_ids=wanted,
            from_state="vaulted",
            to_state="sold",
        )
        copies = [(c.card_id, c.stock_item_id) for c in cards if c.stock_item_id is not None]
        returned = await catalog.move_stock_items(
            connection, copies, from_places=["vaulted"], to_place="house", now=now
        )
        if len(moved) < len(wanted) or len(returned) < len(copies):
            raise Breach("A vaulted card's copy is not in the vault.")
        movements = [Movement("sell_back", card.sell_back_amount, card.id) for card in cards]
        change = wallet.settle(purse, movements, now=now)
        await wallet.apply_change(connection, change, now=now)
        await record_movements(connection, change, movements, subject_id=wanted[0], now=now)
        answer = SoldBack(credited=credited, balance=change.balance)
        await insert_answers(connection, [(command.repeat, answer)], now=now)
        return answer
