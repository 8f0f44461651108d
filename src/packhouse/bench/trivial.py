"""The trivial server: answers every request with the same bytes, to find the generator's ceiling.

``python -m packhouse.bench.trivial SIZE PARENT`` listens on a free port of 127.0.0.1, writes that
port as a line to standard output, and serves until it is stopped. An answer has SIZE bytes.
"""

import asyncio
import sys
from typing import cast

import uvloop

from packhouse.bench.answers import HEAD_END
from packhouse.plumbing.handover import tie_to_parent

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %08d\r\n\r\n"


def fixed_answer(size: int) -> bytes:
    """An answer of ``size`` bytes, or the shortest there is."""
    body = max(0, size - len(_HEAD % 0))
    return _HEAD % body + b" " * body


class FixedAnswers(asyncio.Protocol):
    """Answers whatever ends like a request's head, or like the JSON object that follows it."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what we write to."""
        # uvloop has a class of its own for it.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Our own generator sends each request in one piece."""
        if self._transport is not None and data.endswith((HEAD_END, b"}")):
            self._transport.write(self._answer)


async def serve(size: int) -> None:
    """Serve for ever."""
    answer = fixed_answer(size)
    server = await asyncio.get_running_loop().create_server(
        lambda: FixedAnswers(answer), "127.0.0.1", 0, backlog=4096
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def main() -> None:
    """Serve until stopped."""
    size, parent = (int(word) for word in sys.argv[1:3])
    tie_to_parent(parent)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(size))


if __name__ == "__main__":
    main()
