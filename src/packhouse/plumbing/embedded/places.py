"""Where embedded servers keep their files: held by one program at a time, private, in reach.

A folder of ours carries ``packhouse.lock``. The file is the marker that tells it from anybody
else's folder, and the lock (``flock``, so it ends with its holder, however that ends).
"""

import fcntl
import hashlib
import os
import pwd
import secrets
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from packhouse.plumbing.embedded.errors import (
    DirectoryHeld,
    DirectoryUnusable,
    ForeignDirectory,
    disk_troubles,
)

Announce = Callable[[str], None]

LOCK_NAME = "packhouse.lock"
POINTER_NAME = "cluster-is-at"
FALLBACK_ROOT = Path("/var/lib/packhouse")
HOLD_SECONDS_MAX = 1.0
ACCOUNT_NAMES = ("packhouse", "postgres", "nobody")


class Account(msgspec.Struct, frozen=True):
    """An account of this machine that a server runs under instead of root."""

    name: str
    uid: int
    gid: int


class DirectoryHold:
    """This program's sole right to a directory, until ``release`` or its own end."""

    def __init__(self, directory: Path, descriptor: int) -> None:
        self.directory = directory
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        """Let others have the directory; the marker stays. Releasing twice is harmless."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def hold_directory(directory: Path) -> DirectoryHold:
    """Make ``directory`` ours, or take hold of it again.

    It is created when missing. Raises ``ForeignDirectory`` when it has contents but not our
    marker, ``DirectoryHeld`` when another living program (or another part of this one) holds it.
    """
    with disk_troubles(directory):
        if directory.exists() and not directory.is_dir():
            raise ForeignDirectory(f"{directory} is not a directory; choose another one.")
        if not directory.exists():
            directory.mkdir(parents=True)
            # Root's servers run under another account, which must be able to pass through.
            directory.chmod(0o711 if os.geteuid() == 0 else 0o700)
        lock = directory / LOCK_NAME
        if not lock.exists() and any(directory.iterdir()):
            raise ForeignDirectory(
                f"{directory} holds files that are not Packhouse's (there is no {LOCK_NAME} in it);"
                " nothing was touched. Choose an empty or new directory."
            )
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with disk_troubles(directory):
            lock_or_raise(descriptor, directory)
            give_to_owner_of(directory, descriptor)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    except BaseException:
        os.close(descriptor)
        raise
    return DirectoryHold(directory, descriptor)


def lock_or_raise(descriptor: int, directory: Path) -> None:
    """Lock the open file, waiting a moment for a holder that is just about to end."""
    deadline = time.monotonic() + HOLD_SECONDS_MAX
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            raise DirectoryHeld(
                f"{directory} is in use by a running shop (process {holder}); stop that one first"
                " or choose another directory."
            ) from None
        return


def read_text(path: Path) -> str:
    """What the file says, without the end of line; empty when there is no such file."""
    try:
        with disk_troubles(path):
            return path.read_text(encoding="utf-8").strip()
    except DirectoryUnusable as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return ""
        raise


def write_private(path: Path, text: str, *, account: Account | None = None) -> None:
    """Write a file that only its owner may read, whole or not at all.

    As root the file goes to ``account``, or else to whoever owns the folder, so that a shop once
    started with root's rights still starts without them.
    """
    unfinished = path.with_name(f"{path.name}.new")
    with disk_troubles(path):
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor
            if account:
                os.fchown(descriptor, account.uid, account.gid)
            else:
                give_to_owner_of(path.parent, descriptor)
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        unfinished.replace(path)


def give_to_owner_of(directory: Path, descriptor: int) -> None:
    """As root, give the open file to the owner of ``directory``; otherwise it is theirs already."""
    if os.geteuid() == 0:
        owner = directory.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def keep_password(directory: Path) -> str:
    """The password kept in ``directory``, made up there the first time; safe to put in a URL."""
    path = directory / "password"
    password = read_text(path)
    if not password:
        password = secrets.token_urlsafe(24)
        write_private(path, f"{password}\n")
    return password


def find_account(*, cluster: Path) -> Account | None:
    """The account to run PostgreSQL under, which refuses root; None: stay who we are.

    An existing cluster's owner keeps it.
    """
    owner = cluster.stat().st_uid if cluster.exists() else None
    if os.geteuid() != 0:
        if owner not in {None, os.geteuid()}:
            raise DirectoryUnusable(
                f"{cluster} belongs to the account {account_name(owner)}; start the shop as that"
                " account or as root."
            )
        return None
    if owner:
        entry = pwd.getpwuid(owner)
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    return choose_account()


def choose_account() -> Account:
    """The best unprivileged account this machine has; ``nobody`` is shared, so it comes last."""
    for name in ACCOUNT_NAMES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise DirectoryUnusable(
        "PostgreSQL refuses to run as root, and this machine has no account named packhouse,"
        " postgres or nobody; make one (useradd --system packhouse) or start as an ordinary user."
    )


def account_name(uid: int | None) -> str:
    """The name of the account with this number, or the number."""
    try:
        return pwd.getpwuid(uid if uid is not None else -1).pw_name
    except KeyError:
        return str(uid)


def find_home(directory: Path, *, fallback_root: Path, announce: Announce) -> Path:
    """The folder that holds ``directory``'s cluster: itself wherever possible.

    Root's own home is closed to every account that PostgreSQL agrees to run under. Then the
    cluster lives in a folder of its own under ``fallback_root``, and a small file in ``directory``
    points there. Home folders keep their permissions.
    """
    pointer = directory / POINTER_NAME
    elsewhere = read_text(pointer)
    if elsewhere:
        if not Path(elsewhere).is_dir():
            raise DirectoryUnusable(
                f"The cluster of {directory} should be at {elsewhere}, but it is gone; put it back,"
                f" or remove {directory} to begin anew."
            )
        return Path(elsewhere)
    if os.geteuid() != 0 or (directory / "cluster").exists():
        return directory
    account = choose_account()
    if may_enter(account, directory):
        return directory
    home = make_home_elsewhere(directory, fallback_root=fallback_root, announce=announce)
    if not may_enter(account, home):
        raise DirectoryUnusable(
            f"The account {account.name}, under which PostgreSQL runs, can reach neither"
            f" {directory} nor {fallback_root}; choose a data directory"
            " whose parents others may pass through."
        )
    write_private(pointer, f"{home}\n")
    announce(
        f"The account {account.name}, under which PostgreSQL runs, cannot reach {directory};"
        f" the database is kept in {home} instead."
    )
    return home


def make_home_elsewhere(directory: Path, *, fallback_root: Path, announce: Announce) -> Path:
    """A new folder for ``directory``'s cluster under ``fallback_root``.

    The name tells by a hash which directory it serves, and is new each time: whoever removed the
    directory wants a fresh start, yet nobody said that the old cluster may be deleted.
    """
    key = hashlib.sha256(os.fsencode(directory.resolve())).hexdigest()[:12]
    with disk_troubles(fallback_root):
        make_passable(fallback_root)
        for old in sorted(fallback_root.glob(f"{key}-*/cluster")):
            announce(
                f"An earlier cluster of {directory} is left in {old.parent}; remove it"
                " when nobody needs it."
            )
        home = fallback_root / f"{key}-{secrets.token_hex(4)}"
    hold_directory(home).release()
    write_private(home / "made-for", f"{directory.resolve()}\n")
    return home


def make_passable(root: Path) -> None:
    """Create ``root`` so that every account may pass through it, whatever the umask."""
    if not root.exists():
        root.mkdir(parents=True)
        root.chmod(0o755)


def may_enter(account: Account, directory: Path) -> bool:
    """Whether the account can go there; tried, not computed, because of access lists and mounts."""
    outcome = subprocess.run(  # noqa: S603 - a fixed command
        ["/bin/sh", "-c", 'cd -- "$1"', "sh", directory],
        user=account.uid,
        group=account.gid,
        extra_groups=[],
        cwd="/",
        capture_output=True,
        check=False,
    )
    return outcome.returncode == 0
