"""Before a peer is measured: it must do what the shop does, or its figures would mean nothing.

One pack is opened at the shop and one at the peer, and answers, rows, wallets and draws are held
against each other; both show the same vault and feed; a repeated request is answered again and
writes nothing; who is not signed in sees nothing. Then every law of the house is checked.
"""

import asyncio
import http.client
import time
from collections.abc import Mapping
from typing import Final
from uuid import uuid4

import msgspec

from packhouse import draws
from packhouse.bench.answer_shapes import (
    Json,
    Opened,
    compare,
    list_differences,
    with_whole_milliseconds,
)
from packhouse.bench.peers import RunningPeer
from packhouse.bench.stage import PACK, Stage
from packhouse.draws import Receipt
from packhouse.foundation.errors import Outage
from packhouse.foundation.identifiers import UserId

OPENINGS_PATH: Final = f"/api/v1/packs/{PACK}/openings"
VAULT_PATH: Final = "/api/v1/vault"
FEED_PATH: Final = "/api/v1/feed"
FRESH_SECONDS_MAX: Final = 5.0
TOLD_MAX: Final = 5
OURS, THEIRS = -1, -2
"""Whose packs are opened for the comparison: collectors who are the last to be sent for."""

_OWN_ROWS: Final = ("openings", "user_cards", "ledger_entries", "idempotency_keys")
_PUBLIC_ROWS: Final = ("receipts", "global_feed", "log_leaves")


class PeerDiffers(Outage):
    """A peer does less than the shop, or another thing; the message says where."""

    code = "bench_peer_differs"


class Answer(msgspec.Struct, frozen=True):
    """Status and body; no body where it is no JSON."""

    status: int
    body: Json


async def require_same_work(stage: Stage, peer: RunningPeer) -> None:
    """Hold one opening and the two pages of a peer against the shop's. Raises ``PeerDiffers``."""
    ours = await observe_opening(
        stage, port=stage.port, which=OURS, cookie=stage.cookies[OURS], key=_new_key()
    )
    key = _new_key()
    cookie = peer.cookies[THEIRS]
    theirs = await observe_opening(stage, port=peer.port, which=THEIRS, cookie=cookie, key=key)
    differences = list_differences(ours, theirs)
    if not differences:
        differences += await _find_wrong_draws(stage, theirs.answer)
        differences += await _find_second_effect(stage, peer, theirs, key=key)
        differences += await _find_other_pages(stage, peer)
    _require_none(peer, differences)
    await require_every_law(stage, peer.peer.name)


async def require_every_law(stage: Stage, name: str) -> None:
    """Every law of the house holds after what ``name`` wrote. Raises ``PeerDiffers``."""
    await stage.wait_for_relay()
    broken = await stage.list_broken_laws()
    if broken:
        told = "; ".join(f"{finding.law}: {finding.evidence}" for finding in broken)
        raise PeerDiffers(f"After what {name} wrote, laws of the house are broken: {told}")


async def observe_opening(
    stage: Stage, *, port: int, which: int, cookie: str | None, key: str
) -> Opened:
    """Open one pack of a collector's at a server, and count what that did."""
    user_id = stage.collectors[which].user_id
    before = await _count(stage, user_id)
    answer = await ask(port, "POST", OPENINGS_PATH, cookie=cookie, key=key, body=b'{"quantity":1}')
    after = await _count(stage, user_id)
    rows, wallet = (
        {name: later[name] - earlier[name] for name in earlier}
        for earlier, later in zip(before, after, strict=True)
    )
    return Opened(status=answer.status, answer=answer.body, rows=rows, wallet=wallet)


async def ask(
    port: int,
    method: str,
    path: str,
    *,
    cookie: str | None,
    key: str | None = None,
    body: bytes | None = None,
) -> Answer:
    """One request on a connection of its own. Raises ``PeerDiffers`` when nothing answers."""
    headers = {"Content-Type": "application/json"} if body is not None else {}
    if cookie is not None:
        headers["Cookie"] = cookie
    if key is not None:
        headers["Idempotency-Key"] = key
    try:
        return await asyncio.to_thread(_ask, port, method, path, headers, body)
    except (OSError, http.client.HTTPException) as error:
        raise PeerDiffers(f"{method} {path} on port {port} was not answered: {error}") from error


def _ask(
    port: int, method: str, path: str, headers: Mapping[str, str], body: bytes | None
) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body=body, headers=dict(headers))
        answer = connection.getresponse()
        text = answer.read()
        try:
            return Answer(answer.status, msgspec.json.decode(text))
        except msgspec.DecodeError:
            return Answer(answer.status, None)
    finally:
        connection.close()


async def _count(stage: Stage, user_id: UserId) -> tuple[dict[str, int], dict[str, int]]:
    """Rows by table, and the wallet's numbers, when the relay has nothing left to do."""
    await stage.wait_for_relay()
    async with stage.house.database.connection() as connection:
        rows = {
            # The names are our own.
            table: await connection.fetchval(
                f"SELECT count(*) FROM {table} WHERE user_id = $1",  # noqa: S608
                user_id,
            )
            for table in _OWN_ROWS
        }
        for table in _PUBLIC_ROWS:
            rows[table] = await connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608
        rows["stock_items in vaults"] = await connection.fetchval(
            "SELECT count(*) FROM stock_items WHERE place = 'vaulted'"
        )
        purse = await connection.fetchrow(
            "SELECT balance, sequence, nonce FROM wallets WHERE user_id = $1", user_id
        )
    if purse is None:
        raise PeerDiffers(f"The collector {user_id} has no wallet.")
    return rows, dict(purse)


async def _find_wrong_draws(stage: Stage, answer: Json) -> list[str]:
    """The receipt that was written is drawn anew from the seeds, and held against the answer."""
    opened = answer["openings"][0]
    async with stage.house.database.connection() as connection:
        row = await connection.fetchrow(
            "SELECT o.receipt, s.id, s.sealed_server_seed, s.user_key FROM openings o"
            " JOIN seed_pairs s ON s.user_id = o.user_id AND s.id = o.seed_pair_id"
            " WHERE o.user_id = $1 AND o.id = $2::text::uuid",
            stage.collectors[THEIRS].user_id,
            opened["id"],
        )
    if row is None:
        return ["the opening that it answers with is not in the table"]
    receipt = msgspec.json.decode(row["receipt"], type=Receipt)
    if receipt.proof.nonce is None:
        return ["its receipt has no nonce"]
    pack = await stage.house.packs.get_pack(stage.house.database, PACK)
    drawn = draws.decide(
        pack.compiled,
        server_seed=stage.house.seal.open(row["sealed_server_seed"], context=row["id"].bytes),
        user_key=row["user_key"],
        nonce=receipt.proof.nonce,
        client_seed=receipt.proof.client_seed,
    )
    due = [
        (card.card, card.tier, card.value, card.tier_ticket, card.card_ticket)
        for card in drawn.cards
    ]
    kept = [
        (card.card.id, card.tier, card.value, card.tier_ticket, card.card_ticket)
        for card in receipt.cards
    ]
    if due != kept or drawn.layout_ticket != receipt.proof.layout_ticket:
        return ["its draw does not follow from the seeds"]
    told = [card["user_card_id"] for card in opened["cards"]]
    written = [str(card.user_card_id) for card in receipt.cards]
    return [] if told == written else ["it answers with other cards than it wrote"]


async def _find_second_effect(
    stage: Stage, peer: RunningPeer, first: Opened, *, key: str
) -> list[str]:
    again = await observe_opening(
        stage, port=peer.port, which=THEIRS, cookie=peer.cookies[THEIRS], key=key
    )
    steps = {**again.rows, **again.wallet}
    found = [f"a repeated request moves {name} by {step}" for name, step in steps.items() if step]
    return found + compare(first.answer, again.answer, at="the answer to a repeated request")


async def _find_other_pages(stage: Stage, peer: RunningPeer) -> list[str]:
    found = []
    cookies = stage.cookies[THEIRS], peer.cookies[THEIRS]
    nobody = await ask(peer.port, "GET", VAULT_PATH, cookie=None)
    if nobody.status != http.HTTPStatus.UNAUTHORIZED:
        found.append(f"the vault answers {nobody.status} to who is not signed in")
    found += await _compare_pages(stage, peer, VAULT_PATH, VAULT_PATH, cookies=cookies)
    feeds = [FEED_PATH, *([peer.peer.cached_feed] if peer.peer.cached_feed else [])]
    for path in feeds:
        found += await _compare_pages(stage, peer, FEED_PATH, path, cookies=(None, None))
    return found


async def _compare_pages(
    stage: Stage,
    peer: RunningPeer,
    our_path: str,
    their_path: str,
    *,
    cookies: tuple[str | None, str | None],
) -> list[str]:
    """Both answer with the same page as soon as their caches have seen what is new."""
    until = time.monotonic() + FRESH_SECONDS_MAX
    while True:
        ours = await ask(stage.port, "GET", our_path, cookie=cookies[0])
        theirs = await ask(peer.port, "GET", their_path, cookie=cookies[1])
        if theirs.status != ours.status:
            return [f"GET {their_path} answers {theirs.status} instead of {ours.status}"]
        found = compare(
            with_whole_milliseconds(ours.body),
            with_whole_milliseconds(theirs.body),
            at=f"GET {their_path}",
        )
        if not found or time.monotonic() > until:
            return found
        await asyncio.sleep(0.2)


def _require_none(peer: RunningPeer, differences: list[str]) -> None:
    if differences:
        told = "; ".join(differences[:TOLD_MAX])
        more = f"; and {len(differences) - TOLD_MAX} more" if len(differences) > TOLD_MAX else ""
        raise PeerDiffers(
            f"The peer {peer.peer.name} does not do what the shop does, so it is not measured:"
            f" {told}{more}."
        )


def _new_key() -> str:
    return f"same-work-{uuid4()}"
