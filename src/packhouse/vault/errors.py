"""How the vault says no."""

from typing import ClassVar

from packhouse.foundation.errors import Refusal


class CardNotInVault(Refusal):
    """The card is not yours, or is sold, reserved, shipped or lost; nothing was done."""

    code: ClassVar[str] = "card_not_in_vault"


class CardsLeft(Refusal):
    """There are other cards in the vault than are given up; nothing was done."""

    code: ClassVar[str] = "cards_left"


class SellBackClosed(Refusal):
    """The time in which the shop buys this card back is over; nothing was done."""

    code: ClassVar[str] = "sell_back_closed"
