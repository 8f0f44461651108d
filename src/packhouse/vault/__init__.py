"""The vault: every card a collector holds, and what may be done with it."""

from packhouse.vault.checks import check_every_card_has_one_place
from packhouse.vault.errors import CardNotInVault, CardsLeft, SellBackClosed
from packhouse.vault.model import (
    PackedCard,
    UserCard,
    UserCardState,
    VaultFilter,
    VaultPosition,
    VaultSort,
)
from packhouse.vault.rules import require_all_found, require_forfeited, sell_back_total
from packhouse.vault.store import (
    count_ending,
    count_user_cards,
    delete_old_sell_back_notices,
    forfeit_user_cards,
    insert_sell_back_notices,
    insert_user_cards,
    list_packed_pages,
    list_user_cards,
    list_users_with_ending,
    list_vault_page,
    update_user_card_states,
)

__all__ = [
    "CardNotInVault",
    "CardsLeft",
    "PackedCard",
    "SellBackClosed",
    "UserCard",
    "UserCardState",
    "VaultFilter",
    "VaultPosition",
    "VaultSort",
    "check_every_card_has_one_place",
    "count_ending",
    "count_user_cards",
    "delete_old_sell_back_notices",
    "forfeit_user_cards",
    "insert_sell_back_notices",
    "insert_user_cards",
    "list_packed_pages",
    "list_user_cards",
    "list_users_with_ending",
    "list_vault_page",
    "require_all_found",
    "require_forfeited",
    "sell_back_total",
    "update_user_card_states",
]
