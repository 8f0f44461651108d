"""The counter of a small shop: cards in stock, packs on sale and people with credits.

Everything is made through the flows, but for passwords: nobody here signs in, and a hash that is
never checked need not be made.
"""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from datetime import date
from typing import Any, Final, Protocol

import asyncpg
import msgspec
import pytest

from packhouse import accounts, catalog, draws, feed, vault, wallet
from packhouse.accounts import NewUser, Role, SessionUser
from packhouse.catalog import Card, Place
from packhouse.draws import (
    DraftCard,
    DraftLayout,
    DraftLot,
    DraftPrize,
    DraftSlot,
    DraftTier,
    PackDraft,
)
from packhouse.feed import Pull
from packhouse.flows.import_catalog import ImportCatalog, import_catalog
from packhouse.flows.move_stock import MoveStock, move_stock
from packhouse.flows.open_pack import OpenPack, OpenPacks, open_pack
from packhouse.flows.publish_pack import (
    PublishedPack,
    PublishPack,
    SavePackDraft,
    publish_pack,
    save_pack_draft,
)
from packhouse.flows.register import make_account
from packhouse.flows.relay_events import relay_events
from packhouse.flows.settle_openings import OpenedPacks
from packhouse.flows.top_up import BuyCredits, TopUpRequest, top_up
from packhouse.foundation.identifiers import UserId, new_id
from packhouse.foundation.tiers import Tier
from packhouse.house import House
from packhouse.plumbing.audit import Actor
from packhouse.plumbing.idempotency import Repeat, recognise
from packhouse.plumbing.postgres import DatabaseUnavailable
from packhouse.shipping import Address
from packhouse.vault import UserCard, VaultFilter
from packhouse.wallet import LedgerEntry

VALUE_MINOR: Final = 80
PRICE_MINOR: Final = 100

NOBODY_SIGNS_IN: Final = "no hash of anything"

PORTLAND: Final = Address(
    name="Ada Quill",
    line1="12 Alder Street",
    city="Portland",
    region="OR",
    postal_code="97205",
    country="US",
)


class ShopClock(Protocol):
    """The clock of the house in a test: it stands still until it is moved."""

    def forward(self, **span: float) -> None:
        """Move on by a ``timedelta``'s arguments."""


class Person(msgspec.Struct, frozen=True):
    """Someone with an account and a wallet."""

    user_id: UserId
    username: str

    @property
    def actor(self) -> Actor:
        """The person as staff."""
        return Actor(user_id=self.user_id, username=self.username, request_id="request-1")


async def welcome(
    house: House,
    username: str,
    *,
    credits_minor: int = 0,
    role: Role = "collector",
    password_hash: str = NOBODY_SIGNS_IN,
) -> Person:
    """Make an account, and buy its credits."""
    new_user = NewUser(
        id=UserId(new_id()),
        username=username,
        email=f"{username}@example.com",
        password_hash=password_hash,
        role=role,
        birth_date=date(1990, 4, 1),
        created_at=house.clock(),
    )
    async with house.database.transaction() as connection:
        await make_account(house, connection, new_user)
    person = Person(new_user.id, username)
    if credits_minor:
        await top_up(house, buying(person, credits_minor))
    return person


async def welcome_all(house: House, count: int, *, credits_minor: int) -> list[Person]:
    """So many collectors at once."""
    return await asyncio.gather(
        *(welcome(house, f"collector{n}", credits_minor=credits_minor) for n in range(count))
    )


def session_of(person: Person, house: House) -> SessionUser:
    """The person as a signed-in reader."""
    return SessionUser(
        user_id=person.user_id,
        username=person.username,
        email=f"{person.username}@example.com",
        role="collector",
        is_anonymous=False,
        suspended_at=None,
        expires_at=house.clock(),
    )


def repeat_of(person: Person, request: msgspec.Struct, key: str | None = None) -> Repeat:
    """What makes a request the same again; without ``key`` it is like no other."""
    return recognise(
        user_id=person.user_id, route="test", key=key or str(new_id()), request=request
    )


def buying(person: Person, amount: int, *, key: str | None = None) -> BuyCredits:
    """The command to buy credits."""
    request = TopUpRequest(amount=amount)
    return BuyCredits(
        user_id=person.user_id, request=request, repeat=repeat_of(person, request, key)
    )


async def stock_card(
    house: House,
    owner: Person,
    number: str,
    *,
    tier: Tier = "D",
    value: int = VALUE_MINOR,
    copies: int = 0,
    place: Place = "on_sale",
) -> Card:
    """Import the card EMB-``number`` with copies; without any it is digital."""
    row = {
        "set_code": "EMB",
        "set_name": "Ember Hollow",
        "number": number,
        "name": f"Ember {number}",
        "tier": tier,
        "value_minor": value,
        "kind": "physical" if copies else "digital",
    }
    if copies:
        row |= {"quantity": copies, "place": place}
    content = msgspec.json.encode([row])
    await import_catalog(
        house, ImportCatalog(content=content, file_name="ember.json", actor=owner.actor)
    )
    async with house.database.connection() as connection:
        cards = await catalog.list_cards_of_sets(connection, ["EMB"])
    return next(card for card in cards if card.number == number)


async def restock(house: House, owner: Person, card: Card, quantity: int) -> None:
    """Put copies of the house on sale."""
    command = MoveStock(card_id=card.id, to_place="on_sale", actor=owner.actor, quantity=quantity)
    await move_stock(house, command)


def odds_of(*numbers: str, tier: Tier = "D", count: int = 1, price: int = PRICE_MINOR) -> PackDraft:
    """An odds pack: ``count`` cards of one tier, each of the named as likely as the others."""
    cards = tuple(DraftCard(f"EMB-{number}") for number in numbers)
    slot = DraftSlot("Card", (DraftTier(tier, 1, cards),), count=count)
    return PackDraft(
        name="Ember",
        kind="odds",
        price=price,
        sell_back_rate_basis_points=7_500,
        sell_back_window_days=7,
        layouts=(DraftLayout("Only", (slot,)),),
    )


def lot_of(
    prizes: Mapping[str, int], *, packs: int, last_one: str | None = None, cards_per_pack: int = 1
) -> PackDraft:
    """A finite lot of copies by card number."""
    return PackDraft(
        name="Ember crate",
        kind="lot",
        price=PRICE_MINOR,
        sell_back_rate_basis_points=5_000,
        sell_back_window_days=7,
        lot=DraftLot(
            packs=packs,
            prizes=tuple(DraftPrize(f"EMB-{number}", count) for number, count in prizes.items()),
            cards_per_pack=cards_per_pack,
            last_one=None if last_one is None else f"EMB-{last_one}",
        ),
    )


async def publish(house: House, owner: Person, slug: str, draft: PackDraft) -> PublishedPack:
    """Put a draft on sale, with a reason in case it needs one."""
    await save_pack_draft(house, SavePackDraft(slug, draft, owner.actor))
    return await publish_pack(house, PublishPack(slug, owner.actor, reason="A test."))


def opening(
    person: Person,
    slug: str,
    *,
    quantity: int = 1,
    key: str | None = None,
    client_seed: str | None = None,
    config_hash: str | None = None,
) -> OpenPack:
    """The command to open packs."""
    request = OpenPacks(quantity=quantity, client_seed=client_seed, config_hash=config_hash)
    return OpenPack(
        user_id=person.user_id,
        slug=slug,
        request=request,
        repeat=repeat_of(person, request, key),
    )


async def open_one(house: House, person: Person, slug: str, *, quantity: int = 1) -> OpenedPacks:
    """Open packs as a request like no other."""
    return await open_pack(house, opening(person, slug, quantity=quantity))


async def relay_all(house: House) -> None:
    """Move on whatever waits."""
    while True:
        relayed = await relay_events(house)
        if relayed is not None and relayed.events == 0:
            return


async def balance_of(house: House, person: Person) -> int:
    """Minor units."""
    async with house.database.connection() as connection:
        found = await wallet.find_wallet(connection, person.user_id)
    assert found is not None
    return found.balance


async def entries_of(house: House, person: Person) -> list[LedgerEntry]:
    """Every ledger entry, oldest first."""
    async with house.database.connection() as connection:
        entries = await wallet.list_ledger_entries(
            connection, user_id=person.user_id, before=None, limit=1_000
        )
    return entries[::-1]


async def cards_of(house: House, person: Person) -> list[UserCard]:
    """Every user card, newest first."""
    async with house.database.connection() as connection:
        return await vault.list_vault_page(
            connection, user_id=person.user_id, wanted=VaultFilter(), after=None, limit=1_000
        )


async def pulls_of(house: House) -> list[Pull]:
    """The whole feed, oldest first."""
    async with house.database.connection() as connection:
        return await feed.list_pulls_after(connection, sequence=0, limit=10_000)


async def places_of(house: House, card: Card) -> dict[Place, int]:
    """How many copies of a card are where."""
    async with house.database.connection() as connection:
        return (await catalog.count_stock_by_place(connection, [card.id]))[card.id]


async def is_paused(house: House, slug: str) -> bool:
    """Whether the pack rests until it is restocked."""
    async with house.database.connection() as connection:
        pack = await draws.find_pack(connection, slug)
    assert pack is not None
    return pack.is_paused


async def suspend(house: House, person: Person) -> None:
    """Suspend without the ceremony."""
    async with house.database.transaction() as connection:
        await accounts.update_suspension(
            connection, person.user_id, suspended_at=house.clock(), reason="A test."
        )


async def record_everything(house: House) -> dict[str, str]:
    """A fingerprint of each table's rows: equal before and after means that nothing changed."""
    async with house.database.connection() as connection:
        tables = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace = 'public'::regnamespace"
        )
        union = " UNION ALL ".join(
            f"SELECT '{name}' AS name, (SELECT md5(string_agg(t::text, '|' ORDER BY t::text))"  # noqa: S608 - the catalog's own names
            f" FROM {name} t) AS rows"
            for (name,) in tables
        )
        return {row["name"]: row["rows"] or "" for row in await connection.fetch(union)}


async def kill_at(house: House, table: str, flow: Coroutine[Any, Any, object]) -> None:
    """Let a flow run until it writes to ``table``, and kill its backend there."""
    assert house.settings.database_url is not None
    rival = await asyncpg.connect(house.settings.database_url.reveal())
    try:
        async with rival.transaction():
            # Lets everybody read and nobody write.
            await rival.execute(f"LOCK TABLE {table} IN SHARE MODE")
            task = asyncio.create_task(flow)
            while not await rival.fetchval(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            ):
                assert not task.done(), f"not held up at {table}: {await task}"
                await asyncio.sleep(0.002)
            with pytest.raises(DatabaseUnavailable):
                await task
    finally:
        await rival.close()


async def wait_for_a_lock(house: House, *, waiting: int = 1) -> None:
    """Until somebody in this database waits for somebody else, or so many do."""
    async with house.database.connection() as connection:
        while waiting > await connection.fetchval(  # noqa: ASYNC110 - PostgreSQL tells nobody
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ):
            await asyncio.sleep(0.002)


def outcomes_of(results: Sequence[object], kind: type[Exception]) -> int:
    """How many of the results of ``gather`` are errors of this kind."""
    return sum(isinstance(result, kind) for result in results)
