"""The population: collectors with sessions, credits, seed pairs and drawn cards, by COPY.

Over HTTP ten thousand sign-ups would cost minutes of password hashing. Here everything is made as
the flows make it, real draws included, and written straight into the tables; what the relay has to
do with it (feed, public receipts, the house's accounts, the draw log) is left in the outbox for the
relay itself. So every law holds for this population as for any other.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from packhouse import accounts, catalog, draws, wallet
from packhouse.bench.portions import portions
from packhouse.draws import NewSeedPair, Proof, Receipt, ReceiptCard, ReceiptPack, ShelvedPack
from packhouse.flows.announcements import stock_added
from packhouse.foundation.cards import CardFace
from packhouse.foundation.events import (
    Event,
    MoneyMoved,
    PackOpened,
    SeedCommitted,
)
from packhouse.foundation.identifiers import CardId, OpeningId, UserCardId, UserId, new_id
from packhouse.foundation.money import share_of
from packhouse.house import House
from packhouse.plumbing.outbox import insert_events
from packhouse.wallet import LedgerEntry, Movement, Wallet

PASSWORD: Final = "benchmark pack opener"  # noqa: S105 - of invented people on a temporary stage
CREDITS_MINOR: Final = 100_000_000_000
"""More than anybody can spend during a bench."""
OPENINGS_EACH: Final = 3
"""With eight cards in a pack, more than the first page of a vault."""
COLLECTORS_PER_COPY: Final = 500
SESSION_DAYS: Final = 2
RECORDED_ENTRIES: Final = 1_511
RECORDED_NONCE: Final = 7_001

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "users": (
        "id", "username", "email", "password_hash", "role", "birth_date", "created_at",
    ),
    "user_emails": ("email_key", "user_id"),
    "user_names": ("username_key", "user_id"),
    "sessions": ("token_hash", "user_id", "created_at", "expires_at"),
    "wallets": ("user_id", "balance", "sequence", "seed_pair_id", "nonce"),
    "ledger_entries": (
        "user_id", "sequence", "kind", "amount", "balance_after", "counterparty", "reference",
        "created_at",
    ),
    "top_ups": (
        "user_id", "id", "amount", "provider", "provider_ref", "status", "created_at",
        "completed_at",
    ),
    "seed_pairs": (
        "user_id", "id", "sealed_server_seed", "commitment", "user_key", "client_seed",
        "created_at", "first_used_at",
    ),
    "openings": (
        "user_id", "id", "pack_version_id", "seed_pair_id", "nonce", "price", "receipt",
        "created_at",
    ),
    "user_cards": (
        "user_id", "id", "card_id", "stock_item_id", "opening_id", "tier", "value", "state",
        "sell_back_amount", "sell_back_until", "created_at",
    ),
    "stock_items": ("card_id", "id", "place", "created_at", "updated_at"),
    "outbox": (
        "user_id", "id", "kind", "version", "subject_id", "sequence", "payload", "created_at",
    ),
}  # fmt: skip
"""What is written, in this order: events last, since the relay reads what they tell of."""

Row = tuple[Any, ...]


class Collector(msgspec.Struct, frozen=True):
    """Somebody who can act on the stage: signed in by ``token``; the password is ``PASSWORD``.

    ``cards`` are user cards of a physical copy each, fit to be shipped.
    """

    user_id: UserId
    email: str
    token: str
    cards: tuple[UserCardId, ...]


class Filled(msgspec.Struct, frozen=True):
    """The collectors, and how fast rows were written.

    The ids of ``collectors`` count up from 0 behind ``ids_from``. ``recorded`` stands apart from
    them: its wallet has numbers (``RECORDED_ENTRIES``, ``RECORDED_NONCE``) that nothing else has,
    so that they are known again wherever they turn up in a recording.
    """

    collectors: tuple[Collector, ...]
    recorded: Collector
    ids_from: UUID
    rows: int
    seconds: float

    @property
    def rows_per_second(self) -> float:
        """Rows made and copied, a second."""
        return self.rows / self.seconds if self.seconds else 0.0


async def fill(
    house: House,
    *,
    slug: str,
    collectors: int,
    openings_each: int = OPENINGS_EACH,
    recorded_nonce: int = RECORDED_NONCE,
    tell: Callable[[int], None],
) -> Filled:
    """Make ``collectors`` people who have opened ``slug`` a few times; ``tell`` gets how many.

    The draw log of such a shop is honest but for the ``recorded_nonce`` that one of them begins at.
    """
    pack = await house.packs.get_pack(house.database, slug)
    async with house.database.connection() as connection:
        cards = await house.cards.list_cards(connection, pack.card_ids)
    maker = CollectorMaker(
        house,
        pack=pack,
        faces={
            card_id: catalog.card_face(card, media_url=house.media.url_of)
            for card_id, card in cards.items()
        },
        password_hash=await house.passwords.hash_password(PASSWORD),
        openings_each=openings_each,
    )
    begun = time.monotonic()
    recorded = maker.make(collectors, entries=RECORDED_ENTRIES, first_nonce=recorded_nonce)
    made: list[Collector] = []
    rows = 0
    for numbers in portions(range(collectors), COLLECTORS_PER_COPY):
        told_as = new_id()
        made += [maker.make(number) for number in numbers]
        rows += await _copy(house, maker.take_rows(), told_as=told_as)
        tell(len(made))
    return Filled(
        collectors=tuple(made),
        recorded=recorded,
        ids_from=maker.ids_from,
        rows=rows,
        seconds=time.monotonic() - begun,
    )


async def _copy(house: House, rows: Mapping[str, Sequence[Row]], *, told_as: UUID) -> int:
    """``told_as`` is the event that puts the copies on sale, and so precedes their draws."""
    copies = Counter(CardId(row[0]) for row in rows["stock_items"])
    added = stock_added(copies, now=house.clock())
    async with house.database.connection() as connection:
        for table, columns in COLUMNS.items():
            await connection.copy_records_to_table(table, records=rows[table], columns=columns)
        await insert_events(
            connection, [msgspec.structs.replace(event, id=told_as) for event in added]
        )
    return sum(map(len, rows.values()))


class CollectorMaker:
    """Makes people and collects their rows, as the flows ``register`` to ``open_pack`` would."""

    def __init__(
        self,
        house: House,
        *,
        pack: ShelvedPack,
        faces: Mapping[CardId, CardFace],
        password_hash: str,
        openings_each: int,
    ) -> None:
        self._house = house
        self._pack = pack
        self._faces = faces
        self._password_hash = password_hash
        self._openings_each = openings_each
        self._rows: dict[str, list[Row]] = defaultdict(list)
        milliseconds = int(house.clock().timestamp() * 1000)
        self.ids_from = UUID(int=milliseconds << 80 | 7 << 76 | 8 << 60)

    def take_rows(self) -> Mapping[str, Sequence[Row]]:
        """The rows since the last time, by table."""
        rows, self._rows = self._rows, defaultdict(list)
        return rows

    def make(self, number: int, *, entries: int = 1, first_nonce: int = 0) -> Collector:
        """Collector ``number``, with so many top-ups and draws from ``first_nonce`` on."""
        now = self._house.clock()
        user_id = UserId(UUID(int=self.ids_from.int + number))
        username = f"bench-{number:07d}"
        email = f"{username}@example.com"
        rows = self._rows
        rows["users"].append(
            (user_id, username, email, self._password_hash, "collector", date(1990, 1, 1), now)
        )
        rows["user_emails"].append((accounts.email_key(email), user_id))
        rows["user_names"].append((accounts.username_key(username), user_id))
        session = accounts.new_session(
            user_id, entropy=self._house.entropy, now=now, ttl_seconds=SESSION_DAYS * 86_400
        )
        rows["sessions"].append((session.token_hash, user_id, now, session.expires_at))
        pair = draws.new_seed_pair(user_id, self._house.entropy, self._house.seal, now)
        self._add_event(
            user_id,
            pair.id,
            0,
            SeedCommitted(commitment=pair.commitment.hex(), user_key=pair.user_key.hex()),
            now,
        )
        cards = self._add_history(
            user_id, username, pair, now, entries=entries, first_nonce=first_nonce
        )
        return Collector(user_id=user_id, email=email, token=session.token, cards=tuple(cards))

    def _add_history(
        self,
        user_id: UserId,
        username: str,
        pair: NewSeedPair,
        now: datetime,
        *,
        entries: int,
        first_nonce: int,
    ) -> list[UserCardId]:
        used_at = now if self._openings_each else None
        self._rows["seed_pairs"].append(
            (
                user_id, pair.id, pair.sealed_server_seed, pair.commitment, pair.user_key,
                pair.client_seed, now, used_at,
            )
        )  # fmt: skip
        purse = Wallet(user_id=user_id, balance=0, sequence=0, seed_pair_id=pair.id, nonce=0)
        for _ in range(entries):
            purse = self._top_up(purse, now)
        server_seed = self._house.seal.open(pair.sealed_server_seed, context=pair.id.bytes)
        cards: list[UserCardId] = []
        for nonce in range(first_nonce, first_nonce + self._openings_each):
            receipt, physical = self._draw(pair, server_seed, nonce=nonce, now=now)
            paid = Movement("pack_opening", -receipt.price, receipt.id)
            purse = self._settle(purse, paid, now)
            opened = PackOpened(username=username, postings=wallet.postings_of([paid]))
            self._add_event(user_id, receipt.id, purse.sequence, opened, now)
            cards += self._add_opening(user_id, pair, receipt, physical, now)
        self._rows["wallets"].append(
            (user_id, purse.balance, purse.sequence, pair.id, first_nonce + self._openings_each)
        )
        return cards

    def _draw(
        self, pair: NewSeedPair, server_seed: bytes, *, nonce: int, now: datetime
    ) -> tuple[Receipt, list[bool]]:
        compiled = self._pack.compiled
        outcome = draws.decide(
            compiled,
            server_seed=server_seed,
            user_key=pair.user_key,
            nonce=nonce,
            client_seed=pair.client_seed,
        )
        receipt = Receipt(
            format="packhouse.receipt/1",
            id=OpeningId(new_id()),
            kind="odds",
            pack=ReceiptPack(
                slug=self._pack.slug,
                name=compiled.config.name,
                version=compiled.config.number,
                config_hash=compiled.config_hash.hex(),
            ),
            price=compiled.config.price,
            cards=tuple(
                ReceiptCard(
                    user_card_id=UserCardId(new_id()),
                    card=self._faces[card.card],
                    tier=card.tier,
                    value=card.value,
                    slot=card.slot,
                    tier_ticket=card.tier_ticket,
                    card_ticket=card.card_ticket,
                )
                for card in outcome.cards
            ),
            proof=Proof(
                config_hash=compiled.config_hash.hex(),
                commitment=pair.commitment.hex(),
                user_key=pair.user_key.hex(),
                nonce=nonce,
                client_seed=pair.client_seed,
                client_seed_origin="stored",
                layout=outcome.layout,
                layout_ticket=outcome.layout_ticket,
                lot=None,
            ),
            created_at=now,
        )
        return receipt, [card.physical for card in outcome.cards]

    def _add_opening(
        self,
        user_id: UserId,
        pair: NewSeedPair,
        receipt: Receipt,
        physical: Sequence[bool],
        now: datetime,
    ) -> list[UserCardId]:
        text = msgspec.json.encode(receipt).decode()
        self._rows["openings"].append(
            (
                user_id, receipt.id, self._pack.version_id, pair.id, receipt.proof.nonce,
                receipt.price, text, now,
            )
        )  # fmt: skip
        shippable: list[UserCardId] = []
        terms = self._pack.config.sell_back
        until = now + timedelta(seconds=terms.window_seconds)
        for card, has_copy in zip(receipt.cards, physical, strict=True):
            item = new_id() if has_copy else None
            if item is not None:
                self._rows["stock_items"].append((card.card.id, item, "vaulted", now, now))
                shippable.append(card.user_card_id)
            offer = share_of(card.value, rate_basis_points=terms.rate_basis_points)
            self._rows["user_cards"].append(
                (
                    user_id, card.user_card_id, card.card.id, item, receipt.id, card.tier,
                    card.value, "vaulted", offer, until, now,
                )
            )  # fmt: skip
        return shippable

    def _top_up(self, purse: Wallet, now: datetime) -> Wallet:
        top_up_id = new_id()
        self._rows["top_ups"].append(
            (purse.user_id, top_up_id, CREDITS_MINOR, "demo", str(top_up_id), "completed", now, now)
        )
        bought = Movement("top_up", CREDITS_MINOR, top_up_id)
        purse = self._settle(purse, bought, now)
        postings = wallet.postings_of([bought])
        self._add_event(
            purse.user_id, top_up_id, purse.sequence, MoneyMoved(postings=postings), now
        )
        return purse

    def _settle(self, purse: Wallet, movement: Movement, now: datetime) -> Wallet:
        change = wallet.settle(purse, [movement], now=now)
        self._rows["ledger_entries"] += [_entry_row(purse.user_id, each) for each in change.entries]
        return msgspec.structs.replace(purse, balance=change.balance, sequence=change.sequence)

    def _add_event(
        self, user_id: UserId, subject_id: UUID, sequence: int, event: Event, now: datetime
    ) -> None:
        payload = msgspec.json.encode(event).decode()
        self._rows["outbox"].append(
            (user_id, new_id(), event.kind, event.version, subject_id, sequence, payload, now)
        )


def _entry_row(user_id: UserId, entry: LedgerEntry) -> Row:
    return (
        user_id, entry.sequence, entry.kind, entry.amount, entry.balance_after,
        entry.counterparty, entry.reference, entry.created_at,
    )  # fmt: skip
