"""Collectors who open packs and look around without pause, and write down what each answer was."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import httpx

from packhouse.draws import DraftLayout
from packhouse.flows.sign_in import SignedIn
from packhouse.foundation.identifiers import UserId
from packhouse.house import House
from packhouse.plumbing.audit import Actor
from packhouse.web.session import cookie_name
from worlds.four_packs import odds_draft, slot
from worlds.served_roles import PATIENCE_SECONDS
from worlds.veil_shop import make_collector, make_owner, publish, stock_veil

SLUG: Final = "veil-daily"
CREDITS_MINOR: Final = 1_000_000
LOOKS: Final = ("/api/v1/packs", "/api/v1/vault", "/api/v1/feed", "/", f"/packs/{SLUG}")
ATTEMPTS_MAX: Final = 60
PAUSE_SECONDS: Final = 0.05


class Crowd:
    """What the collectors asked for and what they were answered."""

    def __init__(self) -> None:
        self.openings: dict[UserId, list[str]] = {}
        """The ids in the answers, by who opened."""
        self.asked_again = 0
        """Openings that were asked for again with their key, for want of an answer."""
        self.looked = 0
        self.lost: list[str] = []
        """Safe requests whose answer never began, or was no answer of the shop's."""
        self.cut = 0
        """Safe requests whose answer broke off."""
        self.unknown = 0
        """Writes without a key that were not answered: nobody knows whether they were done."""
        self.seen: Counter[str] = Counter()

    @property
    def opened(self) -> int:
        return sum(map(len, self.openings.values()))

    async def wait_for(self, openings: int) -> None:
        """Until so many more were answered, and the looks between them."""
        enough = self.opened + openings
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.opened < enough:  # noqa: ASYNC110 - many hands work on it
                await asyncio.sleep(0.05)

    async def visit(self, client: httpx.AsyncClient, who: SignedIn, *, stop: asyncio.Event) -> None:
        """Be one collector, who leaves between two requests."""
        mine = self.openings.setdefault(who.user.id, [])
        for number in itertools.count():
            if stop.is_set():
                return
            mine.append(await self._open(client, f"{who.user.username}-{number}"))
            for path in LOOKS:
                await self._look(client, path)
            await self._choose_seed(client, str(number))

    async def _open(self, client: httpx.AsyncClient, key: str) -> str:
        for _ in range(ATTEMPTS_MAX):
            try:
                answer = await client.post(
                    f"/api/v1/packs/{SLUG}/openings",
                    json={"quantity": 1},
                    headers={"Idempotency-Key": key},
                )
            except httpx.TransportError as error:
                self.seen[type(error).__name__] += 1
            else:
                if answer.status_code == 201:
                    return str(answer.json()["openings"][0]["id"])
                self.seen[f"{answer.status_code}"] += 1
                assert answer.status_code >= 500, answer.text
            self.asked_again += 1
            await asyncio.sleep(PAUSE_SECONDS)
        raise AssertionError(f"an opening was never answered: {self.seen}")

    async def _look(self, client: httpx.AsyncClient, path: str) -> None:
        has_begun = False
        try:
            async with client.stream("GET", path) as answer:
                has_begun = True
                await answer.aread()
        except httpx.TransportError as error:
            if has_begun:
                self.cut += 1
            else:
                self.lost.append(f"{path}: {type(error).__name__} {error}")
        else:
            if answer.status_code != 200:
                self.lost.append(f"{path}: {answer.status_code} {answer.text[:200]}")
        self.looked += 1

    async def _choose_seed(self, client: httpx.AsyncClient, client_seed: str) -> None:
        try:
            answer = await client.put("/api/v1/fairness/seed", json={"client_seed": client_seed})
        except httpx.TransportError:
            self.unknown += 1
        else:
            self.unknown += answer.status_code >= 500


async def open_daily_shop(house: House) -> Actor:
    """VEIL in stock, and one cheap pack on sale that mostly holds digital cards."""
    owner = await make_owner(house)
    actor = Actor(user_id=owner.user.id, username=owner.user.username, request_id="opening")
    await stock_veil(house, actor)
    draft = odds_draft(DraftLayout("One card", (slot("Card", D=97, C=3),)), price=50)
    await publish(house, actor, slug=SLUG, draft=draft)
    return actor


async def invite(house: House, names: Sequence[str]) -> list[SignedIn]:
    """Collectors with credits for as long as any test lasts."""
    return [await make_collector(house, name, credits_minor=CREDITS_MINOR) for name in names]


@asynccontextmanager
async def crowd_at(url: str, people: Sequence[SignedIn], house: House) -> AsyncIterator[Crowd]:
    """Let ``people`` come to the shop at ``url``; at the end each waits for the last answer."""
    crowd = Crowd()
    stop = asyncio.Event()
    async with AsyncExitStack() as clients, asyncio.TaskGroup() as visits:
        for who in people:
            client = await clients.enter_async_context(
                httpx.AsyncClient(base_url=url, timeout=PATIENCE_SECONDS)
            )
            client.cookies.set(cookie_name(house.settings), who.token)
            visits.create_task(crowd.visit(client, who, stop=stop))
        try:
            yield crowd
        finally:
            stop.set()


async def list_opening_ids(house: House, user_id: UserId) -> list[str]:
    """Every opening of a collector, as the shop recorded it."""
    async with house.database.connection() as connection:
        rows = await connection.fetch("SELECT id FROM openings WHERE user_id = $1", user_id)
    return [str(row["id"]) for row in rows]
