"""Answers for everybody: built once however many ask, and never older than was promised."""

import asyncio
import gzip

import brotli
import pytest

from packhouse.web.kept import FRESH_SECONDS, STALE_SECONDS_MAX
from packhouse.web.kept_answers import (
    ANSWERS_KEPT_MAX,
    KeptAnswer,
    KeptAnswers,
)

JSON = ((b"content-type", b"application/json"),)
LONG = b'{"items": [' + b"1, " * 500 + b"1]}"


class Watch:
    """A stop watch that is moved by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class Kitchen:
    """Builds answers, each another one, and counts them; waits while the door is shut."""

    def __init__(self) -> None:
        self.built = 0
        self.door = asyncio.Event()
        self.door.set()

    async def build(self) -> bytes:
        self.built += 1
        body = b"answer %d" % self.built
        await self.door.wait()
        return body


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def kitchen() -> Kitchen:
    return Kitchen()


@pytest.fixture
def kept(watch: Watch) -> KeptAnswers:
    return KeptAnswers(seconds=watch)


async def ask(kept: KeptAnswers, kitchen: Kitchen, key: str = "feed") -> bytes:
    return (await kept.get(key, kitchen.build, headers=JSON)).body


async def test_a_crowd_is_served_from_one_building(kept: KeptAnswers, kitchen: Kitchen) -> None:
    bodies = await asyncio.gather(*(ask(kept, kitchen) for _ in range(50)))
    assert set(bodies) == {b"answer 1"}
    assert kitchen.built == 1


async def test_what_is_fresh_needs_no_look(
    kept: KeptAnswers, kitchen: Kitchen, watch: Watch
) -> None:
    await ask(kept, kitchen)
    watch.seconds += FRESH_SECONDS * 0.9
    assert kept.find_fresh("feed") is not None
    watch.seconds += FRESH_SECONDS * 0.2
    assert kept.find_fresh("feed") is None


async def test_nobody_waits_for_the_next_one_while_the_last_is_hardly_stale(
    kept: KeptAnswers, kitchen: Kitchen, watch: Watch
) -> None:
    await ask(kept, kitchen)
    watch.seconds += (FRESH_SECONDS + STALE_SECONDS_MAX) / 2
    kitchen.door.clear()
    assert await ask(kept, kitchen) == b"answer 1"
    kitchen.door.set()
    await kept.finish()
    assert await ask(kept, kitchen) == b"answer 2"


async def test_nobody_is_shown_what_is_too_old(
    kept: KeptAnswers, kitchen: Kitchen, watch: Watch
) -> None:
    await ask(kept, kitchen)
    watch.seconds += STALE_SECONDS_MAX
    assert await ask(kept, kitchen) == b"answer 2"


async def test_age_counts_from_before_the_building(
    kept: KeptAnswers, kitchen: Kitchen, watch: Watch
) -> None:
    kitchen.door.clear()
    asking = asyncio.create_task(ask(kept, kitchen))
    await asyncio.sleep(0)
    watch.seconds += STALE_SECONDS_MAX
    kitchen.door.set()
    assert await asking == b"answer 1"
    assert await ask(kept, kitchen) == b"answer 2"


async def test_who_gives_up_takes_no_answer_away(kept: KeptAnswers, kitchen: Kitchen) -> None:
    kitchen.door.clear()
    leaving, staying = (asyncio.create_task(ask(kept, kitchen)) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    kitchen.door.set()
    assert await staying == b"answer 1"


async def test_a_failure_is_told_and_the_next_one_tries_again(
    kept: KeptAnswers, kitchen: Kitchen
) -> None:
    async def fail() -> bytes:
        raise LookupError

    with pytest.raises(LookupError):
        await kept.get("feed", fail, headers=JSON)
    assert await ask(kept, kitchen) == b"answer 1"


async def test_no_more_is_kept_than_has_room(kept: KeptAnswers, kitchen: Kitchen) -> None:
    for number in range(ANSWERS_KEPT_MAX + 1):
        await ask(kept, kitchen, key=f"page {number}")
    assert kept.find_fresh("page 0") is None
    assert kept.find_fresh("page 1") is not None


async def test_the_same_bytes_keep_what_was_compressed_of_them(
    kept: KeptAnswers, watch: Watch
) -> None:
    async def build() -> bytes:
        return LONG

    first = await kept.get("feed", build, headers=JSON)
    watch.seconds += STALE_SECONDS_MAX
    assert await kept.get("feed", build, headers=JSON) is first


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        (None, None),
        ("", None),
        ("identity", None),
        ("gzip", b"gzip"),
        ("gzip, deflate, br", b"br"),
        ("br;q=0, gzip", b"gzip"),
    ],
)
def test_each_client_gets_a_coding_that_it_takes(
    accepted: str | None, coding: bytes | None
) -> None:
    answer = KeptAnswer(LONG, JSON).answer(accept_encoding=accepted, if_none_match=None)
    headers = dict(answer.headers)
    assert headers.get(b"content-encoding") == coding
    assert headers[b"vary"] == b"Accept-Encoding"
    plain = {None: bytes, b"gzip": gzip.decompress, b"br": brotli.decompress}[coding](answer.body)
    assert plain == LONG


def test_what_is_short_is_not_compressed() -> None:
    answer = KeptAnswer(b"{}", JSON).answer(accept_encoding="br", if_none_match=None)
    assert answer.body == b"{}"


@pytest.mark.parametrize("accepted", [None, "gzip", "br"])
def test_who_has_it_already_is_told_so(accepted: str | None) -> None:
    kept = KeptAnswer(LONG, JSON)
    tag = dict(kept.answer(accept_encoding=accepted, if_none_match=None).headers)[b"etag"].decode()
    for named in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = kept.answer(accept_encoding=accepted, if_none_match=named)
        assert (answer.status, answer.body) == (304, b"")
        assert dict(answer.headers)[b"etag"].decode() == tag
    assert kept.answer(accept_encoding=accepted, if_none_match='"other"').status == 200


def test_codings_have_tags_of_their_own() -> None:
    kept = KeptAnswer(LONG, JSON)
    tags = {
        dict(kept.answer(accept_encoding=each, if_none_match=None).headers)[b"etag"]
        for each in ("", "gzip", "br")
    }
    assert len(tags) == 3
