"""``packhouse owner create``: the keeper of the server makes an owner on the terminal."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from packhouse.cli.owner import create_owner_command, username_from
from packhouse.plumbing.settings import Settings, require_setting

PASSWORD = "seven quiet herons"


@pytest.fixture
def shop(
    settings: Settings, database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The environment of a real shop's server, on the test's own database."""
    cache_url = require_setting(settings.cache_url, name="cache_url").reveal()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PACKHOUSE_DATABASE_URL", database_url)
    monkeypatch.setenv("PACKHOUSE_CACHE_URL", cache_url)
    monkeypatch.setenv("PACKHOUSE_SEED_KEY", "00" * 32)


def create(*arguments: str, typed: str = f"{PASSWORD}\n{PASSWORD}\n") -> Result:
    program = typer.Typer()
    program.command()(create_owner_command)
    return CliRunner().invoke(program, arguments, input=typed)


@pytest.mark.usefixtures("shop")
def test_an_owner_is_made_once_and_the_password_is_not_shown() -> None:
    first = create("keeper@example.com")
    assert first.exit_code == 0, first.output
    assert "keeper owns this shop now." in first.stdout
    assert PASSWORD not in first.output
    second = create("keeper@example.com", "--username", "another")
    assert second.exit_code == 1
    assert "There is an account with this e-mail address." in second.stderr


@pytest.mark.usefixtures("shop")
def test_what_is_wrong_with_the_account_is_said_field_by_field() -> None:
    answer = create("nowhere", typed="short\nshort\n")
    assert answer.exit_code == 1
    assert "email: " in answer.stderr
    assert "password: " in answer.stderr


@pytest.mark.usefixtures("shop")
def test_a_password_typed_differently_is_asked_for_again() -> None:
    answer = create("keeper@example.com", typed=f"{PASSWORD}\nother\n{PASSWORD}\n{PASSWORD}\n")
    assert answer.exit_code == 0
    assert "do not match" in answer.stderr


def test_without_a_shop_nothing_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PACKHOUSE_DATABASE_URL", raising=False)
    answer = create("keeper@example.com")
    assert answer.exit_code == 2
    assert "PACKHOUSE_DATABASE_URL" in answer.stderr
    assert "Password" not in answer.output


@pytest.mark.parametrize(
    ("email", "username"),
    [
        ("keeper@example.com", "keeper"),
        ("kim.o.keeper+shop@example.com", "kim-o-keeper-shop"),
        ("jo@example.com", "owner-jo"),
        ("米@example.com", "owner"),
        ("k" * 40 + "@example.com", "k" * 24),
    ],
)
def test_a_user_name_is_made_from_the_address(email: str, username: str) -> None:
    assert username_from(email) == username
