"""Processor time and memory of a server with all its processes, as Linux accounts for them.

Where two servers are both held back by the machine's cores, time per answer tells them apart even
when the load generator takes a large share of the same cores.
"""

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
_PARENT, _USER_TICKS, _SYSTEM_TICKS = 1, 11, 12
"""Places in ``/proc/PID/stat`` after the name of the program, which may hold anything."""


def processor_seconds(pid: int) -> float | None:
    """User and system time of the process and those below it that live; None where unknown."""
    if not (PROC / "self" / "stat").exists():
        return None
    ticks = {
        number: int(fields[_USER_TICKS]) + int(fields[_SYSTEM_TICKS])
        for number, fields in _list_stats()
    }
    return sum(ticks.get(each, 0) for each in _family_of(pid)) / os.sysconf("SC_CLK_TCK")


def processor_seconds_of(roots: Mapping[str, int]) -> dict[str, float]:
    """Processor time of several servers by name, each with its processes; from one look at all."""
    stats = dict(_list_stats())
    per_second = os.sysconf("SC_CLK_TCK")
    return {
        name: sum(
            int(stats[each][_USER_TICKS]) + int(stats[each][_SYSTEM_TICKS])
            for each in _family_in(stats, pid)
            if each in stats
        )
        / per_second
        for name, pid in roots.items()
    }


def parent_of(pid: int) -> int | None:
    """The process that started this one; None where it is gone or the system does not tell."""
    return next((int(fields[_PARENT]) for number, fields in _list_stats() if number == pid), None)


def memory_kib(pid: int) -> float | None:
    """Memory of the process and those below it, pages that they share counted once; in KiB.

    None where the system does not tell.
    """
    total = 0
    for each in _family_of(pid):
        try:
            text = (PROC / str(each) / "smaps_rollup").read_text()
        except OSError:
            return None
        total += next(int(line.split()[1]) for line in text.splitlines() if line[:4] == "Pss:")
    return total


def _family_of(pid: int) -> list[int]:
    return _family_in(dict(_list_stats()), pid)


def _family_in(stats: Mapping[int, list[str]], pid: int) -> list[int]:
    children: dict[int, list[int]] = defaultdict(list)
    for number, fields in stats.items():
        children[int(fields[_PARENT])].append(number)
    family = [pid]
    for each in family:
        family += children[each]
    return family


def _list_stats() -> Iterator[tuple[int, list[str]]]:
    if not PROC.exists():
        return
    for folder in PROC.iterdir():
        if folder.name.isdecimal():
            # It may end while we look.
            with suppress(OSError):
                text = (folder / "stat").read_text(encoding="utf-8", errors="replace")
                yield int(folder.name), text[text.rindex(")") + 2 :].split()
