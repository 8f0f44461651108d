"""The demo shop: two invented card sets and the pictures drawn for them.

Nothing here is needed by a real shop; it is what ``packhouse up`` shows on the first day.
"""

from packhouse.demo.art import render_card_art
from packhouse.demo.cards import DemoCard, list_demo_cards
from packhouse.demo.wrappers import (
    WRAPPERS,
    WrapperDesign,
    render_card_back,
    render_pack_wrapper,
)

__all__ = [
    "WRAPPERS",
    "DemoCard",
    "WrapperDesign",
    "list_demo_cards",
    "render_card_art",
    "render_card_back",
    "render_pack_wrapper",
]
