"""One open stream of the live role's server: little more than its transport and its form."""

import asyncio
from contextlib import aclosing

from packhouse.foundation.errors import Outage
from packhouse.foundation.limits import LIVE_BUFFER_BYTES_MAX, LIVE_DRAIN_SECONDS_MAX
from packhouse.plumbing.logging import get_log
from packhouse.web.live.frames import LAST_CHUNK, Form
from packhouse.web.live.hub import LiveHub

log = get_log(__name__)


class OpenStream(asyncio.Protocol):
    """A listener of the hub that writes straight to its transport.

    Who does not keep up is sent the rest at its own pace; who reads nothing at all for
    ``LIVE_DRAIN_SECONDS_MAX`` is dropped, and comes back with the last id that it saw. There is a
    task only for a stream that resumes, and no timer.
    """

    __slots__ = ("_hub", "_is_drained", "_resuming", "_transport", "form")

    def __init__(self, hub: LiveHub, transport: asyncio.Transport, form: Form) -> None:
        self.form = form
        self._hub = hub
        self._transport: asyncio.Transport | None = transport
        self._resuming: asyncio.Task[None] | None = None
        self._is_drained: asyncio.Event | None = None

    def begin(self, head: bytes, *, position: int) -> None:
        """Take over the transport of an entered stream: send the head and what it missed."""
        transport = self._open_transport()
        transport.set_write_buffer_limits(high=LIVE_BUFFER_BYTES_MAX)
        transport.set_protocol(self)
        missed = self._hub.follow_from(self, position)
        transport.write(head if not missed else head + missed)
        if missed is None:
            self._resume(position)

    def hand(self, frame: bytes) -> None:
        """Send a frame; when the buffer is full, ``pause_writing`` is called within."""
        if self._transport is not None:
            self._transport.write(frame)

    def hand_comment(self, frame: bytes) -> None:
        """Send a comment, unless there is enough to be read already."""
        if self._is_drained is None:
            self.hand(frame)

    def end(self) -> None:
        """Send the end and close once it is written; it counts as open until then."""
        transport, self._transport = self._transport, None
        if transport is not None:
            if self.form.is_chunked:
                transport.write(LAST_CHUNK)
            transport.close()
            self._stop_resuming()

    def pause_writing(self) -> None:
        """The buffer is full."""
        self._is_drained = asyncio.Event()
        if self._resuming is None and self._transport is not None:
            self._resume(self._hub.fall_behind(self))

    def resume_writing(self) -> None:
        """The buffer has room again."""
        if self._is_drained is not None:
            self._is_drained.set()
            self._is_drained = None

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio calls it so
        """The listener is gone, or was sent away."""
        self._transport = None
        self._stop_resuming()
        self._hub.leave(self)

    def _resume(self, position: int) -> None:
        self._resuming = asyncio.create_task(self._send_missed(position))

    async def _send_missed(self, position: int) -> None:
        try:
            await self._wait_for_room()
            async with aclosing(self._hub.resume(self, position)) as frames:
                async for frame in frames:
                    self._open_transport().write(frame)
                    await self._wait_for_room()
        except TimeoutError:
            log.info("A stream that did not keep up was dropped")
            self._open_transport().abort()
        except Outage:
            self._end_resuming()
        except Exception:
            log.exception("A stream could not be resumed")
            self._end_resuming()
        finally:
            self._resuming = None

    def _end_resuming(self) -> None:
        # From within the task itself, which must not be cancelled for it.
        self._resuming = None
        self.end()

    async def _wait_for_room(self) -> None:
        if self._is_drained is not None:
            async with asyncio.timeout(LIVE_DRAIN_SECONDS_MAX):
                await self._is_drained.wait()

    def _open_transport(self) -> asyncio.Transport:
        assert self._transport is not None  # noqa: S101 - only ever called while it is open
        return self._transport

    def _stop_resuming(self) -> None:
        if self._resuming is not None:
            self._resuming.cancel()
            self._resuming = None
