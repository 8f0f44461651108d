"""What may be done with cards in the vault. Pure."""

from collections.abc import Sequence
from datetime import datetime

from packhouse.foundation.identifiers import UserCardId
from packhouse.vault.errors import CardNotInVault, CardsLeft, SellBackClosed
from packhouse.vault.model import UserCard


def require_all_found(wanted: Sequence[UserCardId], found: Sequence[UserCard]) -> None:
    """All or nothing: each wanted card is there and vaulted. Raises ``CardNotInVault``."""
    vaulted = {card.id for card in found if card.state == "vaulted"}
    missing = [card_id for card_id in wanted if card_id not in vaulted]
    if missing:
        raise CardNotInVault(
            f"{len(missing)} of {len(wanted)} cards are not in your vault (any more)."
            " Nothing was done; reload the vault and choose again.",
            user_card_ids=[str(card_id) for card_id in missing],
        )


def require_forfeited(*, cards: int, forfeited: int) -> None:
    """Whether just as many cards are given up as are in the vault. Raises ``CardsLeft``."""
    if cards != forfeited:
        raise CardsLeft(
            f"Your vault holds {cards} cards. Have them sent or sell them back, or give up just"
            " that many.",
            cards=cards,
        )


def sell_back_total(cards: Sequence[UserCard], *, now: datetime) -> int:
    """What the shop pays for these cards together. Raises ``SellBackClosed``."""
    late = [card for card in cards if not card.may_be_sold_back(now)]
    if late:
        raise SellBackClosed(
            f"The sell-back time of {len(late)} of {len(cards)} cards is over. Nothing was sold;"
            " choose again without them.",
            user_card_ids=[str(card.id) for card in late],
        )
    return sum(card.sell_back_amount for card in cards)
