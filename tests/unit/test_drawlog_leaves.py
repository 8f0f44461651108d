"""Leaves of the draw log: their fields, and that everyone writes them with the same bytes."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from packhouse.drawlog import (
    Leaf,
    LotOpenedLeaf,
    PackOpenedLeaf,
    PackPublishedLeaf,
    SeedCommittedLeaf,
    StockAddedLeaf,
    canonical_json,
    leaf_bytes,
    leaf_of_event,
)
from packhouse.draws import (
    LotItem,
    Proof,
    Receipt,
    ReceiptCard,
    ReceiptLot,
    ReceiptPack,
    Ticket,
    manifest_leaf,
)
from packhouse.foundation.cards import CardFace
from packhouse.foundation.errors import Breach
from packhouse.foundation.events import (
    AccountRegistered,
    CardCopies,
    Event,
    MoneyMoved,
    PackOpened,
    PackPublished,
    SeedCommitted,
    ShipmentMoved,
    ShippingRequested,
    WaitingEvent,
)
from packhouse.foundation.identifiers import HOUSE, OpeningId
from packhouse.foundation.tiers import TIERS

FAIRNESS = Path(__file__).parents[2] / "docs" / "fairness.md"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

whole = st.integers(0, 2**53 - 1)
words = st.text(max_size=30)
times = st.datetimes(datetime(2026, 1, 1), datetime(2099, 1, 1)).map(  # noqa: DTZ001 - made aware
    lambda moment: moment.replace(tzinfo=UTC)
)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
tickets = st.builds(Ticket, whole, whole)
faces = st.builds(CardFace, st.uuids(), words, words, words, st.none() | words)
proofs = st.builds(
    Proof,
    config_hash=digests,
    commitment=digests,
    user_key=digests,
    nonce=st.none() | whole,
    client_seed=words,
    client_seed_origin=st.sampled_from(["request", "stored"]),
    layout=st.none() | words,
    layout_ticket=st.none() | tickets,
    lot=st.none() | st.builds(ReceiptLot, st.uuids(), digests, digests),
)
receipts = st.builds(
    Receipt,
    format=st.just("packhouse.receipt/1"),
    id=st.uuids(),
    kind=st.sampled_from(["odds", "lot"]),
    pack=st.builds(ReceiptPack, words, words, whole, digests),
    price=whole,
    cards=st.lists(
        st.builds(
            ReceiptCard,
            user_card_id=st.uuids(),
            card=faces,
            tier=st.sampled_from(TIERS),
            value=whole,
            slot=st.none() | words,
            tier_ticket=st.none() | tickets,
            card_ticket=st.none() | tickets,
            draw=st.none() | whole,
            ticket=st.none() | tickets,
            last_one=st.booleans(),
            paid_out=st.booleans(),
        ),
        max_size=3,
    ).map(tuple),
    proof=proofs,
    created_at=times,
    server_seed=st.none(),
)


leaf_fields: dict[object, st.SearchStrategy[Any]] = {
    datetime: times,
    str: digests,
    int: whole,
    UUID: st.uuids(),
    OpeningId: st.uuids(),
    tuple[int, ...]: st.lists(whole, max_size=41).map(tuple),
    tuple[UUID, ...]: st.lists(st.uuids(), max_size=20).map(tuple),
    tuple[CardCopies, ...]: st.lists(st.builds(CardCopies, st.uuids(), whole), max_size=9).map(
        tuple
    ),
}
leaves = st.one_of(
    [
        st.builds(
            kind,
            **{field.name: leaf_fields[field.type] for field in msgspec.structs.fields(kind)},
        )
        for kind in get_args(Leaf)
    ]
)


@given(leaves)
def test_a_leaf_is_canonical_json(leaf: Leaf) -> None:
    assert leaf_bytes(leaf) == rfc8785.dumps(msgspec.to_builtins(leaf))
    assert leaf_bytes(leaf).isascii()


@given(receipts)
def test_a_receipt_is_hashed_over_its_canonical_json(receipt: Receipt) -> None:
    assert canonical_json(receipt) == rfc8785.dumps(msgspec.to_builtins(receipt))


def test_every_character_is_written_as_canonical_json_writes_it() -> None:
    every = "".join(chr(code) for code in range(0x1_1000) if not 0xD800 <= code < 0xE000)
    face = CardFace(id=UUID(int=1), name=every, set="", number="", image_url=None)
    assert canonical_json(face) == rfc8785.dumps(msgspec.to_builtins(face))


@given(
    st.builds(
        LotItem,
        whole,
        st.uuids(),
        st.none() | st.uuids(),
        st.sampled_from(TIERS),
        whole,
        st.booleans(),
    )
)
def test_a_line_of_a_manifest_is_canonical_json(item: LotItem) -> None:
    assert manifest_leaf(item) == rfc8785.dumps(msgspec.to_builtins(item))


def test_the_specification_lists_every_kind_with_its_fields() -> None:
    text = FAIRNESS.read_text(encoding="utf-8")
    table = text.partition("## The draw log")[2].partition("What has to hold")[0]
    listed: dict[str, list[str]] = {}
    for kind, cell in re.findall(r"^\| `([a-z]+\.[a-z]+)` \| ([^|]*) \|", table, re.MULTILINE):
        fields = cell.partition(":")[0]
        listed[kind] = (
            listed["stock.added"] if fields == "the same" else re.findall(r"`([a-z_]+)`", fields)
        )
    ours = {
        kind.__struct_config__.tag: [name for name in kind.__struct_fields__ if name != "at"]
        for kind in get_args(Leaf)
    }
    assert ours == listed


def test_a_golden_leaf_of_each_kind_of_opening() -> None:
    pack = PackOpenedLeaf(
        at=NOON,
        opening=OpeningId(UUID(int=1)),
        receipt_hash="aa",
        config_hash="bb",
        commitment="cc",
        user_key="dd",
        nonce=4,
        client_seed_hash="ee",
        tickets=(0, 1, 2),
        cards=(UUID(int=2),),
        paid_out=(0,),
    )
    assert leaf_bytes(pack).decode() == (
        '{"at":"2026-11-22T12:00:00Z","cards":["00000000-0000-0000-0000-000000000002"],'
        '"client_seed_hash":"ee","commitment":"cc","config_hash":"bb","kind":"pack.opened",'
        '"nonce":4,"opening":"00000000-0000-0000-0000-000000000001","paid_out":[0],'
        '"receipt_hash":"aa","tickets":[0,1,2],"user_key":"dd"}'
    )
    lot = LotOpenedLeaf(
        at=NOON.replace(microsecond=250),
        opening=OpeningId(UUID(int=1)),
        receipt_hash="aa",
        config_hash="bb",
        manifest_root="cc",
        user_key="dd",
        client_seed_hash="ee",
        draw=7,
        tickets=(3,),
        cards=(UUID(int=2), UUID(int=3)),
    )
    assert leaf_bytes(lot).decode() == (
        '{"at":"2026-11-22T12:00:00.000250Z","cards":["00000000-0000-0000-0000-000000000002",'
        '"00000000-0000-0000-0000-000000000003"],"client_seed_hash":"ee","config_hash":"bb",'
        '"draw":7,"kind":"lot.opened","manifest_root":"cc",'
        '"opening":"00000000-0000-0000-0000-000000000001","receipt_hash":"aa","tickets":[3],'
        '"user_key":"dd"}'
    )


def test_an_event_becomes_the_leaf_of_its_kind() -> None:
    assert leaf_of_event(waiting(SeedCommitted("aa", "bb"))) == SeedCommittedLeaf(NOON, "aa", "bb")
    published = PackPublished(slug="ember", number=2, config_hash="cc")
    assert leaf_of_event(waiting(published)) == PackPublishedLeaf(NOON, "ember", 2, "cc")


OF_NO_LEAF = (PackOpened, MoneyMoved, ShippingRequested, ShipmentMoved, AccountRegistered)


@pytest.mark.parametrize("event", get_args(Event))
def test_every_announcement_tells_its_leaf_everything(event: type[Event]) -> None:
    if event in OF_NO_LEAF:
        return
    fields = {field.name: field.type for field in msgspec.structs.fields(event)}
    told_of = {name: values_of(kind) for name, kind in fields.items()} | {"postings": ()}
    fact = msgspec.convert(told_of, event)
    leaf = leaf_of_event(waiting(fact))
    assert leaf is not None
    told = {**msgspec.to_builtins(fact), "at": "2026-11-22T12:00:00Z", "kind": event.kind}
    del told["postings"]
    assert msgspec.to_builtins(leaf) == told


def values_of(kind: object) -> object:
    if kind is int:
        return 7
    return "ab" if kind is str else [CardCopies(UUID(int=3), 9)]


@pytest.mark.parametrize(
    "event",
    [
        PackOpened("ada", ()),
        MoneyMoved(()),
        ShippingRequested(()),
        ShipmentMoved("shipped"),
        AccountRegistered(),
    ],
)
def test_what_names_a_collector_or_money_has_no_leaf_of_its_own(event: Event) -> None:
    assert leaf_of_event(waiting(event)) is None


def test_a_leaf_that_is_too_long_for_its_file_is_refused() -> None:
    cards = tuple(CardCopies(UUID(int=number), 1) for number in range(2_000))
    with pytest.raises(Breach, match="longer than the draw log takes"):
        leaf_bytes(StockAddedLeaf(at=NOON, cards=cards))


def waiting(event: Event) -> WaitingEvent:
    return WaitingEvent(
        user_id=HOUSE,
        id=UUID(int=1),
        subject_id=UUID(int=2),
        sequence=0,
        event=event,
        created_at=NOON,
    )
