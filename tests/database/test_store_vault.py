"""The vault and the feed as PostgreSQL keeps them: pages, filters, and laws that can fail."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final, get_args

import asyncpg
import msgspec
import pytest

from packhouse import feed, vault
from packhouse.feed import Pull, PulledFrom
from packhouse.foundation.cards import CardFace
from packhouse.foundation.checks import Finding
from packhouse.foundation.identifiers import (
    CardId,
    OpeningId,
    StockItemId,
    UserCardId,
    UserId,
    new_id,
)
from packhouse.foundation.tiers import TIERS, Tier
from packhouse.house import House
from packhouse.plumbing.postgres import Connection, transaction_on
from packhouse.vault import (
    UserCard,
    UserCardState,
    VaultFilter,
    VaultPosition,
    VaultSort,
)
from worlds.ember_counter import odds_of, open_one, publish, stock_card, welcome

ADA: Final = UserId(new_id())
BEN: Final = UserId(new_id())
STATES: Final[tuple[UserCardState, ...]] = get_args(UserCardState)


@pytest.fixture
async def cards(house: House) -> list[UserCard]:
    """Forty of Ada's cards of all tiers and states, values often equal, and one of Ben's."""
    made = [
        card_of(ADA, TIERS[n % 7], STATES[n % 5], value=(n % 4) * 100, now=house.clock())
        for n in range(40)
    ]
    bens = card_of(BEN, "D", "vaulted", value=100, now=house.clock())
    async with house.database.transaction() as connection:
        await vault.insert_user_cards(connection, [*made, bens])
    return made


async def test_cards_that_cannot_all_be_written_are_not_written_at_all(house: House) -> None:
    fine, other = (card_of(ADA, "D", "vaulted", value=5, now=house.clock()) for _ in range(2))
    for broken, error in (
        (fine, asyncpg.UniqueViolationError),
        (msgspec.structs.replace(other, value=-1), asyncpg.CheckViolationError),
        (msgspec.structs.replace(other, value=2**63), OverflowError),
        (msgspec.structs.replace(other, value=None), asyncpg.NotNullViolationError),
    ):
        async with house.database.connection() as connection:
            with pytest.raises(error):
                async with transaction_on(connection):
                    await vault.insert_user_cards(connection, [fine, broken])
            assert await vault.count_user_cards(connection, ADA) == {}


@pytest.mark.parametrize("sort", get_args(VaultSort))
@pytest.mark.parametrize("tier", [None, "C"])
@pytest.mark.parametrize("state", [None, "vaulted"])
async def test_pages_together_are_all_cards_once_in_order(
    house: House,
    cards: list[UserCard],
    sort: VaultSort,
    tier: Tier | None,
    state: UserCardState | None,
) -> None:
    wanted = VaultFilter(tier=tier, state=state, sort=sort)
    seen: list[UserCard] = []
    after: VaultPosition | None = None
    async with house.database.connection() as connection:
        while page := await vault.list_vault_page(
            connection, user_id=ADA, wanted=wanted, after=after, limit=3
        ):
            seen += page
            after = VaultPosition(id=page[-1].id, value=page[-1].value)
    expected = [
        card
        for card in cards
        if (tier is None or card.tier == tier) and (state is None or card.state == state)
    ]
    expected.sort(
        key=lambda card: (card.value, card.id) if sort == "value" else (0, card.id), reverse=True
    )
    assert seen == expected


async def test_cards_are_counted_by_tier_and_state(house: House, cards: list[UserCard]) -> None:
    async with house.database.connection() as connection:
        counts = await vault.count_user_cards(connection, ADA)
    assert sum(counts.values()) == len(cards)
    assert counts[("D", "vaulted")] == 2


async def test_only_ones_own_cards_in_the_named_state_move(
    house: House, cards: list[UserCard]
) -> None:
    async with house.database.transaction() as connection:
        moved = await vault.update_user_card_states(
            connection,
            user_id=BEN,
            user_card_ids=[card.id for card in cards],
            from_state="vaulted",
            to_state="sold",
        )
        assert moved == set()
        moved = await vault.update_user_card_states(
            connection,
            user_id=ADA,
            user_card_ids=[card.id for card in cards],
            from_state="vaulted",
            to_state="sold",
        )
    assert moved == {card.id for card in cards if card.state == "vaulted"}


async def test_the_law_sees_a_copy_with_two_owners_or_none(house: House) -> None:
    olga = await welcome(house, "olga", role="owner")
    ada = await welcome(house, "ada", credits_minor=1_000)
    await stock_card(house, olga, "001", copies=3)
    await publish(house, olga, "ember", odds_of("001"))
    await open_one(house, ada, "ember", quantity=2)
    for statement in (
        "UPDATE user_cards SET stock_item_id = (SELECT min(id::text)::uuid FROM stock_items)",
        "UPDATE stock_items SET place = 'on_sale' WHERE place = 'vaulted'",
        "UPDATE stock_items SET place = 'vaulted' WHERE place = 'on_sale'",
        "UPDATE user_cards SET state = 'reserved'",
        "UPDATE user_cards SET state = 'sold'",
        "DELETE FROM user_cards",
    ):
        assert not await holds_after(house, statement, vault.check_every_card_has_one_place)


async def test_the_law_sees_a_pull_that_is_missing_or_doubled(house: House) -> None:
    olga = await welcome(house, "olga", role="owner")
    ada = await welcome(house, "ada", credits_minor=1_000)
    await stock_card(house, olga, "002")
    await publish(house, olga, "spark", odds_of("002"))
    await open_one(house, ada, "spark", quantity=2)
    async with house.database.transaction() as connection:
        await feed.insert_pulls(connection, [pull_of(1, now=house.clock())])
        await connection.execute("DELETE FROM outbox WHERE sequence = 2")
    assert await holds_after(house, "SELECT 1", feed.check_feed_is_complete)
    for statement in (
        "DELETE FROM global_feed",
        "DELETE FROM outbox WHERE kind = 'pack.opened'",
        "UPDATE global_feed SET sequence = 2",
    ):
        assert not await holds_after(house, statement, feed.check_feed_is_complete)


async def test_the_feed_comes_newest_first_by_tier_and_after_a_sequence(house: House) -> None:
    pulls = [pull_of(n, tier=TIERS[n % 2], now=house.clock()) for n in range(1, 10)]
    async with house.database.transaction() as connection:
        assert await feed.find_last_sequence(connection) == 0
        await feed.insert_pulls(connection, pulls)
        assert await feed.find_last_sequence(connection) == 9
        newest = await feed.list_newest_pulls(connection, tier=None, before=None, limit=3)
        older = await feed.list_newest_pulls(connection, tier=None, before=7, limit=3)
        of_tier = await feed.list_newest_pulls(connection, tier="C", before=8, limit=3)
        missed = await feed.list_pulls_after(connection, sequence=6, limit=2)
    assert newest == [pulls[8], pulls[7], pulls[6]]
    assert [pull.sequence for pull in older] == [6, 5, 4]
    assert [pull.sequence for pull in of_tier] == [7, 5, 3]
    assert [pull.sequence for pull in missed] == [7, 8]


async def holds_after(
    house: House, statement: str, check: Callable[[Connection], Awaitable[Finding]]
) -> bool:
    """Whether a law holds after a statement, which is taken back."""
    async with house.database.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(statement)
        finding = await check(connection)
        await transaction.rollback()
    return finding.holds


def card_of(
    user_id: UserId, tier: Tier, state: UserCardState, *, value: int, now: datetime
) -> UserCard:
    return UserCard(
        user_id=user_id,
        id=UserCardId(new_id()),
        card_id=CardId(new_id()),
        stock_item_id=None if state == "sold" else StockItemId(new_id()),
        opening_id=OpeningId(new_id()),
        tier=tier,
        value=value,
        state=state,
        sell_back_amount=value // 2,
        sell_back_until=now + timedelta(days=1),
        created_at=now,
    )


def pull_of(sequence: int, *, now: datetime, tier: Tier = "D") -> Pull:
    return Pull(
        sequence=sequence,
        username="ada",
        card=CardFace(id=new_id(), name="Ember", set="Ember Hollow", number="001", image_url=None),
        tier=tier,
        value=80,
        pack=PulledFrom(slug="ember", name="Ember"),
        opening_id=OpeningId(new_id()),
        created_at=now,
    )
