"""A program that holds open streams: ``python -m packhouse.bench.listeners`` reads a job.

It says on a line of its own when all of its streams are open, and then for each pull when the first
and the last of them had it, by the clock that all programs of a machine share. It is made to be
light, for it runs on the same cores as the server: no event loop, and of what comes only the newest
sequence is looked at.
"""

import select
import socket
import sys
import time
from collections import defaultdict
from typing import Final

import msgspec

from packhouse.plumbing.handover import tie_to_parent

MARK: Final = b'"sequence":'
CONNECTING_AT_ONCE: Final = 100
READ_BYTES: Final = 65_536
REST_BYTES: Final = 64
"""So much of a piece that breaks off is looked at again with the next: a sequence fits well."""


class ListenJob(msgspec.Struct, frozen=True):
    """``address`` is our own: a machine has some 28,000 ports for each."""

    port: int
    path: str
    streams: int
    address: str
    parent: int


class Opened(msgspec.Struct, frozen=True, tag="opened"):
    """All streams are open."""

    streams: int


class Arrived(msgspec.Struct, frozen=True, tag="arrived"):
    """All streams have a pull; times are of the machine's monotonic clock."""

    sequence: int
    first: float
    last: float


class Broken(msgspec.Struct, frozen=True, tag="broken"):
    """A stream has ended, or never began."""

    words: str


Said = Opened | Arrived | Broken


class Listeners:
    """The streams of one program."""

    def __init__(self, job: ListenJob) -> None:
        self._job = job
        self._poll = select.epoll()
        # One buffer for all: a fresh one of this size for each piece would cost more than the rest.
        self._buffer = bytearray(READ_BYTES)
        self._view = memoryview(self._buffer)
        self._sockets: dict[int, socket.socket] = {}
        self._rests: dict[int, bytes] = {}
        self._opened: set[int] = set()
        self._newest: dict[int, int] = {}
        self._counts: defaultdict[int, int] = defaultdict(int)
        self._firsts: dict[int, float] = {}
        self._request = (
            f"GET {job.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n"
        ).encode()

    def run(self) -> None:
        """Open all of them and listen until the program is ended."""
        while len(self._opened) < self._job.streams:
            while (
                len(self._sockets) < self._job.streams
                and len(self._sockets) - len(self._opened) < CONNECTING_AT_ONCE
            ):
                self._connect()
            self._look()
        say(Opened(len(self._opened)))
        while True:
            self._look()

    def _connect(self) -> None:
        made = socket.socket()
        # The kernel chooses the port when it knows both ends, so that ports do not run out.
        made.setsockopt(socket.IPPROTO_IP, getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24), 1)
        made.bind((self._job.address, 0))
        made.connect(("127.0.0.1", self._job.port))
        made.sendall(self._request)
        made.setblocking(False)  # noqa: FBT003 - the standard library's own
        self._sockets[made.fileno()] = made
        self._poll.register(made.fileno(), select.EPOLLIN)

    def _look(self) -> None:
        for number, _ in self._poll.poll(1.0):
            self._read(number)

    def _read(self, number: int) -> None:
        try:
            length = self._sockets[number].recv_into(self._buffer)
        except ConnectionError:
            length = 0
        text = bytes(self._view[:length])
        if not text:
            say(Broken("A stream was ended by its server."))
            sys.exit(1)
        if number not in self._opened:
            self._open(number, text)
            return
        now = time.monotonic()
        if number in self._rests:
            text = self._rests.pop(number) + text
        sequence = newest_sequence(text)
        if sequence > self._newest.get(number, 0):
            self._newest[number] = sequence
            self._count(sequence, now)
        if not text.endswith(b"\n"):
            self._rests[number] = text[-REST_BYTES:]

    def _open(self, number: int, text: bytes) -> None:
        text = self._rests.pop(number, b"") + text
        if b"\r\n\r\n" not in text:
            self._rests[number] = text
            return
        if not text.startswith(b"HTTP/1.1 200"):
            say(Broken(text.split(b"\r\n")[0].decode("latin-1")))
            sys.exit(1)
        self._opened.add(number)

    def _count(self, sequence: int, now: float) -> None:
        self._firsts.setdefault(sequence, now)
        self._counts[sequence] += 1
        if self._counts[sequence] == self._job.streams:
            del self._counts[sequence]
            say(Arrived(sequence, self._firsts.pop(sequence), now))


def newest_sequence(text: bytes) -> int:
    """The last sequence that stands whole in a piece of a stream; 0 when there is none."""
    at = text.rfind(MARK)
    if at < 0:
        return 0
    digits, comma, _ = text[at + len(MARK) : at + len(MARK) + 20].partition(b",")
    if comma:
        return int(digits)
    return newest_sequence(text[:at])


def say(said: Said) -> None:
    """One line for whoever started us."""
    sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    """Listen until ended."""
    job = msgspec.json.decode(sys.argv[1], type=ListenJob)
    tie_to_parent(job.parent)
    Listeners(job).run()


if __name__ == "__main__":
    main()
