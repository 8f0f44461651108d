"""Logs: one pipe, readable or JSON, and nothing personal in it."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextvars import copy_context
from enum import Enum
from typing import Any, Literal
from uuid import UUID

import msgspec
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from packhouse.plumbing import logging as logging_module
from packhouse.plumbing.logging import (
    bind_request,
    configure_logging,
    flush_access_lines,
    get_log,
    render_json,
    write_access_line,
)
from packhouse.plumbing.masking import mask_personal
from packhouse.plumbing.setting_values import MASK, SeedKey
from packhouse.plumbing.settings import Environment

LOG = get_log("packhouse.test_logging")
ADA = UUID("01910000-0000-7000-8000-000000000001")
Lines = Callable[[], list[dict[str, Any]]]
LogFormat = Literal["text", "json"]
ADDRESS = {"name": "Ada Example", "line1": "1 Loop Lane", "postal_code": "12345"}


def _own_handlers() -> list[logging.Handler]:
    is_ours = structlog.stdlib.ProcessorFormatter
    return [each for each in logging.getLogger().handlers if isinstance(each.formatter, is_ours)]


@pytest.fixture(autouse=True)
def _the_log_is_as_before_afterwards() -> Iterator[None]:
    loggers = [logging.getLogger(), logging.getLogger("packhouse")]
    levels = [each.level for each in loggers]
    yield
    for handler in _own_handlers():
        loggers[0].removeHandler(handler)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
    logging_module._access.begin(None)


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """JSON logs, and what was written since the last look."""
    configure_logging(log_format="json", log_level="info")

    def read() -> list[dict[str, Any]]:
        written = capsys.readouterr()
        assert written.out == "", "logs go to standard error"
        return [msgspec.json.decode(line) for line in written.err.splitlines()]

    return read


def masked(**fields: object) -> dict[str, Any]:
    return mask_personal(None, "info", dict(fields))


class Parcel(msgspec.Struct):
    parcel_id: int
    address: str


class Colour(Enum):
    RED = "red"


def test_a_line_has_time_level_logger_and_event_first(lines: Lines) -> None:
    LOG.info("pack opened", pack="bronze", quantity=2)
    (line,) = lines()
    assert list(line)[:4] == ["timestamp", "level", "logger", "event"]
    assert line["timestamp"].endswith("Z")
    assert (line["level"], line["logger"]) == ("info", "packhouse.test_logging")
    assert (line["event"], line["pack"], line["quantity"]) == ("pack opened", "bronze", 2)


def test_the_request_and_its_user_are_on_every_line_libraries_included(lines: Lines) -> None:
    def answer() -> None:
        bind_request("r-1", ADA)
        LOG.info("ours")
        logging.getLogger("asyncio").warning("theirs")

    copy_context().run(answer)
    LOG.info("later")
    ours, theirs, later = lines()
    for line in (ours, theirs):
        assert (line["request_id"], line["user_id"]) == ("r-1", str(ADA))
    assert "request_id" not in later


def tell_of_an_answer(path: str = "/packs", *, code: str | None = None) -> None:
    write_access_line(
        request_id="r-1",
        user_id=ADA,
        method="GET",
        path=path,
        status=200,
        seconds=0.01234,
        code=code,
    )


async def test_the_line_of_an_answer_has_what_every_line_has(lines: Lines) -> None:
    tell_of_an_answer(code="sold_out")
    flush_access_lines()
    (line,) = lines()
    assert list(line)[:4] == ["timestamp", "level", "logger", "event"]
    assert line["timestamp"].endswith("Z")
    assert (line["request_id"], line["user_id"]) == ("r-1", str(ADA))
    assert (line["method"], line["path"], line["status"]) == ("GET", "/packs", 200)
    assert (line["milliseconds"], line["code"]) == (12.3, "sold_out")


async def test_lines_of_answers_stand_in_the_order_of_all_lines(lines: Lines) -> None:
    tell_of_an_answer("/first")
    LOG.info("second")
    tell_of_an_answer("/third")
    flush_access_lines()
    assert [line.get("path", line["event"]) for line in lines()] == ["/first", "second", "/third"]


async def test_lines_of_answers_do_not_wait_long(lines: Lines) -> None:
    tell_of_an_answer()
    async with asyncio.timeout(5):
        while not lines():  # noqa: ASYNC110 - a pipe has no event
            await asyncio.sleep(0.01)


async def test_answers_are_told_of_at_the_level_of_our_lines(lines: Lines) -> None:
    configure_logging(log_format="json", log_level="warning")
    tell_of_an_answer()
    flush_access_lines()
    assert lines() == []


async def test_a_path_shows_no_address_and_makes_no_line_of_its_own(
    lines: Lines, capsys: pytest.CaptureFixture[str]
) -> None:
    tell_of_an_answer("/ada@example.com")
    flush_access_lines()
    assert lines()[0]["path"] == f"/{MASK}"
    configure_logging(log_format="text")
    tell_of_an_answer("/a b=c\n2026 [error] forged")
    flush_access_lines()
    (line,) = capsys.readouterr().err.splitlines()
    assert r"path='/a b=c\n2026 [error] forged'" in line


def test_our_lines_follow_the_level_and_libraries_speak_from_warning_on(lines: Lines) -> None:
    LOG.debug("too fine")
    logging.getLogger("litestar").info("too fine")
    assert lines() == []
    configure_logging(log_format="json", log_level="debug")
    LOG.debug("fine")
    logging.getLogger("litestar").info("still too fine")
    assert [line["event"] for line in lines()] == ["fine"]


def test_configuring_twice_does_not_write_lines_twice(lines: Lines) -> None:
    configure_logging(log_format="json")
    LOG.info("once")
    assert len(lines()) == 1


@pytest.mark.parametrize(
    ("environment", "is_json"), [("development", False), ("test", False), ("production", True)]
)
def test_auto_is_json_in_production_only(
    capsys: pytest.CaptureFixture[str], environment: Environment, *, is_json: bool
) -> None:
    configure_logging(log_format="auto", environment=environment)
    LOG.info("pack opened", pack="bronze")
    written = capsys.readouterr().err
    assert written.startswith("{") == is_json
    assert "pack opened" in written
    assert "\x1b" not in written


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "new_password",
        "session_token",
        "Cookie",
        "Set-Cookie",
        "Authorization",
        "email",
        "shipping_address",
        "client_ip",
        "phone",
        "secret",
        "server_seed",
        "username",
        "postal_code",
        "birth_date",
        "X-Forwarded-For",
    ],
)
@pytest.mark.parametrize("value", ["plain", b"bytes", 1234567, ["plain"], {"nested": "plain"}])
def test_a_personal_key_is_masked_whatever_it_holds(key: str, value: object) -> None:
    assert masked(**{key: value}) == {key: MASK}


def test_ids_and_numbers_about_a_secret_are_no_secret() -> None:
    seed_pair_id = UUID(int=7)
    assert masked(seed_pair_id=seed_pair_id, token_count=3, token=None) == {
        "seed_pair_id": str(seed_pair_id),
        "token_count": 3,
        "token": None,
    }
    assert masked(token_id="not-an-id") == {"token_id": MASK}


def test_personal_data_is_masked_at_any_depth() -> None:
    line = masked(
        request={
            "headers": [("cookie", "plain"), ("accept", "text/html")],
            "deep": [{"email": "x"}],
        },
        parcel=Parcel(parcel_id=7, address="1 Loop Lane"),
        shipping=[ADDRESS],
    )
    assert line["request"]["headers"] == [["cookie", MASK], ["accept", "text/html"]]
    assert line["request"]["deep"] == [{"email": MASK}]
    assert line["parcel"] == {"parcel_id": 7, "address": MASK}
    assert line["shipping"] == [{"name": "Ada Example", "line1": MASK, "postal_code": MASK}]


def test_an_unknown_object_shows_its_type_and_no_more() -> None:
    assert masked(thing=object(), blob=b"seed", colour=Colour.RED, key=SeedKey(bytes(32))) == {
        "thing": "<object>",
        "blob": "<bytes>",
        "colour": "red",
        "key": MASK,
    }


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mail to ada@mail.example failed", f"mail to {MASK} failed"),
        (
            "cannot reach redis://:hunter2@h.example:1/0",
            f"cannot reach redis://:{MASK}@h.example:1/0",
        ),
        ("sent Bearer abcdefghijklmnop", f"sent Bearer {MASK}"),
        ("bearer of news, basic settings", "bearer of news, basic settings"),
    ],
)
def test_personal_data_inside_text_is_masked(lines: Lines, text: str, shown: str) -> None:
    LOG.info(text, detail=text)
    logging.getLogger("asyncio").warning("%s", text)
    ours, theirs = lines()
    assert (ours["event"], ours["detail"], theirs["event"]) == (shown, shown, shown)


def test_the_row_that_postgresql_quotes_in_an_error_is_masked() -> None:
    quoted = "null value\nDETAIL:  Failing row contains (7, 1 Loop Lane,\nOldtown).\nHINT:  None."
    assert masked(exception=quoted)["exception"] == f"null value\nDETAIL:  {MASK}\nHINT:  None."


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_a_traceback_shows_the_way_but_no_local_variable_and_no_secret(
    capsys: pytest.CaptureFixture[str], log_format: LogFormat
) -> None:
    configure_logging(log_format=log_format)

    def ship(address: str) -> None:
        unit = address.upper()
        raise ValueError(f"no carrier for {len(unit)} letters, asked by ada@mail.example")

    try:
        ship(ADDRESS["line1"])
    except ValueError:
        LOG.exception("the parcel could not be shipped")
        logging.getLogger("litestar").exception("the request failed")
    written = capsys.readouterr().err
    assert written.count("in ship") == 2
    assert written.count("no carrier for 11 letters") == 2
    assert "1 Loop Lane" not in written
    assert "1 LOOP LANE" not in written
    assert "ada@mail.example" not in written


def test_a_line_that_cannot_be_written_is_reported_without_its_fields(
    lines: Lines, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lines() == []
    wrong = {"name": "asyncio", "msg": "%d", "args": ("hunter2",)}
    for handler in _own_handlers():
        handler.handle(logging.makeLogRecord(wrong))
    assert capsys.readouterr().err == "packhouse: a log line of asyncio was lost (TypeError)\n"


nested = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(st.characters(categories=["L"]), min_size=1), nested))
def test_whatever_is_logged_becomes_one_line_of_json(fields: dict[str, object]) -> None:
    line = render_json(None, "info", mask_personal(None, "info", {"event": "x"} | fields))
    assert "\n" not in line
    assert set(msgspec.json.decode(line)) == {"event"} | set(fields)
