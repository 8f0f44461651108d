"""The load generator's reader knows where an answer ends, however it arrives."""

import pytest

from packhouse.bench.answers import (
    AnswerGarbled,
    answer_length,
    problem_code,
    says_close,
    status_of,
)
from packhouse.bench.trivial import fixed_answer

WHOLE = b"HTTP/1.1 200 OK\r\nserver: x\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n2\r\n!!\r\n0\r\n\r\n"
)


@pytest.mark.parametrize("answer", [WHOLE, CHUNKED])
def test_an_answer_ends_where_its_server_says(answer: bytes) -> None:
    assert answer_length(answer) == len(answer)
    assert answer_length(answer + b"HTTP/1.1 200 OK") == len(answer)


@pytest.mark.parametrize("answer", [WHOLE, CHUNKED])
def test_a_part_of_an_answer_is_never_taken_for_all_of_it(answer: bytes) -> None:
    for length in range(len(answer)):
        told = answer_length(answer[:length])
        assert told == 0 or told > length


def test_an_answer_without_a_body_ends_with_its_head() -> None:
    answer = b"HTTP/1.1 204 No Content\r\nx-request-id: 1\r\n\r\n"
    assert answer_length(answer) == len(answer)


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 200 OK\r\nserver: x\r\n\r\nhello", b"SSH-2.0\r\n\r\n"]
)
def test_what_tells_no_end_is_refused(answer: bytes) -> None:
    with pytest.raises(AnswerGarbled):
        answer_length(answer)


def test_a_refusals_code_is_read() -> None:
    answer = b'HTTP/1.1 409 Conflict\r\nContent-Length: 20\r\n\r\n{"code":"sold_out"}'
    assert status_of(answer) == 409
    assert problem_code(answer) == "sold_out"
    assert problem_code(WHOLE) is None


def test_a_server_that_closes_is_heard() -> None:
    assert says_close(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    assert not says_close(WHOLE)


@pytest.mark.parametrize("size", [100, 2_048, 100_000])
def test_the_trivial_servers_answer_is_as_long_as_it_is_told(size: int) -> None:
    answer = fixed_answer(size)
    assert len(answer) == size
    assert answer_length(answer) == size
