"""A simulated shop: whatever collectors, operators and mishaps do, in any order, the laws hold.

Hypothesis drives the real flows on a real database and a plain model beside them, and compares the
two after every step. A failure is shrunk and printed as the steps that lead to it, with its blob.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from packhouse.accounts import AccountClosed, Argon2Cost, PasswordHasher
from packhouse.catalog import Place, StaffPlace
from packhouse.draws import SoldOut
from packhouse.flows.adjust_balance import AdjustBalance, Adjustment, adjust_balance
from packhouse.flows.check_laws import list_broken_laws
from packhouse.flows.close_account import Forfeit, close_account
from packhouse.flows.import_catalog import ImportCatalog, import_catalog
from packhouse.flows.move_shipment import (
    CancelShipping,
    FulfilShipment,
    Transition,
    cancel_shipping,
    fulfil_shipment,
)
from packhouse.flows.move_stock import MoveStock, move_stock
from packhouse.flows.open_pack import open_pack
from packhouse.flows.relay_events import relay_events
from packhouse.flows.request_shipping import (
    QuoteShipping,
    RequestShipping,
    ShippingOrder,
    quote_shipping,
    request_shipping,
)
from packhouse.flows.rotate_seed import rotate_seed
from packhouse.flows.sell_cards_back import SaleRequest, SellCardsBack, sell_cards_back
from packhouse.flows.settle_openings import OpenedPacks
from packhouse.flows.top_up import top_up
from packhouse.foundation.errors import NotFound, Refusal
from packhouse.foundation.identifiers import CardId
from packhouse.shipping import (
    SHIPPING_STATUSES,
    TRANSITIONS,
    BadTransition,
    CardNotShippable,
    ParcelsUnderway,
    ShippingStatus,
)
from packhouse.vault import CardNotInVault, CardsLeft, SellBackClosed
from packhouse.wallet import CreditsLeft, InsufficientCredits
from worlds.ember_counter import (
    PORTLAND,
    PRICE_MINOR,
    Person,
    balance_of,
    buying,
    cards_of,
    is_paused,
    kill_at,
    opening,
    places_of,
    pulls_of,
    repeat_of,
    welcome,
)
from worlds.leaving import PASSWORD, closing
from worlds.shop_model import SELL_BACK_WINDOW, Collector, OwnedCard, Parcel, ShopModel
from worlds.simulated_shop import Scene, ServersToUse, SimulatedShop, make_scene

EXAMPLES: Final = 25
STEPS_IN_AN_EXAMPLE: Final = 40
COLLECTORS_MAX: Final = 3
CREDITS_MINOR: Final = 4_000
CRATE_PACKS: Final = 4

WHO = st.integers(0, COLLECTORS_MAX - 1)
PACK = st.sampled_from(["mixed", "scarce", "crate"])
QUANTITY = st.integers(1, 3)
PICKS = st.lists(st.integers(0, 5), min_size=1, max_size=3)
STOCKED = st.sampled_from(["001", "003"])

Result = TypeVar("Result")


class ShopMachine(RuleBasedStateMachine):
    """The real shop and its model, stepped together."""

    def __init__(self, scene: Scene) -> None:
        super().__init__()
        self.scene = scene
        self.people: list[Person] = []
        self.model = ShopModel(packs_left=CRATE_PACKS)
        self.physical = {card.id for card in scene.cards.values() if card.kind == "physical"}
        stock: dict[str, dict[Place, int]] = {
            "001": {"on_sale": 4, "house": 2},
            "003": {"on_sale": 2, "house": 1},
            "011": {"on_sale": 6},
            "013": {"on_sale": 1},
        }
        for number, places in stock.items():
            self.model.stock[self.card_id(number)] = Counter(places)

    @initialize(seed=st.integers(0, 2**32 - 1))
    def open_shop(self, seed: int) -> None:
        self.shop = SimulatedShop(self.scene, seed=seed)
        self.register()

    def teardown(self) -> None:
        if hasattr(self, "shop"):
            self.shop.close()

    @precondition(lambda self: len(self.here()) < COLLECTORS_MAX)
    @rule()
    def register(self) -> None:
        name = f"person{len(self.people)}"
        self.people.append(
            self.run(
                welcome(
                    self.shop.house, name, credits_minor=CREDITS_MINOR, password_hash=cheap_hash()
                )
            )
        )
        self.model.collectors.append(Collector(balance=CREDITS_MINOR))

    @rule(who=WHO, amount=st.integers(100, 2_000))
    def buy_credits(self, who: int, amount: int) -> None:
        person, collector = self.pick(who)
        command = buying(person, amount)
        bought = self.run(top_up(self.shop.house, command))
        collector.balance += amount
        assert bought.balance == collector.balance
        assert self.run(top_up(self.shop.house, command)) == bought

    @rule(who=WHO, amount=st.integers(-3_000, 1_000).filter(bool))
    def adjust(self, who: int, amount: int) -> None:
        person, collector = self.pick(who)
        request = Adjustment(amount=amount, reason="A test.")
        command = AdjustBalance(
            person.user_id, request, self.scene.owner.actor, repeat_of(person, request)
        )
        refusal = InsufficientCredits if collector.balance + amount < 0 else None
        if self.attempt(adjust_balance(self.shop.house, command), refusal):
            collector.balance += amount

    # Three rules for one deed: Hypothesis leaves some rules out of each example, and a shop without
    # openings has little to tell.
    @rule(who=WHO, quantity=st.integers(1, 5))
    def open_mixed(self, who: int, quantity: int) -> None:
        self.open_packs(who, "mixed", quantity)

    @rule(who=WHO, quantity=QUANTITY)
    def open_scarce(self, who: int, quantity: int) -> None:
        self.open_packs(who, "scarce", quantity)

    @rule(who=WHO, quantity=QUANTITY)
    def open_crate(self, who: int, quantity: int) -> None:
        self.open_packs(who, "crate", quantity)

    def open_packs(self, who: int, slug: str, quantity: int) -> None:
        person, collector = self.pick(who)
        command = opening(person, slug, quantity=quantity)
        refusal = self.foresee_refusal(collector, slug, quantity)
        opened = self.attempt(open_pack(self.shop.house, command), refusal)
        if opened is None:
            return
        self.follow_opening(collector, slug, opened)
        assert self.run(open_pack(self.shop.house, command)) == opened

    @rule(who=WHO, slug=PACK, table=st.sampled_from(["wallets", "user_cards", "outbox"]))
    def kill_an_opening(self, who: int, slug: str, table: str) -> None:
        person, collector = self.pick(who)
        if self.foresee_refusal(collector, slug, 1) is None:
            flow = open_pack(self.shop.house, opening(person, slug))
            self.run(kill_at(self.shop.house, table, flow))

    @precondition(lambda self: self.model.drawn)
    @rule(who=WHO, picks=PICKS)
    def sell(self, who: int, picks: list[int]) -> None:
        person, collector = self.pick(who)
        cards = choose(collector.cards, picks)
        if not cards:
            return
        request = SaleRequest(tuple(card.id for card in cards))
        command = SellCardsBack(person.user_id, request, repeat_of(person, request))
        refusal: type[Refusal] | None = None
        if any(card.state != "vaulted" for card in cards):
            refusal = CardNotInVault
        elif any(self.shop.now >= card.sell_back_until for card in cards):
            refusal = SellBackClosed
        sold = self.attempt(sell_cards_back(self.shop.house, command), refusal)
        if sold is not None:
            assert sold.credited == self.model.sell(collector, cards)
            assert self.run(sell_cards_back(self.shop.house, command)) == sold

    @precondition(lambda self: self.model.drawn)
    @rule(who=WHO, picks=PICKS, ways=st.lists(st.integers(0, 9), max_size=4))
    def ship(self, who: int, picks: list[int], ways: list[int]) -> None:
        person, collector = self.pick(who)
        cards = choose(collector.cards, picks)
        if not cards:
            return
        ids = tuple(card.id for card in cards)
        request = ShippingOrder(user_card_ids=ids, address=PORTLAND)
        command = RequestShipping(person.user_id, request, repeat_of(person, request))
        if any(card.state != "vaulted" or not card.has_copy for card in cards):
            self.attempt(request_shipping(self.shop.house, command), CardNotShippable)
            return
        quote = self.run(quote_shipping(self.shop.house, QuoteShipping(person.user_id, ids, "US")))
        refusal = InsufficientCredits if collector.balance < quote.cost_minor else None
        placed = self.attempt(request_shipping(self.shop.house, command), refusal)
        if placed is not None:
            self.model.place_parcel(Parcel(placed.id, collector, quote.cost_minor, cards))
            for way in ways:
                self.move_parcel(len(self.model.parcels) - 1, way)

    @precondition(lambda self: self.model.parcels)
    @rule(which=st.integers(0, 10), way=st.integers(0, 9))
    def move_parcel(self, which: int, way: int) -> None:
        parcel = self.model.parcels[which % len(self.model.parcels)]
        # Mostly a way that there is, where there is one.
        ways = (sorted(TRANSITIONS[parcel.status]) if way < 7 else []) or SHIPPING_STATUSES
        status: ShippingStatus = ways[way % len(ways)]
        command = FulfilShipment(parcel.id, Transition(status=status), self.scene.owner.actor)
        refusal: type[Refusal] | None = AccountClosed if parcel.owner.is_closed else None
        if status not in TRANSITIONS[parcel.status]:
            refusal = BadTransition
        if self.attempt(fulfil_shipment(self.shop.house, command), refusal):
            self.model.move_parcel(parcel, status)

    @precondition(lambda self: self.model.parcels)
    @rule(which=st.integers(0, 10))
    def cancel_parcel(self, which: int) -> None:
        parcel = self.model.parcels[which % len(self.model.parcels)]
        owner = self.people[self.model.collectors.index(parcel.owner)]
        refusal = None if "cancelled" in TRANSITIONS[parcel.status] else BadTransition
        command = CancelShipping(owner.user_id, parcel.id)
        if self.attempt(cancel_shipping(self.shop.house, command), refusal):
            self.model.move_parcel(parcel, "cancelled")

    @rule(who=WHO)
    def rotate(self, who: int) -> None:
        person, collector = self.pick(who)
        rotated = self.run(rotate_seed(self.shop.house, person.user_id))
        assert rotated.revealed.openings == collector.nonce
        collector.nonce = 0

    @precondition(lambda self: len(self.here()) > 1)
    @rule(who=WHO, gives_up=st.booleans())
    def close_account(self, who: int, *, gives_up: bool) -> None:
        person, collector = self.pick(who)
        held = sum(card.state == "vaulted" for card in collector.cards)
        forfeit = Forfeit(collector.balance, held) if gives_up else Forfeit()
        refusal: type[Refusal] | None = None
        if self.model.is_waiting_for_parcels(collector):
            refusal = ParcelsUnderway
        elif forfeit.cards != held:
            refusal = CardsLeft
        elif forfeit.credits != collector.balance:
            refusal = CreditsLeft
        command = closing(person, forfeit=forfeit)
        closed = self.attempt(close_account(self.shop.house, command), refusal)
        if closed is not None:
            assert closed.openings == collector.nonce
            self.model.close(collector)
            assert self.run(close_account(self.shop.house, command)) == closed

    @rule(number=STOCKED, copies=st.integers(1, 3), place=st.sampled_from(["on_sale", "house"]))
    def move_copies(self, number: str, copies: int, place: StaffPlace) -> None:
        card_id = self.card_id(number)
        command = MoveStock(
            card_id=card_id, to_place=place, actor=self.scene.owner.actor, quantity=copies
        )
        move = self.model.restock if place == "on_sale" else self.model.take_back
        moved = move(card_id, copies)
        done = self.attempt(move_stock(self.shop.house, command), None if moved else NotFound)
        assert done is None or len(done.stock_item_ids) == moved

    @rule(number=STOCKED, copies=st.integers(1, 2), place=st.sampled_from(["on_sale", "house"]))
    def import_copies(self, number: str, copies: int, place: Place) -> None:
        card = self.scene.cards[number]
        row = {
            "set_code": card.set_code,
            "set_name": card.set_name,
            "number": number,
            "name": card.name,
            "tier": card.tier,
            "value_minor": card.value,
            "quantity": copies,
            "place": place,
        }
        command = ImportCatalog(
            content=msgspec.json.encode([row]), file_name="more.json", actor=self.scene.owner.actor
        )
        report = self.run(import_catalog(self.shop.house, command))
        assert report.copies_added == copies
        self.model.stock[card.id][place] += copies
        if place == "on_sale":
            self.model.end_pauses(card.id)

    @rule()
    def relay(self) -> None:
        self.run(relay_events(self.shop.house))
        self.model.pulls = self.model.drawn

    @rule(hours=st.integers(1, 100))
    def wait(self, hours: int) -> None:
        self.shop.forward(hours)

    @invariant()
    def the_laws_hold_and_the_model_agrees(self) -> None:
        if self.people:
            self.run(self.compare())

    async def compare(self) -> None:
        house = self.shop.house
        assert await list_broken_laws(house) == []
        for person, collector in zip(self.people, self.model.collectors, strict=True):
            assert await balance_of(house, person) == collector.balance
            states = {card.id: card.state for card in await cards_of(house, person)}
            assert states == {card.id: card.state for card in collector.cards}
        for card_id in self.model.stock:
            card = next(card for card in self.scene.cards.values() if card.id == card_id)
            assert await places_of(house, card) == self.model.places(card_id)
        for slug in ("mixed", "scarce"):
            assert await is_paused(house, slug) == self.model.is_paused(slug)
        pulls = await pulls_of(house)
        assert [pull.sequence for pull in pulls] == list(range(1, self.model.pulls + 1))

    def run(self, flow: Coroutine[Any, Any, Result]) -> Result:
        return self.shop.run(flow)

    def attempt(
        self, flow: Coroutine[Any, Any, Result], refusal: type[Refusal] | None
    ) -> Result | None:
        """The result of a flow, or None when it is refused, which the model must have foreseen."""
        if refusal is None:
            return self.run(flow)
        with pytest.raises(refusal):
            self.run(flow)
        return None

    def here(self) -> list[tuple[Person, Collector]]:
        """Everybody who has not closed their account."""
        everybody = zip(self.people, self.model.collectors, strict=True)
        return [(person, collector) for person, collector in everybody if not collector.is_closed]

    def pick(self, who: int) -> tuple[Person, Collector]:
        here = self.here()
        return here[who % len(here)]

    def card_id(self, number: str) -> CardId:
        return self.scene.cards[number].id

    def foresee_refusal(
        self, collector: Collector, slug: str, quantity: int
    ) -> type[Refusal] | None:
        if self.model.is_paused(slug):
            return SoldOut
        if collector.balance < PRICE_MINOR * quantity:
            return InsufficientCredits
        return SoldOut if slug == "crate" and self.model.packs_left < quantity else None

    def follow_opening(self, collector: Collector, slug: str, opened: OpenedPacks) -> None:
        collector.balance -= PRICE_MINOR * len(opened.openings)
        if slug == "crate":
            self.model.packs_left -= len(opened.openings)
        else:
            collector.nonce += len(opened.openings)
        for each in opened.openings:
            for card in each.cards:
                card_id = CardId(card.card.id)
                is_owed = card_id in self.physical
                assert card.paid_out == (is_owed and not self.model.has_copy_on_sale(card_id))
                owned = OwnedCard(
                    id=card.user_card_id,
                    card_id=card_id,
                    value=card.value,
                    has_copy=is_owed and not card.paid_out,
                    state="sold" if card.paid_out else "vaulted",
                    rate_basis_points=5_000 if slug == "crate" else 7_500,
                    sell_back_until=self.shop.now + SELL_BACK_WINDOW,
                )
                self.model.draw(collector, slug, owned, paid_out=card.paid_out)
        assert opened.balance == collector.balance


@cache
def cheap_hash() -> str:
    """A hash of everybody's password that costs nothing to check: it carries its own cost."""
    hasher = PasswordHasher(Argon2Cost(memory_kib=8, passes=1))
    return asyncio.run(hasher.hash_password(PASSWORD))


def choose(cards: Sequence[OwnedCard], picks: Sequence[int]) -> list[OwnedCard]:
    """Some of the cards, each once; low numbers are those in the vault."""
    vaulted_first = sorted(cards, key=lambda card: (card.state != "vaulted", not card.has_copy))
    indexes = dict.fromkeys(pick % len(cards) for pick in picks if cards)
    return [vaulted_first[index] for index in indexes]


def test_the_laws_hold_whatever_happens(
    servers: ServersToUse, template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = make_scene(servers, template, tmp_path, monkeypatch)

    class OnThisScene(ShopMachine):
        def __init__(self) -> None:
            super().__init__(scene)

    run_state_machine_as_test(
        OnThisScene,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS_IN_AN_EXAMPLE,
            derandomize=True,
            database=None,
            deadline=None,
            print_blob=True,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
