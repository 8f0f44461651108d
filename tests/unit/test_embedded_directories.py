"""Folders, ports and disks as embedded servers meet them: held, foreign, taken, full."""

import errno
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from packhouse.plumbing.embedded import (
    DirectoryHeld,
    DirectoryUnusable,
    DiskFull,
    ForeignDirectory,
    PortTaken,
    hold_directory,
)
from packhouse.plumbing.embedded.children import stop_child
from packhouse.plumbing.embedded.errors import disk_troubles
from packhouse.plumbing.embedded.places import keep_password, read_text
from packhouse.plumbing.embedded.ports import choose_port

HOLD_AND_WAIT = """
import sys
from pathlib import Path
from packhouse.plumbing.embedded import hold_directory
hold = hold_directory(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other_shop(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD_AND_WAIT, tmp_path / "data"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as shop:
        assert shop.stdout is not None
        assert shop.stdout.readline() == "held\n"
        yield shop
        shop.kill()


def test_a_missing_directory_is_created_for_its_owner_only(tmp_path: Path) -> None:
    hold_directory(tmp_path / "deep" / "data").release()
    mode = stat.S_IMODE((tmp_path / "deep" / "data").stat().st_mode)
    assert mode & 0o066 == 0


def test_a_released_directory_can_be_held_again(tmp_path: Path) -> None:
    hold_directory(tmp_path).release()
    (tmp_path / "something").write_text("ours")
    hold_directory(tmp_path).release()


def test_a_second_holder_is_told_the_first_ones_process_id(
    tmp_path: Path, other_shop: subprocess.Popen[str]
) -> None:
    with pytest.raises(DirectoryHeld, match=rf"process {other_shop.pid}\b"):
        hold_directory(tmp_path / "data")


def test_a_killed_holder_no_longer_holds(tmp_path: Path, other_shop: subprocess.Popen[str]) -> None:
    other_shop.kill()
    hold_directory(tmp_path / "data").release()


def test_a_foreign_directory_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("chapter one")
    with pytest.raises(ForeignDirectory, match="nothing was touched"):
        hold_directory(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(ForeignDirectory, match="not a directory"):
        hold_directory(tmp_path / "data")


def test_a_directory_that_cannot_be_made_is_named_in_the_error() -> None:
    with pytest.raises(DirectoryUnusable, match="/proc/packhouse"):
        hold_directory(Path("/proc/packhouse"))


def test_a_full_disk_is_called_full(tmp_path: Path) -> None:
    with (
        pytest.raises(DiskFull, match="is full"),
        disk_troubles(tmp_path),
        Path("/dev/full").open("w") as file,
    ):
        file.write("one byte too many")


def test_a_read_only_disk_is_called_read_only(tmp_path: Path) -> None:
    with pytest.raises(DirectoryUnusable, match="read-only"), disk_troubles(tmp_path):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def test_a_password_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    password = keep_password(tmp_path)
    assert len(password) >= 32
    assert keep_password(tmp_path) == password
    assert stat.S_IMODE((tmp_path / "password").stat().st_mode) == 0o600


def test_a_wanted_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(PortTaken, match=f"Port {port} on 127.0.0.1 is taken"):
            choose_port(tmp_path, wanted=port)


def test_a_port_is_kept_while_it_is_free(tmp_path: Path) -> None:
    port = choose_port(tmp_path, wanted=None)
    assert choose_port(tmp_path, wanted=None) == port
    with socket.create_server(("127.0.0.1", port)):
        assert choose_port(tmp_path, wanted=None) != port
    assert read_text(tmp_path / "port") != str(port)


def test_a_child_that_ignores_every_request_is_ended_by_force() -> None:
    with subprocess.Popen(
        ["/bin/sh", "-c", "trap '' INT QUIT; echo deaf; while :; do sleep 0.05; done"],
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"deaf\n"
        stop_child(child, [signal.SIGINT, signal.SIGQUIT], timeout_seconds=0.1)
        assert child.returncode == -signal.SIGKILL
