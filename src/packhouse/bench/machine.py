"""The machine, described by cores and memory and nothing else."""

import os
import resource
import sys
from typing import Final

from packhouse.bench.model import Machine
from packhouse.plumbing.settings import number_of_cores

GIB = 1024**3
FILES_BESIDE: Final = 200
"""Open files of a program that are no connections, generously."""


def read_machine() -> Machine:
    """Cores that we may use, and the memory that is there."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(cores=number_of_cores(), memory=f"{total / GIB:.0f} GiB")


def connections_allowed() -> int:
    """How many sockets one program may have open, once it may have as many as the system allows."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if most == resource.RLIM_INFINITY else most - FILES_BESIDE


def allow_many_connections() -> None:
    """Let this program and its children open as many files as the system allows at all."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
