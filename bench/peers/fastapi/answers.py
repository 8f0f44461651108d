"""What is asked and answered: the shop's contract as Pydantic models."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """Never changed once it is made."""

    model_config = ConfigDict(frozen=True)


class OpenPacks(BaseModel):
    model_config = ConfigDict(extra="forbid")

    quantity: Annotated[int, Field(ge=1, le=10)] = 1
    client_seed: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    config_hash: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None


class Ticket(Answer):
    number: int
    of: int


class CardFace(Answer):
    id: UUID
    name: str
    set: str
    number: str
    image_url: str | None


class OpenedCard(Answer):
    user_card_id: UUID
    card: CardFace
    tier: str
    value: int
    paid_out: bool = False


class ReceiptCard(Answer):
    user_card_id: UUID
    card: CardFace
    tier: str
    value: int
    slot: str
    tier_ticket: Ticket
    card_ticket: Ticket
    paid_out: bool = False


class Proof(Answer):
    config_hash: str
    commitment: str
    user_key: str
    nonce: int
    client_seed: str
    client_seed_origin: str
    layout: str
    layout_ticket: Ticket
    lot: None = None


class ReceiptPack(Answer):
    slug: str
    name: str
    version: int
    config_hash: str


class Receipt(Answer):
    format: str
    id: UUID
    kind: str
    pack: ReceiptPack
    price: int
    cards: list[ReceiptCard]
    proof: Proof
    created_at: datetime
    server_seed: None = None


class Opened(Answer):
    id: UUID
    cards: list[OpenedCard]
    proof: Proof


class OpenedPacks(Answer):
    openings: list[Opened]
    balance: int


class Recorded(Answer):
    openings: list[UUID]
    balance: int


class Posting(Answer):
    account: str
    amount: int


class PackOpened(Answer):
    username: str
    postings: list[Posting]


class SellBack(Answer):
    amount: int
    until: datetime


class VaultCard(Answer):
    id: UUID
    card: CardFace
    tier: str
    value: int
    state: str
    sell_back: SellBack
    is_shippable: bool
    opening_id: UUID
    created_at: datetime


class VaultPage(Answer):
    items: list[VaultCard]
    next_cursor: str | None


class PulledFrom(Answer):
    slug: str
    name: str


class PullAnswer(Answer):
    sequence: int
    username: str
    card: CardFace
    tier: str
    value: int
    pack: PulledFrom
    opening_id: UUID
    created_at: datetime


class FeedPage(Answer):
    items: list[PullAnswer]
    next_cursor: str | None
