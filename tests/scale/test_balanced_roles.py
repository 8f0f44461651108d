"""Each role of the shop as a program of its own behind one balancer, each asked for what is its."""

from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from packhouse.flows.check_laws import list_broken_laws
from packhouse.house import House
from packhouse.web.session import cookie_name
from worlds.balancers import START, TRUSTED
from worlds.event_streams import listen_over_socket
from worlds.logins import url_of_role
from worlds.served_roles import Role, demo_payments, free_port, start, until_ready
from worlds.shop_walk import Walker
from worlds.veil_shop import make_owner, open_veil_shop
from worlds.web_fleet import KEYS, UNLIMITED

pytestmark = pytest.mark.scale

PORTS = {"web": "http_port", "api": "api_port", "live": "live_port", "admin": "admin_port"}
OWNERS = {
    "/": "web",
    "/packs/veil-one": "web",
    "/api/v1/packs": "api",
    "/api/v1/openapi.json": "api",
    "/admin": "admin",
    "/admin/packs": "admin",
    "/api/v1/admin/users": "admin",
}
"""Who answers what, as an operator asks for it."""


class Roles:
    """All the roles of one shop, each with the login of its own."""

    def __init__(self, house: House, folder: Path, stack: AsyncExitStack) -> None:
        self._house = house
        self._stack = stack
        self._settings = {
            "http_workers": "1",
            "trusted_proxies": TRUSTED,
            "media_directory": str(folder / "media"),
            "worker_port": "0",
            **KEYS,
            **UNLIMITED,
        }
        self._environment = demo_payments(folder)
        self.running: dict[str, Role] = {}

    async def start(self, program: str) -> None:
        port = free_port()
        ports = {PORTS[program]: str(port)} if program in PORTS else {}
        self.running[program] = await self._stack.enter_async_context(
            start(
                self._house,
                port,
                program,
                self._environment,
                **self._settings,
                **ports,
                database_url=url_of_role(self._house, program),
            )
        )
        if program in PORTS:
            await until_ready(self.running[program])

    def servers(self) -> dict[str, list[int]]:
        return {name: [self.running[name].port] for name in PORTS}


@pytest.mark.parametrize("kind", sorted(START))
async def test_each_role_gets_what_is_its_and_together_they_are_the_shop(
    house: House, tmp_path: Path, kind: str
) -> None:
    await open_veil_shop(house)
    oona = await make_owner(house, "oona")
    async with AsyncExitStack() as stack:
        roles = Roles(house, tmp_path, stack)
        for program in (*PORTS, "worker"):
            await roles.start(program)
        balancer = await stack.enter_async_context(START[kind](roles.servers()))
        await Walker("walker", [balancer.url]).walk()

        cookies = {cookie_name(house.settings): oona.token}
        async with httpx.AsyncClient(base_url=balancer.url, cookies=cookies) as client:
            for number, path in enumerate(OWNERS):
                answer = await client.get(path, headers={"x-request-id": f"asked-{number}"})
                assert answer.status_code == 200, f"{path}: {answer.text}"
        async with listen_over_socket(
            balancer.port, headers={"x-request-id": "listening"}
        ) as stream:
            assert stream.status == 200

        for role in roles.running.values():
            assert await role.stop() == 0, role.said()
        wanted = {f"asked-{number}": owner for number, owner in enumerate(OWNERS.values())}
        for request_id, owner in (wanted | {"listening": "live"}).items():
            heard = [name for name, role in roles.running.items() if request_id in role.said()]
            assert heard == [owner], request_id
    assert await list_broken_laws(house) == []
