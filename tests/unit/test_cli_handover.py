"""The settings that ``packhouse up`` hands to its programs, and the shop that a command means."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from packhouse.cli.shop import (
    HANDOVER_NAME,
    RUN_NAME,
    ShopNotRunning,
    data_directory,
    is_shop_running,
    shop_settings_for_command,
)
from packhouse.plumbing.embedded import DirectoryHold, hold_directory
from packhouse.plumbing.handover import (
    HANDOVER_VARIABLE,
    HandoverLost,
    handed_overrides,
    load_process_settings,
    write_handover,
)
from packhouse.plumbing.settings import InvalidSettings, require_setting

OVERRIDES = {
    "embedded": "true",
    "database_url": "postgresql://packhouse:quiet@127.0.0.1:5999/packhouse",
    "cache_url": "valkey://:quiet@127.0.0.1:6999/0",
    "seed_key": "00" * 32,
}


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in ("PACKHOUSE_DATA", "PACKHOUSE_DATABASE_URL", HANDOVER_VARIABLE):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Path]:
    """A folder as a running shop has it."""
    directory = tmp_path / "shop"
    hold: DirectoryHold = hold_directory(directory)
    write_handover(directory / HANDOVER_NAME, OVERRIDES)
    (directory / RUN_NAME).write_text("{}")
    yield directory
    hold.release()


def test_only_the_account_itself_can_read_what_is_handed_over(running: Path) -> None:
    assert (running / HANDOVER_NAME).stat().st_mode & 0o777 == 0o600


def test_a_program_has_what_was_handed_over_and_the_environment_s_wishes(
    running: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HANDOVER_VARIABLE, str(running / HANDOVER_NAME))
    monkeypatch.setenv("PACKHOUSE_SHOP_NAME", "The Corner")
    settings = load_process_settings().settings
    assert settings.embedded
    assert settings.shop_name == "The Corner"
    assert (
        require_setting(settings.database_url, name="database_url").reveal().endswith("packhouse")
    )


def test_without_a_handover_the_environment_has_to_name_everything() -> None:
    assert handed_overrides({}) is None
    with pytest.raises(InvalidSettings, match="PACKHOUSE_DATABASE_URL"):
        load_process_settings()


def test_a_lost_handover_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(HandoverLost, match="start it again"):
        handed_overrides({HANDOVER_VARIABLE: str(tmp_path / "gone.json")})


def test_a_command_finds_the_shop_by_the_option(running: Path) -> None:
    assert shop_settings_for_command(running).embedded


def test_a_command_finds_the_shop_by_the_environment(
    running: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PACKHOUSE_DATA", str(running))
    assert shop_settings_for_command(None).embedded


def test_a_database_in_the_environment_goes_before_a_folder_in_it(
    running: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PACKHOUSE_DATA", str(running))
    monkeypatch.setenv("PACKHOUSE_DATABASE_URL", "postgresql://keeper@db.example.com/shop")
    with pytest.raises(InvalidSettings, match="PACKHOUSE_SEED_KEY"):
        shop_settings_for_command(None)


def test_a_folder_without_a_running_shop_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ShopNotRunning, match="packhouse up"):
        shop_settings_for_command(tmp_path / "shop")


def test_what_a_killed_shop_left_is_no_running_shop(tmp_path: Path) -> None:
    hold_directory(tmp_path / "shop").release()
    (tmp_path / "shop" / RUN_NAME).write_text("{}")
    assert not is_shop_running(tmp_path / "shop")


def test_with_no_shop_at_all_the_missing_settings_are_named() -> None:
    with pytest.raises(InvalidSettings, match="PACKHOUSE_DATABASE_URL"):
        shop_settings_for_command(None)


def test_the_usual_folder_is_in_the_working_directory(tmp_path: Path) -> None:
    assert data_directory(None) == tmp_path / ".packhouse"
