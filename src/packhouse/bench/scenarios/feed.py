"""``feed``: the newest page of the public feed at 64 clients, nobody signed in.

Beside it, when nginx is installed, nginx serves the very same bytes with the same headers from a
file that it keeps open.
"""

import asyncio
import grp
import http.client
import os
import pwd
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final

import msgspec

from packhouse.bench.load import LoadPlan, Sample
from packhouse.bench.model import Outcome, ratio_of
from packhouse.bench.nginx import find_nginx, nginx_with
from packhouse.bench.processor import processor_seconds
from packhouse.bench.requests import get
from packhouse.bench.scenario import Scenario
from packhouse.bench.stage import Stage
from packhouse.bench.workbench import Contender, Workbench

CLIENTS: Final = 64
PATH: Final = "/api/v1/feed"
_OF_NGINX: Final = frozenset(
    {"connection", "content-length", "content-type", "date", "etag", "server", "x-request-id"}
)
FILE: Final = "feed.json"
MUST: Final = 0.40
AIM: Final = 0.50


async def run(workbench: Workbench, outcome: Outcome) -> None:
    """The shop, and nginx if it is there."""
    stage = workbench.stage
    plan = feed_plan(PATH)
    async with AsyncExitStack() as servers:
        spent = {"packhouse": Spent(stage.web_pid)}
        contenders = [workbench.web(plan)]
        nginx = find_nginx()
        if nginx is not None:
            body, headers = await asyncio.to_thread(read_answer, stage)
            port, pid = await servers.enter_async_context(
                nginx_with(
                    nginx,
                    stage.folder / "nginx-feed",
                    name=FILE,
                    body=body,
                    headers=headers,
                    workers=stage.settings.http_workers,
                    user=nginx_user(),
                )
            )
            spent["nginx"] = Spent(pid)
            contenders.append(workbench.server("nginx", feed_plan(f"/{FILE}"), port=port))
        outcome.measurements += await workbench.take_turns(
            [spent[each.name].counting(each) for each in contenders]
        )
    for name, each in spent.items():
        outcome.figures[f"{name}_processor_us_per_answer"] = each.microseconds_per_answer
    ours = outcome.measurements[0]
    alone = await workbench.generator_alone(plan, like=ours)
    outcome.measurements.append(alone)
    if nginx is None:
        outcome.notes.append(
            "nginx is not installed, so there is nothing to hold the feed against."
        )
    else:
        theirs = outcome.measurements[1]
        outcome.figures["share_of_nginx_by_processor_time"] = spent["nginx"].share_of(
            spent["packhouse"]
        )
        outcome.ratios.append(
            ratio_of("feed/nginx", ours, theirs, generator=alone, must=MUST, aim=AIM)
        )
    workbench.note_sender(plan)


def feed_plan(path: str) -> LoadPlan:
    """The feed at ``path``, over and over."""
    return LoadPlan(requests=[get(path)], clients=CLIENTS)


class Spent:
    """Processor time of a server over its turns, and the answers that it gave for it."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._seconds = 0.0
        self._answers = 0

    def counting(self, contender: Contender) -> Contender:
        """The same contender, with its server's time counted."""

        async def run(seconds: float) -> Sample:
            before = processor_seconds(self._pid)
            sample = await contender.run(seconds)
            after = processor_seconds(self._pid)
            if before is not None and after is not None:
                self._seconds += after - before
                self._answers += sample.requests
            return sample

        return msgspec.structs.replace(contender, run=run)

    @property
    def microseconds_per_answer(self) -> float | None:
        """None where the system does not tell."""
        return self._seconds * 1_000_000 / self._answers if self._answers else None

    def share_of(self, other: "Spent") -> float | None:
        """What part of the other's time for an answer this one takes."""
        mine, others = self.microseconds_per_answer, other.microseconds_per_answer
        return mine / others if mine is not None and others else None


def read_answer(stage: Stage) -> tuple[bytes, Sequence[tuple[str, str]]]:
    """The feed as the shop answers it now: its body, and the headers that a cache would keep."""
    connection = http.client.HTTPConnection(stage.host, stage.port, timeout=10)
    try:
        connection.request("GET", PATH)
        answer = connection.getresponse()
        kept = [
            (name, text)
            for name, text in answer.getheaders()
            # nginx says these itself, and ours would be a second word.
            if name.lower() not in _OF_NGINX and not name.lower().startswith("ratelimit")
        ]
        return answer.read(), kept
    finally:
        connection.close()


def nginx_user() -> str | None:
    """Who nginx's workers are when we are root: an account that owns nothing, and its group."""
    if os.geteuid() != 0:
        return None
    account = pwd.getpwnam("nobody")
    return f"{account.pw_name} {grp.getgrgid(account.pw_gid).gr_name}"


SCENARIO = Scenario(
    name="feed",
    measures="The public feed's newest page, beside nginx with the same bytes from a file.",
    run=run,
)
