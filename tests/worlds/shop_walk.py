"""A collector's walk through the whole shop over HTTP, each step at the next of several servers."""

import asyncio
import itertools
from collections.abc import Sequence
from typing import Any, Final

import httpx

from worlds.served_roles import PATIENCE_SECONDS
from worlds.veil_shop import PASSWORD

HOME: Final = {
    "name": "Ada Example",
    "line1": "1 Lantern Street",
    "city": "Portland",
    "region": "OR",
    "postal_code": "97201",
    "country": "US",
}
PACK: Final = "/api/v1/packs/veil-eight"


class Walker:
    """One new collector."""

    def __init__(self, username: str, urls: Sequence[str]) -> None:
        self._username = username
        self._urls = itertools.cycle(urls)
        self._keys = itertools.count(1)
        self._client = httpx.AsyncClient(timeout=PATIENCE_SECONDS)

    async def walk(self) -> None:
        """Register, pay, open, look, sell, ship, and find the pull in the feed and its receipt."""
        async with self._client:
            await self._register()
            await self._post("/api/v1/wallet/top-ups", amount=10_000)
            pack = await self._get(PACK)
            sent = {"quantity": 2, "config_hash": pack["config_hash"], "client_seed": "walk"}
            opened = await self._post(f"{PACK}/openings", **sent)
            assert opened["balance"] == 10_000 - 2 * pack["price"]
            await self._sell_and_ship()
            for opening in opened["openings"]:
                await self._find(opening["id"])
            await self._post("/api/v1/fairness/seed/rotation", again=False)
            entries = await self._get("/api/v1/wallet/entries?limit=100")
            balance = (await self._get("/api/v1/me"))["balance"]
            assert sum(entry["amount"] for entry in entries["items"]) == balance

    async def _register(self) -> None:
        answer = await self._client.post(
            f"{next(self._urls)}/api/v1/accounts",
            json={
                "email": f"{self._username}@example.com",
                "username": self._username,
                "password": PASSWORD,
                "birth_date": "1990-04-01",
            },
        )
        assert answer.status_code == 201, answer.text

    async def _sell_and_ship(self) -> None:
        cards = (await self._get("/api/v1/vault?limit=100"))["items"]
        assert len(cards) == 16
        digital = [card["id"] for card in cards if not card["is_shippable"]]
        physical = [card["id"] for card in cards if card["is_shippable"]]
        await self._post("/api/v1/vault/sales", user_card_ids=digital)
        request = await self._post(
            "/api/v1/shipping-requests", user_card_ids=physical, address=HOME
        )
        states = {card["state"] for card in (await self._get("/api/v1/vault?limit=100"))["items"]}
        assert states == {"sold", "reserved"}
        await self._post(f"/api/v1/shipping-requests/{request['id']}/cancellation", again=False)

    async def _find(self, opening_id: str) -> None:
        """Its receipt and its pulls, which the relay brings."""
        path = f"/api/v1/openings/{opening_id}"
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await self._is_missing(path):  # noqa: ASYNC110 - one can only ask
                await asyncio.sleep(0.1)
            while not await self._is_in_the_feed():  # noqa: ASYNC110 - the same
                await asyncio.sleep(0.1)
        # Twice, because the servers take turns.
        assert await self._get(path) == await self._get(path)

    async def _is_missing(self, path: str) -> bool:
        return (await self._client.get(f"{next(self._urls)}{path}")).status_code == 404

    async def _is_in_the_feed(self) -> bool:
        feed = await self._get("/api/v1/feed?limit=100")
        return any(pull["username"] == self._username for pull in feed["items"])

    async def _get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        answer = await self._client.get(f"{next(self._urls)}{path}")
        assert answer.status_code == 200, f"{path}: {answer.text}"
        return answer.json()

    async def _post(self, path: str, *, again: bool = True, **body: object) -> Any:  # noqa: ANN401 - JSON
        """Sent twice with the same key, so that each version reads what the other recorded."""
        key = {"Idempotency-Key": str(next(self._keys))}
        answers = [
            await self._client.post(f"{next(self._urls)}{path}", json=body, headers=key)
            for _ in range(2 if again else 1)
        ]
        assert answers[0].is_success, f"{path}: {answers[0].text}"
        assert answers[-1].json() == answers[0].json()
        return answers[0].json()
