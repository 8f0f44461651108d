"""Logs: one pipe to standard error, for people on a terminal and for machines in production.

Our own lines and those of the libraries go the same way: ``get_log(__name__).info("a static
sentence", with_=fields)``. What belongs to a request, its id and its user's, is bound once with
``bind_request`` and then stands on every line. The one line that each answer leaves goes a shorter
way, ``write_access_line``: it is the same line, but most answers are quicker than the long way.

Law held here: no personal data in logs. The last step before a line is written masks what slipped
in; it is a guard and no licence, so do not log such things in the first place.
"""

import asyncio
import atexit
import contextlib
import logging
import sys
import time
from collections.abc import Callable, MutableMapping
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog
from structlog.stdlib import BoundLogger, ProcessorFormatter

from packhouse.plumbing.masking import mask_personal, mask_text
from packhouse.plumbing.settings import Environment, LogFormat, LogLevel

ACCESS_LINES_WAITING_MAX: Final = 200
ACCESS_WAIT_SECONDS: Final = 0.05
"""How long an answer's line may wait for others, so that many are one write; any other line of this
process pushes them out before it."""

PATHS_KEPT: Final = 2_000

_ACCESS_LOGGER: Final = "packhouse.web.edge"
_ACCESS_EVENT: Final = "A request was answered"

_request: ContextVar[tuple[str, UUID | None] | None] = ContextVar("request", default=None)

_STARTS: Final = ("timestamp", "level", "logger", "event")


class AccessLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is told of each answer; ``code`` is that of the problem, if it was one."""

    timestamp: str
    level: str
    logger: str
    event: str
    request_id: str
    method: str
    path: str
    status: int | None
    milliseconds: float
    user_id: UUID | None = None
    code: str | None = None


def get_log(name: str) -> BoundLogger:
    """The log of one module; call it with ``__name__``."""
    return structlog.stdlib.get_logger(name)


def configure_logging(
    *,
    log_format: LogFormat = "auto",
    log_level: LogLevel = "info",
    environment: Environment = "development",
) -> None:
    """Send every log line of this program to standard error; may be called again to change it.

    ``log_level`` is for our own lines; libraries are heard from WARNING on.
    """
    is_terminal = sys.stderr.isatty()
    is_json = log_format == "json" or (
        log_format == "auto" and environment == "production" and not is_terminal
    )
    render = render_json if is_json else _terminal_renderer(has_colours=is_terminal)
    handler = _StandardError()
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=_ENRICH,
            processors=[
                ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                mask_personal,
                render,
            ],
        )
    )
    _access.begin(None if is_terminal else msgspec.json.encode if is_json else _plain_line)
    root = logging.getLogger()
    for old in [each for each in root.handlers if isinstance(each.formatter, ProcessorFormatter)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("packhouse").setLevel(log_level.upper())
    # During an outage the pool tells of each connection it cannot restore, with a traceback; that
    # the database is away is already said once for each request.
    logging.getLogger("asyncpg.pool").setLevel(logging.ERROR)
    structlog.configure(
        processors=_OWN_STEPS,
        wrapper_class=BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def bind_request(request_id: str, user_id: UUID | None = None) -> None:
    """Put a request's id, and its user's, on every line of this task and of those it starts."""
    _request.set((request_id, user_id))


def write_access_line(
    *,
    request_id: str,
    user_id: UUID | None,
    method: str,
    path: str,
    status: int | None,
    seconds: float,
    code: str | None,
) -> None:
    """Tell of one answer, if our lines of level ``info`` are written at all."""
    milliseconds = round(seconds * 1000, 1)
    if not _access.is_begun:
        _ACCESS_LOG.info(
            _ACCESS_EVENT, method=method, path=path, status=status, milliseconds=milliseconds
        )
        return
    if not _ACCESS_STANDARD_LOG.isEnabledFor(logging.INFO):
        return
    _access.write(
        AccessLine(
            timestamp=_timestamp(time.time()),
            level="info",
            logger=_ACCESS_LOGGER,
            event=_ACCESS_EVENT,
            request_id=request_id,
            method=method,
            path=_masked_path(path),
            status=status,
            milliseconds=milliseconds,
            user_id=user_id,
            code=code,
        )
    )


@lru_cache(PATHS_KEPT)
def _masked_path(path: str) -> str:
    return mask_text(path)


def _timestamp(seconds: float) -> str:
    """As all lines have it: RFC 3339 in UTC, with microseconds."""
    whole = int(seconds)
    return f"{_second(whole)}.{int((seconds - whole) * 1_000_000):06d}Z"


@lru_cache(2)
def _second(whole: int) -> str:
    return datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def flush_access_lines() -> None:
    """Write the answers' lines that still wait; a process calls it before it ends."""
    _access.flush()


def render_json(_logger: object, _method: str, event_dict: MutableMapping[str, Any]) -> str:
    """One line of JSON, the fixed fields first."""
    line = {key: event_dict.pop(key) for key in _STARTS if key in event_dict}
    return msgspec.json.encode(line | dict(event_dict)).decode()


class _AccessLines:
    """Lines of answers that wait to be written together."""

    def __init__(self) -> None:
        self._render: Callable[[AccessLine], bytes] | None = None
        self._waiting: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_begun(self) -> bool:
        """Whether lines go this way; people on a terminal want the colours of the other."""
        return self._render is not None

    def begin(self, render: Callable[[AccessLine], bytes] | None) -> None:
        self.flush()
        self._render = render

    def write(self, line: AccessLine) -> None:
        if self._render is None:
            return
        self._waiting.append(self._render(line))
        if len(self._waiting) >= ACCESS_LINES_WAITING_MAX:
            self.flush()
        elif self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(ACCESS_WAIT_SECONDS, self.flush)

    def flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            lines, self._waiting = self._waiting, []
            _write_out(b"\n".join(lines).decode())


class _StandardError(logging.Handler):
    """Writes to whatever ``sys.stderr`` is at the moment, and never stops the work it tells of."""

    def emit(self, record: logging.LogRecord) -> None:
        _access.flush()
        try:
            line = self.format(record)
        except Exception as error:  # noqa: BLE001 - the stock report would print fields unmasked
            line = f"packhouse: a log line of {record.name} was lost ({type(error).__name__})"
        _write_out(line)


def _write_out(text: str) -> None:
    # When standard error itself is gone or full there is nowhere left to say so.
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def _plain_line(line: AccessLine) -> bytes:
    """As the other lines stand in a file without colours: time, level, event, then the fields."""
    fields = msgspec.structs.asdict(line)
    told = " ".join(
        f"{name}={_plain_value(value)}"
        for name, value in fields.items()
        if name not in _STARTS and value is not None
    )
    return f"{line.timestamp} [{line.level:<9}] {line.event:<30} [{line.logger}] {told}".encode()


def _plain_value(value: object) -> str:
    """A path may hold anything, and must not look like a line or a field of its own."""
    text = str(value)
    return text if text.isprintable() and " " not in text else repr(text)


def _add_request(
    _logger: object, _method: str, event_dict: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A step for every line: the request that it belongs to."""
    request = _request.get()
    if request is not None:
        event_dict.setdefault("request_id", request[0])
        if request[1] is not None:
            event_dict.setdefault("user_id", str(request[1]))
    return event_dict


def _terminal_renderer(*, has_colours: bool) -> structlog.dev.ConsoleRenderer:
    # The stock formatter of tracebacks would print local variables, and so whatever is in them.
    return structlog.dev.ConsoleRenderer(
        colors=has_colours, exception_formatter=structlog.dev.plain_traceback
    )


_ENRICH: Final[list[structlog.typing.Processor]] = [
    _add_request,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
_OWN_STEPS: Final[list[structlog.typing.Processor]] = [
    structlog.stdlib.filter_by_level,
    *_ENRICH,
    ProcessorFormatter.wrap_for_formatter,
]

_access: Final = _AccessLines()
_ACCESS_LOG: Final = get_log(_ACCESS_LOGGER)
_ACCESS_STANDARD_LOG: Final = logging.getLogger(_ACCESS_LOGGER)
atexit.register(flush_access_lines)
