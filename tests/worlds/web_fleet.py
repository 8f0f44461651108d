"""Several web servers of one shop, which are stopped, killed and started again at their ports."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from packhouse.house import House
from worlds.balancers import TRUSTED
from worlds.served_roles import Role, free_port, start, until_ready, until_refused

KEYS: Final = {"seed_key": "00" * 32, "log_key": "01" * 32}
UNLIMITED: Final = {
    f"rate_limit_{kind}": "1000000/1m"
    for kind in ("anonymous", "signed_in", "pages", "sign_in_address", "sign_in_account")
}


class Fleet:
    """The web servers by port."""

    def __init__(self, house: House, settings: dict[str, str]) -> None:
        self._house = house
        self._settings = settings
        self._running: dict[int, tuple[Role, AsyncExitStack]] = {}

    @property
    def ports(self) -> list[int]:
        return list(self._running)

    def role(self, port: int) -> Role:
        return self._running[port][0]

    async def start(self, port: int) -> None:
        """Start a server, which then serves."""
        stack = AsyncExitStack()
        role = await stack.enter_async_context(
            start(self._house, port, "web", http_port=str(port), **self._settings)
        )
        self._running[port] = (role, stack)
        await until_ready(role)

    async def stop(self, port: int) -> None:
        """Ask it to stop, and see that it does so cleanly."""
        role = self.role(port)
        assert await role.stop() == 0, role.said()
        assert "Traceback" not in role.said()

    async def kill(self, port: int) -> None:
        """End it, and with it its workers, as a broken machine would."""
        role = self.role(port)
        role.child.kill()
        await role.wait()
        # Its workers end with it, a moment later.
        await until_refused(port)

    async def start_again(self, port: int) -> None:
        """Start one that has ended."""
        await self._running[port][1].aclose()
        await self.start(port)

    async def close(self) -> None:
        for _, stack in self._running.values():
            await stack.aclose()


@asynccontextmanager
async def start_fleet(house: House, servers: int, **changed: str) -> AsyncIterator[Fleet]:
    """So many web servers with one worker process each, and the worker that goes with them."""
    settings = {"http_workers": "1", "trusted_proxies": TRUSTED, **KEYS, **UNLIMITED, **changed}
    fleet = Fleet(house, settings)
    async with start(house, free_port(), "worker", worker_port="0", **KEYS) as worker:
        try:
            for _ in range(servers):
                await fleet.start(free_port())
            yield fleet
        finally:
            await fleet.close()
        assert await worker.stop() == 0, worker.said()
