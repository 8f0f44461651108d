"""Rate limits on a real Valkey, and without one."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from conftest import Servers
from packhouse.plumbing.rate_limits import RateLimiter, Verdict
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


THOUSAND_A_MINUTE = RateLimit(1000, 60)
EIGHT_TENTHS = 800


def pass_estimates(limiter: RateLimiter, key: str, hits: int) -> list[Verdict]:
    verdicts = [limiter.estimate(key, THOUSAND_A_MINUTE) for _ in range(hits)]
    return [verdict for verdict in verdicts if verdict is not None]


async def test_a_high_limit_is_counted_here_until_most_of_it_is_used_up(valkey: Valkey) -> None:
    limiter = RateLimiter(valkey)
    verdicts = pass_estimates(limiter, "ada", 1000)
    assert [verdict.remaining for verdict in verdicts] == [999 - n for n in range(EIGHT_TENTHS)]
    await limiter.finish()


async def test_a_low_limit_is_never_estimated(valkey: Valkey) -> None:
    assert RateLimiter(valkey).estimate("ada", THREE_A_MINUTE) is None


async def test_a_high_limit_is_exact_at_its_end(valkey: Valkey) -> None:
    limiter = RateLimiter(valkey)
    verdicts = [await limiter.hit("ada", THOUSAND_A_MINUTE) for _ in range(1001)]
    assert [verdict.is_refused for verdict in verdicts] == [False] * 1000 + [True]
    assert [verdict.remaining for verdict in verdicts[:1000]] == list(range(999, -1, -1))
    await limiter.finish()


async def test_estimates_of_every_instance_count_together(valkey: Valkey) -> None:
    here, there = RateLimiter(valkey), RateLimiter(valkey)
    pass_estimates(here, "ada", 500)
    pass_estimates(there, "ada", 450)
    await here.finish()
    await there.finish()
    pass_estimates(here, "ada", 1)
    await here.finish()
    verdicts = [await here.hit("ada", THOUSAND_A_MINUTE) for _ in range(50)]
    assert [verdict.is_refused for verdict in verdicts] == [False] * 49 + [True]


async def test_what_was_counted_here_is_told_soon(valkey: Valkey) -> None:
    here, there = RateLimiter(valkey), RateLimiter(valkey)
    pass_estimates(here, "ada", 700)
    async with asyncio.timeout(5):
        while not await valkey.client.exists("packhouse:limit:ada"):  # noqa: ASYNC110 - Valkey tells nobody
            await asyncio.sleep(0.01)
    verdict = await there.hit("ada", THREE_A_MINUTE)
    assert verdict.is_refused
    assert await valkey.client.get("packhouse:limit:ada") == b"701"


async def test_a_window_that_began_anew_in_valkey_begins_anew_here(valkey: Valkey) -> None:
    limiter = RateLimiter(valkey)
    short = RateLimit(1000, 1)
    for _ in range(900):
        await limiter.hit("ada", short)
    async with asyncio.timeout(5):
        while await valkey.client.exists("packhouse:limit:ada"):  # noqa: ASYNC110 - Valkey tells nobody
            await asyncio.sleep(0.01)
    assert (await limiter.hit("ada", short)).remaining >= 998
    await limiter.finish()


async def test_hits_during_an_outage_are_told_when_it_is_over(valkey: Valkey) -> None:
    limiter = RateLimiter(valkey)
    valkey._resting_until = float("inf")
    pass_estimates(limiter, "ada", 5)
    await limiter.finish()
    valkey._resting_until = 0.0
    pass_estimates(limiter, "ada", 1)
    await limiter.finish()
    assert await valkey.client.get("packhouse:limit:ada") == b"6"
