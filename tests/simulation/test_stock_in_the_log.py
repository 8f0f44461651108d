"""Whatever moves copies, what the draw log is told adds up to what is on sale.

Of every physical card, outside of lots: the copies added, without those withdrawn and those drawn
from odds packs, are the copies on sale. A stranger counts what was left with nothing else. The law
``stock_is_logged`` is looked at after every step, whether the relay has been there or not.
"""

from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from packhouse.catalog import Place
from packhouse.flows.check_laws import list_broken_laws
from packhouse.flows.move_stock import MoveStock, move_stock
from packhouse.flows.publish_pack import WithdrawPack, withdraw_pack
from packhouse.flows.relay_events import relay_events
from packhouse.flows.sell_cards_back import SaleRequest, SellCardsBack, sell_cards_back
from packhouse.foundation.errors import Refusal
from packhouse.house import House
from worlds.ember_counter import (
    Person,
    cards_of,
    lot_of,
    open_one,
    publish,
    repeat_of,
    stock_card,
    welcome,
)
from worlds.simulated_shop import Scene, ServersToUse, SimulatedShop, make_scene

EXAMPLES: Final = 20

NUMBER = st.sampled_from(["001", "003", "011"])
COPIES = st.integers(1, 4)

STEP = st.one_of(
    st.tuples(st.just("import"), NUMBER, COPIES, st.sampled_from(["on_sale", "house"])),
    st.tuples(st.just("move"), NUMBER, COPIES, st.sampled_from(["on_sale", "house", "withdrawn"])),
    st.tuples(st.just("lot"), NUMBER, COPIES, st.just("crate")),
    st.tuples(st.just("withdraw"), NUMBER, COPIES, st.just("crate")),
    st.tuples(st.just("open"), NUMBER, COPIES, st.sampled_from(["mixed", "scarce", "crate"])),
    st.tuples(st.just("sell"), NUMBER, COPIES, st.just("house")),
    st.tuples(st.just("relay"), NUMBER, COPIES, st.just("log")),
)


class StockWalk:
    """One collector, the owner, and the relay."""

    def __init__(self, scene: Scene, shop: SimulatedShop) -> None:
        self.scene = scene
        self.shop = shop

    @property
    def house(self) -> House:
        """The shop's."""
        return self.shop.house

    async def walk(self, steps: list[tuple[str, str, int, str]]) -> None:
        """Take every step; one that is refused changes nothing, and that is counted too."""
        ada = await welcome(self.house, "ada", credits_minor=50_000)
        for step in steps:
            with suppress(Refusal):
                await self.take(ada, *step)
            assert await list_broken_laws(self.house) == []

    async def take(self, ada: Person, kind: str, number: str, copies: int, where: str) -> None:
        owner, card = self.scene.owner, self.scene.cards[number]
        if kind == "import":
            place = msgspec.convert(where, Place)
            await stock_card(
                self.house, owner, number, value=card.value, copies=copies, place=place
            )
        elif kind == "move":
            move = {"card_id": card.id, "to_place": where, "quantity": copies, "reason": "A test."}
            await move_stock(self.house, msgspec.convert(move | {"actor": owner.actor}, MoveStock))
        elif kind == "lot":
            await publish(self.house, owner, where, lot_of({number: copies}, packs=copies))
        elif kind == "withdraw":
            await withdraw_pack(self.house, WithdrawPack(where, "A test.", owner.actor))
        elif kind == "open":
            await open_one(self.house, ada, where, quantity=copies)
        elif kind == "relay":
            await relay_events(self.house)
        else:
            vaulted = [card for card in await cards_of(self.house, ada) if card.state == "vaulted"]
            request = SaleRequest(tuple(card.id for card in vaulted[:copies]))
            command = SellCardsBack(ada.user_id, request, repeat_of(ada, request))
            if vaulted:
                await sell_cards_back(self.house, command)


def test_what_the_log_is_told_of_stock_adds_up_to_what_is_on_sale(
    servers: ServersToUse, template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = make_scene(servers, template, tmp_path, monkeypatch)

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(seed=st.integers(0, 2**32 - 1), steps=st.lists(STEP, min_size=10, max_size=30))
    def walk(seed: int, steps: list[tuple[str, str, int, str]]) -> None:
        shop = SimulatedShop(scene, seed=seed)
        try:
            shop.run(StockWalk(scene, shop).walk(steps))
        finally:
            shop.close()

    walk()
