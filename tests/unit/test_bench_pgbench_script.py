"""A recorded opening becomes a pgbench script in which each transaction is somebody else's."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from packhouse.bench.opening_script import pools_of
from packhouse.bench.pgbench_script import Recorded, Script, write_script
from packhouse.bench.recording import SentStatement
from packhouse.foundation.identifiers import new_id

BEGUN_AT = datetime.now(UTC) - timedelta(seconds=1)
CARD, OTHER_CARD, COPY = uuid4(), uuid4(), uuid4()
STANDING = "SELECT balance, sequence, nonce, seed_pair_id FROM wallets WHERE user_id = $1"
CLAIM = "SELECT card_id, id FROM stock_items WHERE card_id = ANY ($1) AND id >= ANY ($3) LIMIT $2"
RECORDED = Recorded(
    user_id=uuid4(),
    seed_pair_id=uuid4(),
    balance=777_000_000,
    sequence=1_511,
    nonce=7_001,
    key="bench-key",
    begun_at=BEGUN_AT,
    cards=[(CARD, COPY)],
    pools=[(CARD, OTHER_CARD)],
    standing=STANDING,
    claim=CLAIM,
)


def script_of(text: str, *arguments: object) -> Script:
    return write_script([SentStatement(text, arguments)], RECORDED)


def test_the_wallet_is_that_of_the_collector_whose_turn_it_is() -> None:
    text = script_of("UPDATE w SET a = $1, b = $2, c = $3", 1_512, 7_001, 776_998_100).text
    assert "a = (:sequence::bigint + 1)" in text
    assert "b = (:nonce::bigint + 0)" in text
    assert "c = (:balance::bigint + -1900)" in text


def test_other_numbers_stay() -> None:
    assert "($1" not in (text := script_of("SELECT $1, $2", -1900, 201).text)
    assert "SELECT (-1900), (201)" in text


def test_new_ids_are_made_anew_and_the_same_one_is_made_the_same() -> None:
    opening, card = new_id(), new_id()
    text = script_of("SELECT $1, $2, $3", opening, card, opening).text
    first, second, third = text.split("SELECT ")[1].split(", (")
    assert first.strip("()") == third.rstrip(";\n").strip("()")
    assert "* 64 + 0" in first
    assert "* 64 + 1" in second
    assert str(opening) not in text


def test_ids_that_were_there_before_stay() -> None:
    known = UUID("01890000-0000-7000-8000-000000000001")
    assert f"'{known}'::uuid" in script_of("SELECT $1", known).text


def test_cards_are_drawn_and_copies_are_those_that_were_claimed() -> None:
    text = script_of("INSERT INTO user_cards SELECT $1::uuid[], $2::uuid[]", [CARD], [COPY]).text
    assert "\\set c0 random(1, 2)" in text
    assert f"(ARRAY['{CARD}', '{OTHER_CARD}']::uuid[])[:c0::integer]" in text
    assert "(:copies::uuid[])[1]" in text


def test_what_a_statement_gives_is_kept_for_the_next() -> None:
    claim = SentStatement(CLAIM, ([CARD], [1], [COPY]))
    sent = [SentStatement(STANDING, (RECORDED.user_id,)), claim]
    text = write_script(sent, RECORDED).text
    assert text.count("\\gset") == 2
    assert "array_agg(id ORDER BY card_id, id)::text AS copies" in text
    assert "'00000000-0000-0000-0000-000000000000'::uuid" in text
    assert ":copies" not in text
    assert "lpad(to_hex(:u::bigint), 12, '0')" in text


def test_texts_travel_as_variables_and_the_key_is_never_repeated() -> None:
    script = script_of("SELECT $1, $2, $3", "a: 'text'", "bench-key", "a: 'text'")
    assert script.variables == {"text0": "a: 'text'"}
    assert script.text.count(":text0::text") == 2
    assert "bench-key" not in script.text


def test_nothing_and_nobody_can_be_sent_too() -> None:
    sent: tuple[object, ...] = (None, [], True, b"\x01")
    text = script_of("SELECT $1, $2::uuid[], $3, $4", *sent).text
    assert "SELECT (NULL), ('{}')::uuid[], (true), ('\\x01'::bytea);" in text


def test_moments_are_told_from_the_transactions_own() -> None:
    text = script_of("SELECT $1, $2", BEGUN_AT, BEGUN_AT + timedelta(days=1)).text
    assert "(statement_timestamp()), (statement_timestamp() + 86400 * '1 second'::interval)" in text


def test_what_pgbench_cannot_be_given_is_said() -> None:
    with pytest.raises(ValueError, match="set"):
        script_of("SELECT $1", {1})


def test_pools_share_out_every_card_in_order() -> None:
    cards = sorted(uuid4() for _ in range(10))
    pools = pools_of(cards, 3)
    assert [card for pool in pools for card in pool] == cards
    assert [len(pool) for pool in pools] == [3, 3, 4]
