"""Rate limits on a real Valkey, and without one."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from conftest import Servers
from packhouse.plumbing.rate_limits import RateLimiter
from packhouse.plumbing.setting_values import RateLimit
from packhouse.plumbing.valkey import Valkey

THREE_A_MINUTE = RateLimit(3, 60)


@pytest.fixture
async def valkey(servers: Servers) -> AsyncIterator[Valkey]:
    opened = Valkey(servers.cache_url, timeout_ms=1000)
    await opened.client.flushall()
    yield opened
    await opened.close()


async def test_the_fourth_of_three_is_refused_until_the_window_ends(valkey: Valkey) -> None:
    limiter = RateLimiter(valkey)
    verdicts = [await limiter.hit("ada", THREE_A_MINUTE) for _ in range(4)]
    assert [verdict.is_refused for verdict in verdicts] == [False, False, False, True]
    assert [verdict.remaining for verdict in verdicts] == [2, 1, 0, 0]
    assert all(0 < verdict.reset_seconds <= 60 for verdict in verdicts)


async def test_every_instance_counts_together_and_every_key_for_itself(valkey: Valkey) -> None:
    here, there = RateLimiter(valkey), RateLimiter(valkey)
    verdicts = await asyncio.gather(
        *(limiter.hit("ada", THREE_A_MINUTE) for limiter in (here, there, here, there))
    )
    assert sum(verdict.is_refused for verdict in verdicts) == 1
    assert not (await here.hit("ben", THREE_A_MINUTE)).is_refused


async def test_what_is_given_back_may_be_used_again(valkey: Valkey) -> None:
    limiter = RateLimiter(valkey)
    for _ in range(5):
        assert (await limiter.hit("ada", THREE_A_MINUTE)).remaining == 2
        await limiter.give_back("ada")


async def test_giving_back_after_the_window_leaves_no_key_without_end(valkey: Valkey) -> None:
    limiter = RateLimiter(valkey)
    await limiter.hit("ada", THREE_A_MINUTE)
    await valkey.client.flushall()
    await limiter.give_back("ada")
    assert await valkey.client.dbsize() == 0
    await limiter.hit("ada", THREE_A_MINUTE)
    assert 0 < await valkey.client.pttl("packhouse:limit:ada") <= 60_000


async def test_a_count_that_lost_its_end_gets_one(valkey: Valkey) -> None:
    await valkey.client.set("packhouse:limit:ada", 7)
    verdict = await RateLimiter(valkey).hit("ada", THREE_A_MINUTE)
    assert verdict.is_refused
    assert 0 < await valkey.client.pttl("packhouse:limit:ada") <= 60_000


async def test_without_valkey_each_process_counts_for_itself() -> None:
    nowhere = Valkey("valkey://127.0.0.1:1/0", timeout_ms=50)
    limiter = RateLimiter(nowhere)
    verdicts = [await limiter.hit("ada", THREE_A_MINUTE) for _ in range(4)]
    assert [verdict.is_refused for verdict in verdicts] == [False, False, False, True]
    await limiter.give_back("ada")
    await limiter.give_back("ada")
    assert not (await limiter.hit("ada", THREE_A_MINUTE)).is_refused
    await nowhere.close()
