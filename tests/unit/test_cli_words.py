"""The command line's words: every command explains itself, and a wrong word ends with 2."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from packhouse.cli import packhouse_commands
from packhouse.cli.serve import PortUnusable, require_free_port
from packhouse.cli.shop import plain_errors
from packhouse.cli.up import keep_log_key, keep_seed_key, local_url
from packhouse.foundation.errors import Breach, FieldError, InvalidInput, Outage, Refusal
from packhouse.plumbing.embedded import DirectoryUnusable
from packhouse.plumbing.setting_sources import SettingProblem
from packhouse.plumbing.setting_values import HostName, LogKey
from packhouse.plumbing.settings import InvalidSettings, Settings

COMMANDS = (
    ["up"],
    ["serve"],
    ["config"],
    ["db", "migrate"],
    ["db", "status"],
    ["catalog", "import"],
    ["owner", "create"],
)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(words: list[str]) -> None:
    answer = CliRunner().invoke(packhouse_commands, [*words, "--help"])
    assert answer.exit_code == 0
    assert "Usage" in answer.stdout


@pytest.mark.parametrize(
    "words", [["open"], ["up", "--fast"], ["serve", "kitchen"], ["db", "drop"]]
)
def test_a_wrong_word_ends_with_2_and_nothing_on_standard_output(words: list[str]) -> None:
    answer = CliRunner().invoke(packhouse_commands, words)
    assert answer.exit_code == 2
    assert answer.stdout == ""


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (Refusal("The shop is closed."), 1),
        (Outage("The shop is closed."), 1),
        (InvalidSettings([SettingProblem("PACKHOUSE_HTTP_PORT", "The shop is closed.")]), 2),
    ],
)
def test_an_error_is_said_on_standard_error_without_a_traceback(
    error: Exception, exit_code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended, plain_errors():
        raise error
    assert ended.value.exit_code == exit_code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("packhouse: ")
    assert "The shop is closed." in printed.err


def test_each_bad_field_has_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit), plain_errors():
        raise InvalidInput("Two fields are wrong.", [FieldError("email", "is no address")])
    assert "  email: is no address\n" in capsys.readouterr().err


def test_a_breach_is_not_made_pretty() -> None:
    with pytest.raises(Breach), plain_errors():
        raise Breach("Two collectors own one card.")


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_taken_port_is_named_with_the_option_that_changes_it(taken_port: int) -> None:
    with pytest.raises(PortUnusable, match=f"Port {taken_port} .*--port"):
        require_free_port(Settings(http_port=taken_port))


def test_a_host_name_becomes_the_address_to_listen_on() -> None:
    settings = Settings(http_host=HostName("localhost"), http_port=free_port())
    assert require_free_port(settings) in {"127.0.0.1", "::1"}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        number: int = listener.getsockname()[1]
    return number


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),  # noqa: S104 - nothing listens there
        ("::", "http://[::1]:8000"),
        ("shop.example.com", "http://shop.example.com:8000"),
    ],
)
def test_the_local_address_is_one_that_answers(host: str, url: str) -> None:
    assert local_url(Settings(http_host=HostName(host))) == url


def test_the_seed_key_is_made_once(tmp_path: Path) -> None:
    key = keep_seed_key(tmp_path)
    assert len(bytes.fromhex(key)) == 32
    assert keep_seed_key(tmp_path) == key
    assert (tmp_path / "seed-key").stat().st_mode & 0o777 == 0o600


def test_a_lost_seed_key_is_never_replaced_by_another(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "password").write_text("quiet")
    with pytest.raises(DirectoryUnusable, match="backup"):
        keep_seed_key(tmp_path)


def test_the_key_of_the_draw_log_is_made_once_and_private(tmp_path: Path) -> None:
    key = keep_log_key(tmp_path)
    assert len(LogKey.parse(key).reveal()) == 32
    assert keep_log_key(tmp_path) == key
    assert (tmp_path / "log-key").stat().st_mode & 0o777 == 0o600


def test_a_shop_from_before_the_draw_log_gets_its_key(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "password").write_text("quiet")
    assert keep_log_key(tmp_path) == keep_log_key(tmp_path)
