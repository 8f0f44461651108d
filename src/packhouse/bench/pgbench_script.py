"""A recorded flow as a pgbench script: the same statements, with arguments for each transaction.

What belonged to the recorded collector is replaced by what belongs to the one whose turn it is: ids
by ids made on the fly, the wallet's numbers by those that the script's own first statement read,
claimed copies by those that its own claim gave. Texts (receipt, answer, event) are sent as they
were recorded, since what counts is that as many bytes go over the wire and into the tables.

The identifiers are proper UUIDv7 values in the order of time: the first 48 bits are milliseconds
since 1970 at the start of the turn, stepped on by each transaction, so that new rows land at the
right edge of every index, as the shop's do.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import msgspec

from packhouse.bench.recording import SentStatement
from packhouse.catalog import FIRST_COPY

WALLET_REACH: Final = 64
"""So far beyond the wallet's sequence or nonce a recorded number still means a step of it."""
BALANCE_REACH: Final = 1_000_000
"""So far from the balance a recorded number still means the balance after a price."""

USER: Final = "(:users::text || lpad(to_hex(:u::bigint), 12, '0'))::uuid"
"""Collector number ``u``: their ids count up behind a prefix that they share."""

_PARAMETER: Final = re.compile(r"\$(\d+)")


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """What the recording's values were about.

    ``cards`` are the drawn cards in the order of their ids, each with its claimed copy; ``pools``
    has for each of them the cards that pgbench may draw in its place, so that no two of one opening
    are the same and all stay in the order in which they are locked.
    """

    user_id: UUID
    seed_pair_id: UUID
    balance: int
    sequence: int
    nonce: int
    key: str
    begun_at: datetime
    cards: Sequence[tuple[UUID, UUID | None]]
    pools: Sequence[Sequence[UUID]]
    standing: str
    claim: str


class Script(msgspec.Struct, frozen=True):
    """A pgbench script and the values of its variables that stay the same (``-D``)."""

    text: str
    variables: Mapping[str, str]


def write_script(sent: Sequence[SentStatement], recorded: Recorded) -> Script:
    """The script for one opening. Raises ``ValueError`` for an argument that it cannot write."""
    writer = _Writer(recorded)
    lines = [
        "\\set mine random(0, :users_each - 1)",
        "\\set u :client_id * :users_each + :mine",
        "\\set n :n + 1",
        *(f"\\set c{index} random(1, {len(pool)})" for index, pool in enumerate(recorded.pools)),
    ]
    lines += [writer.statement(statement) for statement in sent]
    return Script("\n".join([*lines, ""]), writer.variables)


class _Writer:
    def __init__(self, recorded: Recorded) -> None:
        self._recorded = recorded
        self._new_ids: dict[UUID, int] = {}
        self._cards = {card: index for index, (card, _) in enumerate(recorded.cards)}
        self._copies = {
            copy: index for index, (_, copy) in enumerate(recorded.cards) if copy is not None
        }
        self.variables: dict[str, str] = {}
        self._forms: list[tuple[type | tuple[type, ...], Callable[[Any], str]]] = [
            (bool, lambda value: "true" if value else "false"),
            (int, self._number),
            (float, repr),
            (Decimal, str),
            (UUID, self._identifier),
            (str, self._text),
            (bytes, lambda value: f"'\\x{value.hex()}'::bytea"),
            (datetime, self._moment),
            ((list, tuple), self._array),
        ]

    def statement(self, sent: SentStatement) -> str:
        """One statement on lines of its own, with its arguments, ended for pgbench."""

        arguments = list(sent.arguments)
        if sent.text == self._recorded.claim:
            # pgbench cannot remember from one transaction to the next where free copies begin.
            arguments[2:] = [[FIRST_COPY] * len(fronts) for fronts in arguments[2:]]

        def argument(match: re.Match[str]) -> str:
            return f"({self.value(arguments[int(match[1]) - 1])})"

        text = _PARAMETER.sub(argument, sent.text)
        if sent.text == self._recorded.standing:
            return f"{text}\n\\gset"
        if sent.text == self._recorded.claim:
            # pgbench keeps one row; the copies come in the order of their cards, as drawn.
            return (
                f"WITH claim AS (\n{text}\n)\n"
                "SELECT array_agg(id ORDER BY card_id, id)::text AS copies FROM claim\n\\gset"
            )
        return f"{text};"

    def value(self, value: Any) -> str:  # noqa: ANN401 - whatever the driver was given
        """An SQL expression for a recorded value."""
        if value is None:
            return "NULL"
        for kind, form in self._forms:
            if isinstance(value, kind):
                return form(value)
        raise ValueError(f"pgbench cannot be given a {type(value).__name__}.")

    def _array(self, values: Sequence[Any]) -> str:
        return f"ARRAY[{', '.join(map(self.value, values))}]" if values else "'{}'"

    def _number(self, value: int) -> str:
        recorded = self._recorded
        near = (
            ("sequence", recorded.sequence, 0, WALLET_REACH),
            ("nonce", recorded.nonce, 0, WALLET_REACH),
            ("balance", recorded.balance, -BALANCE_REACH, BALANCE_REACH),
        )
        for name, at, low, high in near:
            if low <= value - at <= high:
                return f":{name}::bigint + {value - at}"
        return str(value)

    def _identifier(self, value: UUID) -> str:
        if value == self._recorded.user_id:
            return USER
        if value == self._recorded.seed_pair_id:
            return ":seed_pair_id::uuid"
        if value in self._cards:
            index = self._cards[value]
            pool = ", ".join(f"'{card}'" for card in self._recorded.pools[index])
            return f"(ARRAY[{pool}]::uuid[])[:c{index}::integer]"
        if value in self._copies:
            return f"(:copies::uuid[])[{self._copies[value] + 1}]"
        if value.version == 7 and value.int >> 80 >= int(
            self._recorded.begun_at.timestamp() * 1000
        ):
            return self._new_identifier(value)
        return f"'{value}'::uuid"

    def _new_identifier(self, value: UUID) -> str:
        index = self._new_ids.setdefault(value, len(self._new_ids))
        # 48 bits of milliseconds, version 7, then turn, client and place within the transaction.
        return (
            "(lpad(to_hex(:n::bigint), 12, '0') || '7' || :turn::text || '8'"
            f" || lpad(to_hex(:client_id::bigint * 64 + {index}), 15, '0'))::uuid"
        )

    def _text(self, value: str) -> str:
        if value == self._recorded.key:
            return "'bench-' || to_hex(:n::bigint) || '-' || :client_id::text"
        name = next((name for name, text in self.variables.items() if text == value), None)
        if name is None:
            name = f"text{len(self.variables)}"
            self.variables[name] = value
        return f":{name}::text"

    def _moment(self, value: datetime) -> str:
        seconds = round((value - self._recorded.begun_at).total_seconds())
        if seconds <= 1:
            return "statement_timestamp()"
        return f"statement_timestamp() + {seconds} * '1 second'::interval"
