"""Just enough of HTTP/1.1 to know when an answer is complete: its length, or its last chunk."""

from typing import Final

HEAD_END: Final = b"\r\n\r\n"
_BODILESS: Final = frozenset({204, 304})


class AnswerGarbled(Exception):
    """What came is no HTTP/1.1 answer that this reader knows."""


def answer_length(received: bytes | bytearray) -> int:
    """How many bytes the first answer in ``received`` has; 0 when that cannot be told yet.

    The answer may be longer than what was received so far. Raises ``AnswerGarbled``.
    """
    head_end = received.find(HEAD_END)
    if head_end < 0:
        return 0
    body = head_end + len(HEAD_END)
    head = bytes(received[:head_end]).lower()
    at = head.find(b"\r\ncontent-length:")
    if at >= 0:
        end = head.find(b"\r\n", at + 2)
        return body + int(head[at + 17 : end if end >= 0 else head_end])
    if status_of(received) in _BODILESS:
        return body
    if b"\r\ntransfer-encoding: chunked" in head:
        return _chunks_end(received, body)
    raise AnswerGarbled("An answer told neither its length nor that it comes in chunks.")


def status_of(received: bytes | bytearray) -> int:
    """The status code. Raises ``AnswerGarbled``."""
    if not received.startswith(b"HTTP/1.1 "):
        raise AnswerGarbled(f"An answer began with {bytes(received[:12])!r}.")
    return int(received[9:12])


def says_close(received: bytes | bytearray) -> bool:
    """Whether the server will close the connection after this answer."""
    head = bytes(received[: received.find(HEAD_END)]).lower()
    return b"\r\nconnection: close" in head


def problem_code(answer: bytes | bytearray) -> str | None:
    """The machine's ``code`` in a problem document."""
    at = answer.find(b'"code":"')
    if at < 0:
        return None
    end = answer.find(b'"', at + 8)
    return bytes(answer[at + 8 : end]).decode(errors="replace") if end > 0 else None


def _chunks_end(received: bytes | bytearray, at: int) -> int:
    while True:
        line_end = received.find(b"\r\n", at)
        if line_end < 0:
            return 0
        size = int(bytes(received[at:line_end]).partition(b";")[0], 16)
        at = line_end + 2 + size + 2
        if size == 0:
            return at
        if at > len(received):
            return 0
