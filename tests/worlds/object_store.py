"""An object store that speaks S3, as a program of its own on this machine."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import msgspec
import obstore
from obstore.store import S3Store

from worlds.served_roles import free_port

PROGRAM = Path(__file__).parents[2] / ".venv-scale" / "bin" / "moto_server"
PATIENCE_SECONDS = 60


class ObjectStore(msgspec.Struct):
    """The running program, and the variables that lead there."""

    child: asyncio.subprocess.Process
    environ: Mapping[str, str]

    async def stop(self) -> None:
        self.child.kill()
        await self.child.wait()


@asynccontextmanager
async def start_object_store(bucket: str) -> AsyncIterator[ObjectStore]:
    """Run it with one empty bucket."""
    assert PROGRAM.exists(), "moto_server is needed here: make .venv-scale"
    port = free_port()
    child = await asyncio.create_subprocess_exec(
        str(PROGRAM),
        *("-H", "127.0.0.1", "-p", str(port)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    store = ObjectStore(
        child,
        {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "shop",
            "AWS_SECRET_ACCESS_KEY": "only-a-test",
        },
    )
    try:
        await _make_bucket(f"http://127.0.0.1:{port}/{bucket}")
        yield store
    finally:
        if child.returncode is None:
            await store.stop()


def list_names(bucket: str) -> dict[str, int]:
    """What lies in the bucket, with sizes; asked as anyone with the keys would."""
    store = S3Store(bucket, client_options={"allow_http": True})
    return {found["path"]: found["size"] for found in obstore.list(store).collect()}


async def _make_bucket(address: str) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS), httpx.AsyncClient(trust_env=False) as client:
        while True:
            try:
                answer = await client.put(address)
            except httpx.TransportError:
                await asyncio.sleep(0.1)
                continue
            answer.raise_for_status()
            return
