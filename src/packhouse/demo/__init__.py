"""The demo shop: two invented card sets, the pictures drawn for them, accounts, stock and packs.

Nothing here is needed by a real shop; it is what ``packhouse up`` shows on the first day.
"""

from packhouse.demo.art import render_card_art
from packhouse.demo.cards import DemoCard, list_demo_cards
from packhouse.demo.packs import DemoPack, list_demo_packs
from packhouse.demo.seed import (
    DEMO_COLLECTOR_EMAIL,
    DEMO_CREDITS_MINOR,
    DEMO_OWNER_EMAIL,
    DEMO_PASSWORD,
    seed_demo_shop,
)
from packhouse.demo.wrappers import (
    WRAPPERS,
    WrapperDesign,
    render_card_back,
    render_pack_wrapper,
)

__all__ = [
    "DEMO_COLLECTOR_EMAIL",
    "DEMO_CREDITS_MINOR",
    "DEMO_OWNER_EMAIL",
    "DEMO_PASSWORD",
    "WRAPPERS",
    "DemoCard",
    "DemoPack",
    "WrapperDesign",
    "list_demo_cards",
    "list_demo_packs",
    "render_card_art",
    "render_card_back",
    "render_pack_wrapper",
    "seed_demo_shop",
]
