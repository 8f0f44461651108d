"""PostgreSQL and Valkey from the installed wheels, run as children of this program.

``packhouse up`` and the tests need nothing but pip; a shop of any size runs on real servers and
never imports this. Linux and macOS.
"""

from packhouse.plumbing.embedded.children import EmbeddedServer
from packhouse.plumbing.embedded.errors import (
    DirectoryHeld,
    DirectoryUnusable,
    DiskFull,
    EmbeddedServerError,
    ForeignDirectory,
    PortTaken,
    ProgramsMissing,
)
from packhouse.plumbing.embedded.places import DirectoryHold, hold_directory
from packhouse.plumbing.embedded.postgres import start_postgres
from packhouse.plumbing.embedded.programs import get_postgres_clients
from packhouse.plumbing.embedded.standby import start_standby
from packhouse.plumbing.embedded.valkey import start_valkey

__all__ = [
    "DirectoryHeld",
    "DirectoryHold",
    "DirectoryUnusable",
    "DiskFull",
    "EmbeddedServer",
    "EmbeddedServerError",
    "ForeignDirectory",
    "PortTaken",
    "ProgramsMissing",
    "get_postgres_clients",
    "hold_directory",
    "start_postgres",
    "start_standby",
    "start_valkey",
]
